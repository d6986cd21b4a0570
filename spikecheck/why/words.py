"""The answer as a sentence: the cause first, then the counts that show it.

Nothing here decides anything, so sentences can be changed without another evaluation of the diagnosis.
"""

from collections.abc import Sequence

from spikecheck.core.why import Answer, Cause, Effect, Outcome, Ranked, Signs
from spikecheck.watch.numbers import short
from spikecheck.why.arms import LEFT_OUT, OTHER_BATCHES
from spikecheck.why.calm import calm_before, removes_any

_CAUSED_BY = {
    Cause.SCHEDULE: "a change of the learning rate",
    Cause.MOMENTUM: "momentum, which carried the weights too far",
    Cause.ROUNDING: "computing in lower precision",
    Cause.LAG: "steps too large for the curvature, because the optimizer's second moment lagged behind the gradients",
    Cause.DECAYED: "steps too large for the curvature, because the optimizer's second moment had become too small: small "
    "gradients let it fall, and eps did not bound the step",
    Cause.CURVATURE: "steps too large for the curvature",
}


def sentence(answer: Answer) -> str:
    """What is said first."""
    spike = "" if answer.spike is None else f"loss spike at step {answer.spike.onset:,}"
    if answer.outcome is Outcome.CAUSE and answer.fall is not None:
        had_fallen = (
            f"It had fallen from about step {answer.fall.step:,} on because of {_causing(answer.causes[0], answer)}."
        )
        return f"The {spike} is the loss back at its earlier level. {had_fallen} {_counts(answer)}"
    if answer.outcome is Outcome.CAUSE:
        return f"The {spike} was caused by {_causing(answer.causes[0], answer)}. {_counts(answer)}"
    if answer.outcome is Outcome.STOPPED and answer.causes:
        so_far = f"So far the arms name {_causing(answer.causes[0], answer)} as the cause of the {spike}."
        return f"The diagnosis was stopped before every arm was judged. {so_far} {_counts(answer)}"
    if answer.spike is None:
        return _without_spike(answer)
    return _without_cause(answer, spike)


_BENIGN = "the loss was high at most three times, and then no higher than before"
_WORTH_ASKING = 3.0
"""Height in spreads, a mean of five losses, from which an excursion is named though the detector raises no alarm."""


def _without_spike(answer: Answer) -> str:
    if answer.outcome is Outcome.BENIGN:
        return f"Every loss spike is benign: {_BENIGN}."
    if answer.highest is None or answer.highest[1] <= _WORTH_ASKING:
        return "No loss spike."
    step, height = answer.highest
    return (
        f"No loss spike. The highest excursion, {short(height)} spreads at step {step:,}, raises no alarm: noise may reach as "
        f"high, or too few losses come before it; --at-step {step} diagnoses it all the same."
    )


def _without_cause(answer: Answer, spike: str) -> str:
    if answer.outcome is Outcome.BENIGN:
        return (
            f"The {spike} is benign: {_BENIGN}. Displaced weights "
            "would have kept it high for longer, so these steps alone had a high loss, and no cause is sought."
        )
    if answer.outcome is Outcome.NO_SPIKE and answer.spike is not None:
        return (
            f"No spike at step {answer.spike.onset:,}: the loss rises by less than twice what its noise had reached in the "
            "steps before, and the detector raises no alarm. A cause could not be told from chance."
        )
    if answer.outcome is Outcome.STOPPED:
        return f"The diagnosis of the {spike} was stopped before every arm was judged; no cause can be named yet."
    return f"No cause can be named for the {spike}: {_reason(answer)}"


def _reason(answer: Answer) -> str:
    if answer.outcome is Outcome.NOT_REPRODUCIBLE:
        return "run again from the same state, the training does not spike again."
    if answer.outcome is Outcome.CHAOTIC:
        placebo = answer.arm("placebo")
        return (
            f"with weights nudged by 1e-6 and nothing else changed, it comes again in {placebo.hits} of {len(placebo.forks)} "
            "forks only, so its absence in a fork with a change shows nothing."
        )
    removing = [arm for arm in answer.arms if arm.tested and arm.effect is Effect.REMOVES]
    if claimed := [arm.name for arm in removing if arm.claimed]:
        return f"what removes it ({', '.join(claimed)}) does not show a cause by itself. {_counts(answer)}"
    if removing:
        names = ", ".join(arm.name for arm in removing)
        return f"it is gone more often with {names} than with the placebo, but that may be chance. {_counts(answer)}"
    return f"none of the changes that were tried removes it. {_counts(answer)}"


