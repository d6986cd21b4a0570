"""The answer as a sentence: the cause first, then the counts that show it."""

from collections.abc import Sequence

from spikecheck.core.why import Answer, Cause, Effect, Outcome, Ranked, Signs
from spikecheck.why.arms import LEFT_OUT

_SAYS = {
    Cause.DATA: "the batches of these steps made it",
    Cause.SCHEDULE: "a change of the learning rate made it",
    Cause.MOMENTUM: "momentum carried the weights too far",
    Cause.ROUNDING: "lower precision made it",
    Cause.LAG: "the step was too large for the curvature, because the optimizer's second moment lagged",
    Cause.CURVATURE: "the step was too large for the curvature",
}


def sentence(answer: Answer) -> str:
    """What is said first."""
    where = "" if answer.spike is None else f"Step {answer.spike.onset:,}: "
    if answer.outcome is Outcome.CAUSE:
        return f"{where}{_because(answer.causes[0], answer)}. {_counts(answer)}"
    if answer.spike is not None and answer.outcome in _NEEDS_NO_CAUSE:
        return where + _NEEDS_NO_CAUSE[answer.outcome]
    if answer.highest is not None and answer.highest[1] > _WORTH_ASKING:
        return f"{_OTHERWISE[answer.outcome]} {_asks(*answer.highest)}"
    if answer.outcome is Outcome.STOPPED and answer.causes:
        return f"{where}stopped before every arm was judged; so far: {_because(answer.causes[0], answer)}. {_counts(answer)}"
    return where + _OTHERWISE[answer.outcome]


_WORTH_ASKING = 3.0
"""Spreads of an excursion, mean of five losses, that a user is told of though the detector raises no alarm."""
_OTHERWISE = {
    Outcome.NO_SPIKE: "No loss spike.",
    Outcome.BENIGN: "Only benign spikes: each was over in a few steps and cost nothing.",
    Outcome.NO_CAUSE: "no cause could be told: no arm removes the spike.",
    Outcome.CHAOTIC: "no cause could be told: with weights nudged by 1e-6 the spike does not come again, so no arm can be "
    "judged by its absence.",
    Outcome.NOT_REPRODUCIBLE: "no cause could be told: run again from the same state, the training does not spike again.",
    Outcome.STOPPED: "stopped before every arm was judged; nothing can be told yet.",
}
_NEEDS_NO_CAUSE = {
    Outcome.BENIGN: "a benign spike. The loss was back within three steps and then no higher than before; weights that are "
    "displaced stay so for longer, so it is the loss of these steps alone that was high.",
    Outcome.NO_SPIKE: "no spike. The loss rises here by less than twice what its noise had reached in the steps before, and "
    "the detector raises no alarm; a cause could not be told from chance.",
}
"""Of a spike at a step that a user names."""


def _asks(step: int, height: float) -> str:
    return (
        f"The highest excursion, {height:.1f} spreads at step {step:,}, is within what the detector allows a run of this "
        f"length; --at-step {step} asks why."
    )


def notes(answer: Answer) -> tuple[str, ...]:
    """What the answer cannot tell, and what it rests on."""
    spike = answer.spike
    if spike is None:
        return ()
    told = {
        "A cause that lies before the fork is out of reach of every arm.": answer.start is not None,
        "The spike lies so early that forks begin with the training itself.": answer.start == 0,
        f"Made again, the training differs from step {answer.differs_at} on; see spikecheck.watch.replay, and torch's page on "
        "reproducibility.": answer.differs_at is not None,
        f"Before the spike nothing was watched: {answer.signs.missing}.": bool(answer.signs.missing),
        "The training ends before the excursion does.": spike.over is None,
    }
    return tuple(sentence for sentence, applies in told.items() if applies)


def _because(first: Ranked, answer: Answer) -> str:
    says = _SAYS.get(Cause(first.cause), first.cause) if first.cause in frozenset(Cause) else first.cause
    if first.cause == Cause.DATA and answer.batches is not None:
        says = _batches(first, answer, answer.batches)
    return says + (_layer(answer.signs) if first.cause == Cause.LAG else "")


def _batches(first: Ranked, answer: Answer, left_out: tuple[int, int]) -> str:
    """Which ones: those left out, or, where only other batches remove the spike, some since the forks begin."""
    if LEFT_OUT.name in first.arms or answer.spike is None:
        return f"the batches of steps {left_out[0]:,} to {left_out[1]:,} made it"
    return f"the batches from step {answer.start:,} on made it, and not only the last before the spike"


def _layer(signs: Signs) -> str:
    layer = signs.lagging
    return "" if layer is None else f" (layer {layer.name}, |g|/√v {layer.surprise:.2g})"


def _counts(answer: Answer) -> str:
    placebo = answer.arm("placebo")
    parts = [
        *(f"{_listed(names)} {_verb(names)} {count} forks" for count, names in _by_count(answer, Effect.REMOVES)),
        *(f"{_listed(names)} {_not(names)} ({count})" for count, names in _by_count(answer, Effect.LEAVES)),
        f"the placebo spikes in {placebo.hits} of {len(placebo.forks)}",
    ]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _by_count(answer: Answer, effect: Effect) -> list[tuple[str, list[str]]]:
    """Names of the arms with this effect, those with the same counts together."""
    by_count: dict[str, list[str]] = {}
    for arm in answer.arms:
        if arm.tested and arm.effect is effect:
            by_count.setdefault(f"{arm.hits} of {len(arm.forks)}", []).append(arm.name)
    return list(by_count.items())


def _verb(names: Sequence[str]) -> str:
    if len(names) > 1:
        return "each remove it in"
    return "remove it in" if _several(names) else "removes it in"


def _not(names: Sequence[str]) -> str:
    return "do not" if _several(names) else "does not"


def _several(names: Sequence[str]) -> bool:
    """Whether a verb after them is in the plural: "other batches" is."""
    return len(names) > 1 or "batches" in names[0]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
