"""Forks written down by hand, and an answer made of them."""

from spikecheck.core.why import Answer, ArmResult, Effect, Fork, Outcome, Spike


def forks(*levels: float) -> tuple[Fork, ...]:
    """Of 100 losses: 9.0 for the first 16 steps and from 8 before the onset on, and a level between."""
    return tuple(
        Fork(
            number=number,
            height=1.0,
            spikes=True,
            removed=None,
            late=1.0,
            losses=(9.0,) * 16 + (level,) * 40 + (9.0,) * 44,
        )
        for number, level in enumerate(levels)
    )


def answer(**arms: tuple[Fork, ...]) -> Answer:
    made = [
        ArmResult(name=name.replace("_", " "), question="?", cause=None, effect=Effect.REMOVES, forks=own)
        for name, own in arms.items()
    ]
    spike = Spike(onset=164, peak=166, over=170, height=9.0, level=1.0, spread=0.1, loss=2.0, benign=False)
    return Answer(outcome=Outcome.NO_CAUSE, sentence="", spike=spike, start=100, arms=tuple(made))
