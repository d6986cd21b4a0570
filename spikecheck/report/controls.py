"""What the controls of an answer did, and whether they did what they must."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from spikecheck.core.judgement import Answer, Judgement, Outcome
from spikecheck.report.estimates import average, bounded, brief, condition, shown_average
from spikecheck.report.phrases import percent, plural
from spikecheck.stats.prediction import Estimand


class Mark(StrEnum):
    """Whether a control did what it must."""

    GOOD = "good"
    BAD = "bad"
    UNCLEAR = "unclear"
    PLAIN = "plain"
    """No outcome depends on it."""


@dataclass(frozen=True)
class ControlResult:
    """What a control did, with its mark and its figures; the figures may be empty."""

    mark: Mark
    finding: str
    figures: str = ""

    @property
    def text(self) -> str:
        """Finding and figures in one line, without the mark."""
        return ": ".join(filter(None, (self.finding, self.figures)))


SIGNS = {Mark.GOOD: ("✓", "+"), Mark.BAD: ("✗", "x"), Mark.UNCLEAR: ("?", "?"), Mark.PLAIN: ("", "")}
"""The sign of each mark, in Unicode and in ASCII."""


def signed(result: ControlResult, *, ascii_only: bool = False) -> str:
    """The finding, preceded by its sign.

    >>> signed(ControlResult(Mark.GOOD, "failed, as it must"), ascii_only=True)
    '+ failed, as it must'
    """
    return f"{SIGNS[result.mark][ascii_only]} {result.finding}".strip()


def negative(answer: Answer, predicts: Estimand | None = None) -> ControlResult:
    """What the negative control did. `predicts` is the claim's rule, if known."""
    control = answer.control
    if control is None or not control.drawn:
        return ControlResult(Mark.UNCLEAR, "not reached")
    figures = _figures(control, predicts)
    exceeded = answer.contrast is not None and answer.contrast.outcome is Outcome.HOLDS
    match control.outcome:
        case Outcome.FAILS:
            return ControlResult(Mark.GOOD, "failed, as it must", figures)
        case Outcome.HOLDS:
            return ControlResult(Mark.BAD, "HELD, which it must not", figures)
        case Outcome.UNTRIGGERED:
            return ControlResult(Mark.BAD, "never triggered", f"applicable in {plural(control.applicable, 'seed')}")
        case _:
            return ControlResult(Mark.PLAIN if exceeded else Mark.UNCLEAR, "has not clearly failed", figures)


def also_negative(answer: Answer, predicts: Estimand | None = None) -> Iterator[tuple[str, ControlResult]]:
    """Each further negative control with its description: the conditions it fails, or by how much the claim exceeds it."""
    for control in answer.also_not:
        failed = [condition(one) for one in control.judgement.conditions if one.outcome is Outcome.FAILS]
        if failed:
            yield control.says, ControlResult(Mark.GOOD, "failed, as it must", "; ".join(failed))
            continue
        alone = answer.model_copy(update={"control": control.judgement, "contrast": control.contrast})
        result = negative(alone, predicts)
        yield control.says, ControlResult(result.mark, result.finding, f"{result.figures}; exceeded by {excess(alone)}")


def contrasted(answer: Answer) -> ControlResult | None:
    """By how much the claim exceeds its negative control; None if this was not measured."""
    contrast = answer.contrast
    if contrast is None:
        return None
    decisive = answer.judgement.outcome is Outcome.HOLDS
    if contrast.estimate is None:
        few = (
            f"only {plural(contrast.pairs, 'seed')} to which both claim and negative control apply: too few to compare"
        )
        return ControlResult(Mark.BAD if decisive else Mark.PLAIN, few)
    marks = {Outcome.HOLDS: Mark.GOOD, Outcome.FAILS: Mark.BAD, Outcome.UNDECIDED: Mark.UNCLEAR}
    mark = marks.get(contrast.outcome, Mark.PLAIN) if decisive or contrast.outcome is Outcome.HOLDS else Mark.PLAIN
    return ControlResult(mark, f"exceeds its negative control by {excess(answer)}; must exceed {contrast.margin:.3g}")


def excess(answer: Answer) -> str:
    """The estimated excess over the negative control, with its bounds; empty if there is none."""
    contrast = answer.contrast
    return (
        "" if contrast is None or contrast.estimate is None else bounded(contrast.estimate, contrast.low, contrast.high)
    )


def planted(answer: Answer, predicts: Estimand | None = None) -> ControlResult | None:
    """What the positive control did: it plants an effect that must be found. None if it was not run."""
    control = answer.positive
    if control is None or not control.drawn:
        return None
    figures = _average(control, predicts)
    counted = f"{control.held} of {control.applicable}"
    match control.outcome:
        case Outcome.HOLDS:
            return ControlResult(Mark.GOOD, f"planted effect found in {counted}", figures)
        case Outcome.FAILS:
            return ControlResult(Mark.BAD, f"planted effect NOT found: in {counted}", figures)
        case Outcome.UNTRIGGERED:
            return ControlResult(
                Mark.UNCLEAR, f"planted effect could not be judged: applicable in {control.applicable} seeds"
            )
        case _:
            return ControlResult(Mark.UNCLEAR, f"planted effect not clearly found: in {counted}", figures)


def in_brief(answer: Answer, predicts: Estimand | None = None) -> Iterator[str]:
    """The controls, in a few words each."""
    control, positive = answer.control, answer.positive
    if control is not None and control.drawn:
        exceeded = f", exceeded by {excess(answer)}" if excess(answer) else ""
        yield f"negative control {control.held} of {control.applicable}{exceeded}"
    if answer.also_not:
        failed = sum(other.judgement.outcome is Outcome.FAILS for other in answer.also_not)
        yield f"{failed} of {plural(len(answer.also_not), 'further control')} failed"
    if positive is not None and positive.drawn:
        yield f"planted effect in {brief(positive, predicts)}"


def _figures(judgement: Judgement, predicts: Estimand | None) -> str:
    share = f"share {percent(judgement.low)} to {percent(judgement.high)}"
    counted = f"{judgement.held} of {judgement.applicable} seeds held, {share}"
    return "; ".join(filter(None, (counted, _average(judgement, predicts))))


def _average(judgement: Judgement, predicts: Estimand | None) -> str:
    return average(judgement.effect, shown_average(judgement, predicts))
