"""The table of losses before the onset, over those of the placebo."""

from spikecheck.core.why import Answer, ArmResult, Effect, Fork, Outcome, Spike
from studies.calm_before import calm_table
from studies.spontaneous_page import Cell


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


def test_the_table() -> None:
    cells = [
        Cell(kind="a", seed=3, steps=200, onset=164, answer=answer(placebo=forks(2.0), half_the_rate=forks(1.0))),
        Cell(kind="a", seed=4, steps=200, onset=None),
    ]
    rows = list(calm_table(cells))
    assert "| a | 3 | 0.50 | - | - | - |" in rows
    assert sum(row.startswith("| a |") for row in rows) == 1
