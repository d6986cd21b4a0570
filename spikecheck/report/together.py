"""What many answers say together: one in twenty claims at its very limit is decided wrongly, so all are looked at at once."""

from scipy.special import bdtr, bdtrc

from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Report, Verdict
from spikecheck.stats.paired import holm

_LEVEL = 0.95
"""Of reports that were written before rules told theirs."""


def together(report: Report) -> str:
    """Which decided answers at the reference stay decided with all claims as one family (Holm 1979); empty for one claim."""
    asked = [verdict for verdict in report.claims if verdict.reference.applicable]
    decided = [v for v in asked if v.reference.outcome in (Outcome.HOLDS, Outcome.FAILS)]
    if len(asked) < 2 or not decided:
        return ""
    adjusted = dict(zip((v.id for v in asked), holm([_p_value(v) for v in asked]), strict=True))
    lost = [v.id for v in decided if adjusted[v.id] > 1 - (v.level or _LEVEL)]
    said = (
        f"Each claim is judged by itself. With all {len(asked)} as one family (Holm), "
        f"{len(decided) - len(lost)} of the {len(decided)} decided at their reference settings stay decided"
    )
    return f"{said}; not so: {', '.join(lost)}." if lost else f"{said}."


def _p_value(verdict: Verdict) -> float:
    """Of the side to which the share deviates, as large as its look's part of the error makes it."""
    found = verdict.reference
    below = float(bdtr(found.held, found.applicable, found.required))
    above = float(bdtrc(found.held - 1, found.applicable, found.required)) if found.held else 1.0
    return min(1.0, min(below, above) * (1 - (verdict.level or _LEVEL)) / (1 - found.level))
