"""Estimates in words: the share of seeds that held, the average effect, and which of the two decides."""

from math import isfinite
from typing import Literal

from spikecheck.core.judgement import ConditionJudged, Effect, Judgement, Outcome
from spikecheck.report.phrases import percent
from spikecheck.report.quoted import read_rule
from spikecheck.report.sanitize import inert
from spikecheck.stats.prediction import Average, Estimand

Decider = Literal["share", "mean", "median"]


def decider(judgement: Judgement, predicts: Estimand | None = None) -> Decider:
    """What decides: the share, the mean or the median. An equivalence without a known rule is taken to be about the mean."""
    if judgement.estimand == "equivalence":
        return predicts.of if isinstance(predicts, Average) else "mean"
    return judgement.estimand


def shown_average(judgement: Judgement, predicts: Estimand | None = None) -> Literal["mean", "median"]:
    """The average shown next to the share: the deciding one, or the mean if the share decides."""
    which = decider(judgement, predicts)
    if which != "share":
        return which
    return "median" if judgement.effect.mean is None else "mean"


def decides(judgement: Judgement, predicts: Estimand | None = None) -> str:
    """What decides, its requirement, and the confidence level of each bound."""
    sure = f"each bound at {percent(judgement.level)}"
    if judgement.required is not None:
        return f"the share of seeds, which must be at least {percent(judgement.required)}; {sure}"
    return f"the {decider(judgement, predicts)}{requirement(predicts)}; {sure}"


def requirement(predicts: Estimand | None) -> str:
    """The requirement on an average, as a clause; empty if the rule is not known."""
    if not isinstance(predicts, Average):
        return ""
    return f"; both bounds must be {predicts.bounds('').strip()} {predicts.worth_says}".rstrip()


def counts(judgement: Judgement) -> str:
    """How many seeds held, and the interval of the true share."""
    if not judgement.drawn:
        return "not judged yet"
    if not judgement.applicable:
        if judgement.numerical_failures:
            return f"none of the {judgement.drawn} trained gave an answer: {judgement.numerical_failures} numerical failures"
        return f"none of the {judgement.drawn} trained met the precondition"
    return (
        f"held in {judgement.held} of {judgement.applicable} applicable ({judgement.drawn} trained): "
        f"share {percent(judgement.low)} to {percent(judgement.high)}"
    )


def effect(measured: Effect) -> str:
    """An effect's mean and median with their bounds; only the median for old reports without a mean."""
    said = [average(measured, "mean"), average(measured, "median")]
    return f"{inert(measured.unit)}: {', '.join(filter(None, said)) or 'not measured'}"


def average(measured: Effect, which: Decider) -> str:
    """The name of an average, its estimate and its bounds; empty if there is no estimate.

    >>> average(Effect(unit="gain", median=0.0412, low=0.02, high=0.0631), "median")
    'median 0.0412 (0.02 to 0.0631)'
    """
    estimate = estimated(measured, which)
    return f"{which} {estimate}" if estimate else ""


def estimated(measured: Effect, which: Decider) -> str:
    """An average's estimate and its bounds; empty if there is no estimate."""
    estimate, low, high = of_average(measured, which)
    return "" if estimate is None else bounded(estimate, low, high)


def of_average(measured: Effect, which: Decider) -> tuple[float | None, float | None, float | None]:
    """Estimate, lower and upper bound of an average; of the median if `which` is the share."""
    if which == "mean":
        return measured.mean, measured.mean_low, measured.mean_high
    return measured.median, measured.low, measured.high


def bounded(estimate: float, low: float | None, high: float | None) -> str:
    """An estimate with two bounds, or with the remark that there are too few seeds for bounds."""
    if low is None or high is None or not (isfinite(low) and isfinite(high)):
        return f"{estimate:.3g} (too few seeds for bounds)"
    return f"{estimate:.3g} ({low:.3g} to {high:.3g})"


def brief(judgement: Judgement, predicts: Estimand | None = None, seeds: str = "") -> str:
    """Share and average in a few words; the deciding one comes first.

    Args:
        judgement: the counts and the effect.
        predicts: the claim's rule, if known.
        seeds: written after the counts, such as " seeds".
    """
    share = f"{judgement.held} of {judgement.applicable}{seeds}"
    mean = average(judgement.effect, shown_average(judgement, predicts))
    return ", ".join(filter(None, (mean, share) if judgement.required is None else (share, mean)))


def average_in_brief(judgement: Judgement, predicts: Estimand | None = None) -> str:
    """The deciding average, or the mean if a share decides, without bounds: for tables."""
    shown = shown_average(judgement, predicts)
    estimate, _, _ = of_average(judgement.effect, shown)
    return "" if estimate is None else f"{shown} {estimate:.3g}"


def condition(judged: ConditionJudged) -> str:
    """A further average that the claim requires, with its requirement and outcome."""
    predicts = read_rule(judged.predicts)
    said = f"{judged.outcome}: {effect(judged.effect)}, in {judged.applicable} seeds"
    if isinstance(predicts, Average):
        return f"{said}; the {predicts.of} decides{requirement(predicts)}"
    return f"{said}; {inert(judged.rule)}"


def to_decide(judgement: Judgement) -> str:
    """How many seeds would decide an undecided judgement; empty if it is decided or no number is known."""
    needed = judgement.would_decide
    if judgement.outcome is not Outcome.UNDECIDED or needed is None or needed <= judgement.drawn:
        return ""
    return f"about {needed:,} seeds would decide if share and spread stay as they are"
