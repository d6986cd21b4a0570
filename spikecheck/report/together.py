"""What many answers say together: one in twenty claims at its very limit is decided wrongly, so all are looked at at once."""

from collections.abc import Iterable
from math import exp, fsum, lgamma, log

from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Report, Verdict
from spikecheck.stats.holm import holm

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
    adjusted = dict(zip((v.id for v in asked), holm([_p_value(v) for v in asked]), strict=True))
    return [v.id for v in _decided(report) if len(asked) > 1 and adjusted[v.id] > 1 - (v.level or _LEVEL)]


def _asked(report: Report) -> list[Verdict]:
    return [verdict for verdict in report.claims if verdict.reference.applicable]


def _decided(report: Report) -> list[Verdict]:
    return [v for v in _asked(report) if v.reference.outcome in (Outcome.HOLDS, Outcome.FAILS)]


def _p_value(verdict: Verdict) -> float:
    """Of the side to which the share deviates, as large as its look's part of the error makes it."""
    found = verdict.reference
    below = _chance(range(found.held + 1), found.applicable, found.required)
    above = _chance(range(found.held, found.applicable + 1), found.applicable, found.required)
    return min(1.0, min(below, above) * (1 - (verdict.level or _LEVEL)) / (1 - found.level))


def _chance(counts: Iterable[int], seeds: int, share: float) -> float:
    """That a binomial count is one of these. Written out: scipy takes half a second that `spikecheck list` has not."""
    whole = lgamma(seeds + 1)
    logs = (
        whole - lgamma(k + 1) - lgamma(seeds - k + 1) + k * log(share) + (seeds - k) * log(1 - share) for k in counts
    )
    return min(1.0, fsum(map(exp, logs)))
