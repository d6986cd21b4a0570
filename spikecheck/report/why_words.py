"""The figures of an answer in words, shared by terminal, Markdown and web page."""

from collections.abc import Sequence

from spikecheck.core.why import HIGHEST, Answer, ArmResult, Effect, Outcome
from spikecheck.report.sanitize import inert
from spikecheck.watch.numbers import short

COLUMNS = ("arm", "effect", "forks", "95 %", "height", "p", "cost")
STYLES = {
    Effect.REMOVES: "bold green",
    Effect.LEAVES: "",
    Effect.UNDECIDED: "yellow",
    Effect.NOT_APPLICABLE: "dim",
}
MEANING = (
    "Arm: the one thing that a fork of the training changes; the placebo changes the weights by a millionth and nothing else. "
    "Forks: how many no longer spike (of the placebo: how many do), with the 95 % interval of that share. Height: mean of "
    "five losses above the level before the spike, in spreads (robust standard deviations of the losses before), median over "
    "forks. p: of removing it no more often than the placebo, after Holm's correction over the arms that apply. Cost: median "
    "of the last losses less that of the placebo; negative where the arm ends lower."
)


_RATIO = (
    "Gradient over the root of the optimizer's second moment, |g|/√v, in the layers where it rose most; far above its earlier "
    "value, the second moment lags behind:"
)


def cells(arm: ArmResult) -> tuple[str, ...]:
    """A row of the table; a name in full."""
    if arm.effect is Effect.NOT_APPLICABLE:
        return (inert(arm.name), arm.effect.value, "", "", "", "", "")
    interval = f"{100 * arm.low:.0f}-{100 * arm.high:.0f} %" if arm.forks else ""
    p = f"{arm.p_holm:.2g}" if arm.tested and arm.forks else ""
    cost = "" if arm.cost is None else f"{arm.cost:+.2g}"
    return (inert(arm.name), effect_of(arm), f"{arm.hits} of {len(arm.forks)}", interval, height_of(arm), p, cost)


def effect_of(arm: ArmResult) -> str:
    """What it did; the placebo is no remedy, and spikes or does not."""
    if arm.tested:
        return arm.effect.value
    return "spikes again" if arm.effect is Effect.LEAVES else "not decided"


def height_of(arm: ArmResult) -> str:
    """Its median height."""
    if arm.height is None:
        return ""
    return "1e6 or more" if arm.height >= HIGHEST else _three_digits(arm.height)


def _three_digits(height: float) -> str:
    """Without an exponent.

    >>> _three_digits(-1.714), _three_digits(1_014.2), _three_digits(265.4)
    ('-1.71', '1,010', '265')
    """
    rounded = float(f"{height:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100.0 else f"{rounded:.3g}"


def spike_says(answer: Answer) -> str:
    """The spike itself, in a line."""
    spike = answer.spike
    if spike is None:
        return ""
    high = "not finite"
    if spike.loss is not None:
        high = f"{spike.loss:.4g}, {spike.height:.3g} spreads above its level before of {spike.level:.4g}"
    over = "it did not come back" if spike.over is None else f"it was back at step {spike.over:,}"
    return f"At step {spike.peak:,} the loss was {high}; {over}."


def forks_say(answer: Answer) -> str:
    """Where the forks were."""
    if answer.start is None or answer.end is None:
        return ""
    forks = sum(len(arm.forks) for arm in answer.arms)
    return f"{forks} forks of steps {answer.start:,} to {answer.end - 1:,} took {answer.seconds:.0f} s."


def overshoot_says(answer: Answer) -> str:
    """What was watched before the spike."""
    signs = answer.signs
    if signs.overshoot is None:
        return ""
    edge = "above 1: the steps raised their own batch's loss" if signs.unstable else "below 1: the steps were stable"
    return f"Overshoot of the 8 steps before the onset: {short(signs.overshoot, 2)}, {edge}."


def layers_say(answer: Answer, most: int) -> list[str]:
    """The layers whose second moment lagged most, under a line that says what the figures are."""
    layers = [
        f"{inert(layer.name)}: |g|/√v {short(layer.surprise, 2)} before the onset, at most {short(layer.usual, 2)} earlier"
        for layer in answer.signs.layers[:most]
    ]
    return [_RATIO, *layers] if layers else []


def remedies_say(answer: Answer) -> list[str]:
    """What was tried and removes the spike, the cheapest first."""
    return [
        f"{inert(arm.remedy)}: the spike is gone in {arm.hits} of {len(arm.forks)} forks{_ending(arm.cost)}"
        for arm in answer.remedies
    ]


def _ending(cost: float | None) -> str:
    if cost is None:
        return ""
    if cost == 0.0:
        return ", and the loss ends as the placebo's does"
    return f", and the loss ends {abs(cost):.2g} {'higher' if cost > 0.0 else 'lower'} than the placebo's"


def not_applying(answer: Answer) -> list[str]:
    """Arms that do not apply, with the reason."""
    return [f"{inert(arm.name)}: {inert(arm.reason)}" for arm in answer.arms if arm.reason]


def overlaid(answer: Answer) -> Sequence[ArmResult]:
    """Arms whose forks are drawn: the placebo, and the first arm of the cause."""
    if not answer.causes:
        return [arm for arm in answer.arms[:1] if arm.forks]
    return [answer.arm("placebo"), answer.arm(answer.causes[0].arms[0])]


def is_told(answer: Answer) -> bool:
    """Whether a cause is named."""
    return answer.outcome is Outcome.CAUSE
