"""Multiple testing over all claims of a report, by Holm's step-down method (1979).

Each claim is judged at its own level, so one in twenty claims exactly at its limit is decided wrongly.
"""

from math import ceil

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.quoted import read_rule, rule_of
from spikecheck.stats.holm import holm
from spikecheck.stats.prediction import Average, Estimand

_LEVEL = 0.95
"""Confidence level of old reports, which do not record the rule's."""


def together(report: Report) -> str:
    """Which answers at the reference stay decided when all claims are one family (Holm 1979); empty for one claim."""
    family, decided = _family(report), _decided(report)
    if len(family) < 2 or not decided:
        return ""
    lost = too_close(report)
    said = (
        f"Each claim is judged by itself. With all {len(family)} as one family (Holm), "
        f"{len(decided) - len(lost)} of the {len(decided)} decided at their reference settings stay decided"
    )
    return f"{said}; not so: {', '.join(lost)}." if lost else f"{said}."


def too_close(report: Report) -> list[str]:
    """The claims whose decided answer is not decided when all claims are one family; empty for one claim."""
    family = _family(report)
    if len(family) < 2:
        return []
    adjusted = dict(zip((v.id for v in family), holm([_p_value(v) for v in family]), strict=True))
    return [v.id for v in _decided(report) if adjusted[v.id] > 1 - _level(v)]


def _family(report: Report) -> list[Verdict]:
    return [verdict for verdict in report.claims if verdict.reference.applicable]


def _decided(report: Report) -> list[Verdict]:
    return [v for v in _family(report) if v.replicates in (Outcome.HOLDS, Outcome.FAILS)]


def _level(verdict: Verdict) -> float:
    return verdict.level or _LEVEL


def _p_value(verdict: Verdict) -> float:
    """Two-sided p-value of the decided answer, corrected for repeated looks at the seeds (Bonferroni).

    Two-sided because a claim at its limit may be decided wrongly either way. With several looks the judgement's bounds
    have a smaller error than the rule. The ratio of the two errors, rounded up, is the number of looks in every profile.
    """
    reference = verdict.reference
    if reference.outcome is Outcome.UNTRIGGERED:
        return 1.0
    looks = ceil((1 - _level(verdict)) / (1 - reference.level) - 1e-9)
    return min(1.0, 2 * min(_one_sided(reference, rule_of(verdict))) * max(looks, 1))


def _one_sided(judgement: Judgement, predicts: Estimand | None) -> tuple[float, float]:
    """One-sided p-values of "holds" and of "fails"; 1 if the report lacks what they are computed from.

    A claim with further averages holds if all of them hold (the largest p counts). It fails if one fails (Bonferroni).
    """
    # importing scipy takes half a second, which `spikecheck list` should not wait for
    from spikecheck.stats.p_values import of_average, of_share  # noqa: PLC0415

    if judgement.required is not None:
        return of_share(judgement.held, judgement.applicable, judgement.required)
    scores = [score for score in judgement.scores if score is not None]
    averages = [
        (scores, predicts),
        *((further.scores, read_rule(further.predicts)) for further in judgement.conditions),
    ]
    rules = [of_average(values, rule) if isinstance(rule, Average) else (1.0, 1.0) for values, rule in averages]
    return max(holds for holds, _ in rules), min(1.0, len(rules) * min(fails for _, fails in rules))
