"""The size of an effect in words: relative to the claim's requirement, and on a familiar scale."""

import re
from collections.abc import Callable
from math import exp, pi

from spikecheck.core.judgement import Judgement
from spikecheck.core.setting import Setting
from spikecheck.report.estimates import of_average, shown_average
from spikecheck.report.phrases import percent
from spikecheck.stats.prediction import Average, Estimand

_RANDOM_TO_PARALLEL = 1 - 2 / pi
"""Distance from random to parallel directions: in the plane the mean |cos| of random ones is 2/pi, that of parallel ones 1."""


def size_in_words(judgement: Judgement, predicts: Estimand | None = None) -> str:
    """The average effect, its size relative to the requirement, and on its unit's scale; empty without numbers."""
    which = shown_average(judgement, predicts)
    estimate, _, _ = of_average(judgement.effect, which)
    if not judgement.applicable or estimate is None:
        return ""
    relative = ""
    if judgement.required is None and isinstance(predicts, Average):
        relative = _against(estimate, predicts)
    scale = on_its_scale(estimate, judgement.effect.unit, judgement.setting)
    return "; ".join(filter(None, (f"{which} {estimate:.3g}", relative, scale)))


def on_its_scale(estimate: float, unit: str, setting: Setting) -> str:
    """An average on the scale of its unit; empty if the unit has no known scale."""
    if "mean |cos|" in unit and setting.problem != "sines":
        return ""  # in more than two dimensions random directions have a smaller |cos|
    return next((says(estimate) for pattern, says in _SCALES if re.search(pattern, unit)), "")


def _against(estimate: float, predicts: Average) -> str:
    """The estimate in multiples of the smallest effect worth a claim, or whether it is within the limits."""
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
    ("mean .cos.", lambda x: f"{percent(x / _RANDOM_TO_PARALLEL)} of the way from random directions to parallel ones"),
    ("^log ratio", lambda x: f"a factor of {exp(x):.3g}"),
    ("log10", lambda x: f"a factor of {10**x:.3g}"),
    ("Spearman rho", lambda _: "on a scale from -1 to 1, where 0 is no relation"),
    ("share of pairs", lambda _: "0.5 is chance"),
    (r"rightly \(1\) or wrongly", lambda x: f"right in {percent((1 + x) / 2)} of the runs"),
    ("over (its|the) threshold|over 2/lr", lambda _: "1 is the threshold"),
    ("multiplier", lambda _: "at 1 nothing grows or shrinks"),
    ("last .* over first", lambda _: "1 is no change"),
    ("share", lambda x: f"{percent(x)} of the whole"),
)
"""Explanations of units, by regular expression; the first match counts."""