def notes(answer: Answer) -> tuple[str, ...]:
    """What the answer cannot tell, and what it rests on."""
    spike, start = answer.spike, answer.start
    if spike is None:
        return ()
    missing = answer.signs.missing.removeprefix("no overshoot: ")
    told = {
        f"Forks begin at step {start or 0:,}: what happened before is the same in all of them, so no arm shows a cause from "
        "before it.": bool(start),
        "The spike lies so early that forks begin with the training itself.": start == 0,
        f"Made again, the training differs from step {answer.differs_at} on; see spikecheck.watch.replay, and torch's page on "
        "reproducibility.": answer.differs_at is not None,
        f"No overshoot is known for the steps before the spike: {missing}.": bool(missing),
        "The training ends before the loss is back.": spike.over is None,
        _calmed(answer): bool(_calmed(answer)),
        _returning(answer): bool(_returning(answer)),
        f"Forks that differ in their weights' last digits alone differ in whether they spike ({_mixed(answer)}): chance has a "
        "part in it, arms need more forks, and a cause is missed more often.": bool(_mixed(answer)),
    }
    return tuple(sentence for sentence, applies in told.items() if applies)


def _returning(answer: Answer) -> str:
    """The levels of a loss that only came back, and what follows from it; empty elsewhere."""
    fall = answer.fall
    if fall is None:
        return ""
    levels = (
        f"The loss is back where it had been: its median was {fall.earlier:.3g} before step {fall.step:,}, {fall.between:.3g} "
        f"from there to the spike, and {fall.now:.3g} since."
    )
    if answer.outcome is Outcome.CAUSE:
        return (
            f"{levels} No arm removes the rise, so arms are compared by the fall: a height is its depth, in spreads, and the "
            "fall is gone where the loss stays at its earlier level."
        )
    return (
        f"{levels} No arm removes the fall either. One batch that is repeated makes the loss fall, and the spike is then the "
        "end of its repetition."
    )


def _calmed(answer: Answer) -> str:
    """That what shows an instability would have removed any spike; empty where some arm shows it by itself, and elsewhere."""
    named = answer.causes[0] if answer.causes and answer.fall is None else None
    if named is None or named.cause not in (Cause.CURVATURE, Cause.LAG, Cause.DECAYED):
        return ""
    if not all(removes_any(answer, arm) for arm in named.arms):
        return ""
    ratios = ", ".join(f"{calm_before(answer, arm):.2g} with {arm}" for arm in named.arms)
    overshoot = answer.signs.overshoot
    descends = (
        ""
        if overshoot is None or overshoot > 1.0
        else f" Most steps just before it lowered the loss of their own batch (median overshoot {short(overshoot, 2)})."
    )
    return (
        f"What removes the spike lowers the loss long before it: to {ratios}, as shares of the placebo's loss. A spike as "
        f"high in proportion would count as removed there too, so shorter steps may only calm the training.{descends}"
    )


def _mixed(answer: Answer) -> str:
    """Arms of which some forks spike and others do not; other batches are more than last digits."""
    mixed = [arm for arm in answer.arms if 0 < arm.hits < len(arm.forks) and arm.name != OTHER_BATCHES.name]
    return ", ".join(f"{arm.name} {arm.hits} of {len(arm.forks)}" for arm in mixed)


def _causing(first: Ranked, answer: Answer) -> str:
    if first.cause == Cause.DATA:
        return _batches(first, answer)
    if first.cause not in frozenset(Cause):
        return first.cause
    return _CAUSED_BY[Cause(first.cause)] + (_layer(answer.signs) if first.cause == Cause.LAG else "")


def _batches(first: Ranked, answer: Answer) -> str:
    """Which ones: some of those left out, or, where only other batches remove the spike, some since the forks begin."""
    if answer.batches is None:
        return "the data"
    if answer.fall is not None:
        return f"the data: batches from step {answer.fall.step:,} on"
    if LEFT_OUT.name in first.arms or answer.start is None:
        return f"the data: batches of steps {answer.batches[0]:,} to {answer.batches[1]:,}"
    return f"the data: batches from step {answer.start:,} on, and not only the last ones before the spike"


def _layer(signs: Signs) -> str:
    layer = signs.lagging
    return "" if layer is None else f" (most in {layer.name}: |g|/√v = {layer.surprise:.2g}, {layer.usual:.2g} before)"


def _counts(answer: Answer) -> str:
    """How often the spike, or the fall before it, is gone with each arm: what removes it first, and the placebo last."""
    start = "" if answer.start is None else f" from step {answer.start:,} on"
    effects = (Effect.REMOVES, Effect.LEAVES, Effect.UNDECIDED)
    parts = [f"in {count} with {names}" for effect in effects for count, names in _by_count(answer, effect)]
    placebo = answer.arm("placebo")
    again = f"with the placebo (weights nudged by 1e-6) it comes again in {placebo.hits} of {len(placebo.forks)}."
    what = "fall" if answer.outcome is Outcome.CAUSE and answer.fall is not None else "spike"
    gone = f"the {what} is gone {'; '.join(parts)}; " if parts else ""
    return f"In forks of the training{start}, {gone}{again}"


def _by_count(answer: Answer, effect: Effect) -> list[tuple[str, str]]:
    """Names of the arms with this effect, those with the same counts together."""
    by_count: dict[str, list[str]] = {}
    for arm in answer.arms:
        if arm.tested and arm.effect is effect and arm.forks:
            by_count.setdefault(f"{arm.hits} of {len(arm.forks)}", []).append(arm.name)
    return [(count, _listed(names)) for count, names in by_count.items()]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
