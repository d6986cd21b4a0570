"""How large an effect is, in words: against what the claim asks for, and on a scale that a reader knows."""

import re
from collections.abc import Callable
from math import exp, pi

from spikecheck.core.judgement import Judgement
from spikecheck.core.setting import Setting
from spikecheck.report.estimates import of_average, shown_average
from spikecheck.report.phrases import percent
from spikecheck.stats.prediction import Average, Estimand

_TO_ALIKE = 1 - 2 / pi
"""Mean |cos| between random directions of two numbers is 2/pi; of directions that are all alike, 1."""


def size_in_words(judgement: Judgement, predicts: Estimand | None = None) -> str:
    """The average effect beside what is asked of it, and on its unit's scale where that has one; empty without numbers."""
    which = shown_average(judgement, predicts)
    estimate, _, _ = of_average(judgement.effect, which)
    if not judgement.applicable or estimate is None:
        return ""
    asked_of = predicts if judgement.required is None and isinstance(predicts, Average) else None
    beside = "" if asked_of is None else _against(estimate, asked_of)
    scale = on_its_scale(estimate, judgement.effect.unit, judgement.setting)
    return "; ".join(filter(None, (f"{which} {estimate:.3g}", beside, scale)))


def on_its_scale(estimate: float, unit: str, setting: Setting) -> str:
    """An average on the scale of its unit; empty where that is not known."""
    if "mean |cos|" in unit and setting.problem != "sines":
        return ""  # random directions of more numbers are closer to right angles
    return next((says(estimate) for pattern, says in _SCALES if re.search(pattern, unit)), "")


def _against(estimate: float, predicts: Average) -> str:
    """The estimate in multiples of what is worth a claim, or beside its limits."""
    if not predicts.worth:
        limits = "within" if predicts.beyond(estimate) >= 0 else "beyond"
        return f"{limits} its {'limit' if None in (predicts.floor, predicts.ceiling) else 'limits'}"
    limit = next(limit for limit in (predicts.floor, predicts.ceiling) if limit is not None)
    beyond = estimate - limit if predicts.floor is not None else limit - estimate
    if beyond <= 0:
        return f"on the wrong side of {limit:g}"
    times = beyond / predicts.worth
    written = f"{times:.2g}" if times < 100 else f"{times:,.0f}"
    return f"{written} times the least that is worth a claim"


_SCALES: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("mean .cos.", lambda x: f"{percent(x / _TO_ALIKE)} of what lies between random directions and all alike"),
    ("^log ratio", lambda x: f"a factor of {exp(x):.3g}"),
    ("log10", lambda x: f"a factor of {10**x:.3g}"),
    ("Spearman rho", lambda _: "on a scale from -1 to 1, where 0 is no relation"),
    ("share of pairs", lambda _: "0.5 is a coin's"),
    (r"rightly \(1\) or wrongly", lambda x: f"right in {percent((1 + x) / 2)} of the runs"),
    ("over (its|the) threshold|over 2/lr", lambda _: "1 is the threshold"),
    ("multiplier", lambda _: "at 1 nothing grows or shrinks"),
    ("last .* over first", lambda _: "1 is no change"),
    ("share", lambda x: f"{percent(x)} of the whole"),
)
"""What a unit says to a reader, by what stands in it; the first that fits."""
