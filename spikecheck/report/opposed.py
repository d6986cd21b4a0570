"""Finds companions whose sign contradicts the deciding effect, or one another, so that the headline can say so."""

from spikecheck.core.judgement import Effect
from spikecheck.core.verdict import Verdict
from spikecheck.report.estimates import Decider, estimated, of_average, shown_average
from spikecheck.report.quoted import rule_of
from spikecheck.report.sanitize import inert
from spikecheck.stats.prediction import Average, Estimand


def opposed(verdict: Verdict) -> str:
    """Sentences on the companions whose interval has the opposite sign; empty if there are none.

    Applies only to rules that require a sign. Other rules have limits on a scale of their own, which companions do not
    share.
    """
    reference = verdict.reference
    rule = rule_of(verdict)
    if not _asks_for_a_sign(rule):
        return ""
    which = shown_average(reference, rule)
    own = _sign(reference.effect, which)
    beside = [(companion.effect, _sign(companion.effect, which)) for companion in reference.companions]
    lead = own or next((sign for _, sign in beside if sign), 0)
    return " ".join(_said(effect, which, against=bool(own)) for effect, sign in beside if sign * lead < 0)


def _asks_for_a_sign(rule: Estimand | None) -> bool:
    """Whether the rule requires an average above zero, or below it."""
    return isinstance(rule, Average) and {rule.floor, rule.ceiling} == {0.0, None}


def _sign(effect: Effect, which: Decider) -> int:
    """1 or -1 if both bounds lie on that side of zero; 0 otherwise, or if they are unknown."""
    _, low, high = of_average(effect, which)
    if low is None or high is None:
        return 0
    return int(low > 0) - int(high < 0)


def _said(effect: Effect, which: Decider, *, against: bool) -> str:
    estimate = estimated(effect, which)
    other = "the deciding effect" if against else "its other companion"
    return f"Its companion, {inert(effect.unit)}, has the opposite sign to {other}: the {which} is {estimate}."
