"""What many answers say together: one in twenty claims at its very limit is decided wrongly, so all are looked at at once."""

from math import ceil

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.quoted import read_rule, rule_of
from spikecheck.stats.holm import holm
from spikecheck.stats.prediction import Average, Estimand

_LEVEL = 0.95
"""Of reports that were written before rules told theirs."""


def together(report: Report) -> str:
    """Which decided answers at the reference stay decided with all claims as one family (Holm 1979); empty for one claim."""
    asked, decided = _asked(report), _decided(report)
    if len(asked) < 2 or not decided:
        return ""
    lost = too_close(report)
    said = (
        f"Each claim is judged by itself. With all {len(asked)} as one family (Holm), "
        f"{len(decided) - len(lost)} of the {len(decided)} decided at their reference settings stay decided"
    )
    return f"{said}; not so: {', '.join(lost)}." if lost else f"{said}."


def too_close(report: Report) -> list[str]:
    """The claims whose decided answer would not stay so; none where one claim was asked."""
    asked = _asked(report)
    if len(asked) < 2:
        return []
    adjusted = dict(zip((v.id for v in asked), holm([_p_value(v) for v in asked]), strict=True))
    return [v.id for v in _decided(report) if adjusted[v.id] > 1 - _level(v)]


def _asked(report: Report) -> list[Verdict]:
    return [verdict for verdict in report.claims if verdict.reference.applicable]


def _decided(report: Report) -> list[Verdict]:
    return [v for v in _asked(report) if v.replicates in (Outcome.HOLDS, Outcome.FAILS)]


def _level(verdict: Verdict) -> float:
    return verdict.level or _LEVEL


def _p_value(verdict: Verdict) -> float:
    """Two-sided, since on its limit a claim may be decided wrongly to either side, and for as many looks as there were.

    A judgement's bounds are surer than the rule's where there were several looks: at least as many as the ratio of the two
    errors, and no more than that rounded up in any profile.
    """
    reference = verdict.reference
    if reference.outcome is Outcome.UNTRIGGERED:
        return 1.0
    looks = ceil((1 - _level(verdict)) / (1 - reference.level) - 1e-9)
    return min(1.0, 2 * min(_one_sided(reference, rule_of(verdict))) * max(looks, 1))


def _one_sided(judgement: Judgement, predicts: Estimand | None) -> tuple[float, float]:
    """That it holds by chance, and that it fails by chance; 1 where the report does not hold what it takes to know.

    With further averages it holds where all of them do, and fails where one does at its part of the error.
    """
    # scipy takes half a second that `spikecheck list` has not
    from spikecheck.stats.p_values import of_average, of_share  # noqa: PLC0415

    if judgement.required is not None:
        return of_share(judgement.held, judgement.applicable, judgement.required)
    scores = [score for score in judgement.scores if score is not None]
    asked = [(scores, predicts), *((further.scores, read_rule(further.predicts)) for further in judgement.conditions)]
    rules = [of_average(values, rule) if isinstance(rule, Average) else (1.0, 1.0) for values, rule in asked]
    return max(holds for holds, _ in rules), min(1.0, len(rules) * min(fails for _, fails in rules))
