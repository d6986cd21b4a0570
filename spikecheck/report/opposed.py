"""Companions that contradict the effect that decides, or one another: a reader must not have to find that alone."""

from spikecheck.core.judgement import Effect
from spikecheck.core.verdict import Verdict
from spikecheck.report.estimates import Decider, estimated, of_average, shown_average
from spikecheck.report.quoted import rule_of
from spikecheck.report.sanitize import inert
from spikecheck.stats.prediction import Average, Estimand


def opposed(verdict: Verdict) -> str:
    """Which companions surely point the other way, in a sentence; empty where none does.

    Only where the rule asks for a sign: a companion is then on the effect's side of zero, or on the other. Companions on
    scales of their own, beside rules with other limits, are compared with nothing.
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
    """An average that must lie above zero, or below it."""
    return isinstance(rule, Average) and {rule.floor, rule.ceiling} == {0.0, None}


def _sign(effect: Effect, which: Decider) -> int:
    """1 or -1 where both bounds lie on one side of zero; 0 where they do not, or are not known."""
    _, low, high = of_average(effect, which)
    if low is None or high is None:
        return 0
    return int(low > 0) - int(high < 0)


def _said(effect: Effect, which: Decider, *, against: bool) -> str:
    estimate = estimated(effect, which)
    other = "what decides" if against else "its other companion"
    return f"Measured otherwise, as {inert(effect.unit)}, it contradicts {other}: the {which} is {estimate}."
