"""Planted answers to why a loss spiked: what reports and sentences say must not depend on a training."""

from typing import Any

from spikecheck.core.why import Answer, ArmResult, Cause, Effect, Fall, Fork, LayerSign, Outcome, Ranked, Signs, Spike
from spikecheck.why.words import notes, sentence

HOSTILE = '\x1b[31m"><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 * 7 }} $\\frac \u202e'


def fork(number: int, height: float, *, removed: bool | None) -> Fork:
    losses = tuple(1.0 + (height / 10 if 30 <= step < 36 else 0.0) for step in range(60))
    return Fork(number=number, height=height, spikes=not removed, removed=removed, late=1.0, losses=losses)


def arm(name: str, effect: Effect, cause: str | None, *, height: float = 20.0, **other: Any) -> ArmResult:
    removed = None if cause is None else effect is Effect.REMOVES
    made = () if effect is Effect.NOT_APPLICABLE else tuple(fork(n, height, removed=removed) for n in range(4))
    figures = {"hits": len(made) if removed is not False else 0, "height": height if made else None, "cost": 0.01}
    return ArmResult(name=name, question=f"{name}?", cause=cause, effect=effect, forks=made, **figures | other)


def answer(name: str = "half the rate", **changes: Any) -> Answer:
    arms = (
        arm("placebo", Effect.LEAVES, None, cost=None),
        arm(name, Effect.REMOVES, Cause.LAG, height=0.3, claimed=True, p=0.004, p_holm=0.01, remedy=f"use {name}"),
        arm("other batches", Effect.LEAVES, Cause.DATA),
        arm("float32", Effect.NOT_APPLICABLE, Cause.ROUNDING, reason=f"because {name}", cost=None),
    )
    given: dict[str, Any] = {
        "outcome": Outcome.CAUSE,
        "sentence": "",
        "cause": Cause.LAG,
        "causes": (Ranked(cause=Cause.LAG, arms=(name,)),),
        "spike": Spike(onset=130, peak=133, over=136, height=20.0, level=1.0, spread=0.1, loss=3.0, benign=False),
        "start": 100,
        "end": 160,
        "arms": arms,
        "signs": Signs(
            overshoot=1.3,
            overshoots=tuple((step, 0.5 + step / 200) for step in range(100, 130)),
            layers=(LayerSign(name=f"layer {name}", surprise=14.0, usual=1.0),),
        ),
        "losses": tuple((step, 1.0 if step % 7 else None) for step in range(40, 160)),
        "command": f"spikecheck diagnose --workload {name}",
        "environment": {"spikecheck": "0.2.0", "name": name},
    }
    whole = Answer(**given | changes)
    return whole.model_copy(update={"sentence": sentence(whole), "notes": notes(whole)})


EMPTY = Answer(outcome=Outcome.NO_SPIKE, sentence="No loss spike.")
FORMS = [
    answer(),
    answer(losses=()),
    answer(fall=Fall(step=100, earlier=2.0, between=1.0, now=2.1)),
    answer(signs=Signs(missing="nothing could be watched")),
    answer(outcome=Outcome.NO_CAUSE, cause=None, causes=()),
    answer(outcome=Outcome.STOPPED, arms=(), cause=None, causes=()),
    answer(losses=tuple((step, step - 80.0) for step in range(40, 160))),
    EMPTY,
]
