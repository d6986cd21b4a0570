"""Which part makes the larger share of a rise, on seeds that nothing else looks at."""

import numpy as np

from spikecheck.why.spikes import Run
from studies.fixed_fresh import SEEDS, fresh, fresh_table
from studies.fixed_stretches import FixedCell
from tests.studies.test_fixed_page import fixed


def run_of(seed: int) -> Run:
    """Noise; of the first two seeds with a rise of twenty steps."""
    losses = np.random.default_rng(seed).normal(2.0, 0.1, 1_000)
    if seed < SEEDS.start + 2:
        losses[600:620] += 1.0
    return Run(0, list(losses))


def test_every_first_spike_and_two_stretches_before_it() -> None:
    made = list(fresh("k", run_of))
    assert [(one.seed, one.what) for one in made] == [
        (seed, what)
        for seed in (SEEDS.start, SEEDS.start + 1)
        for what in ("spike, fresh seed", "quiet, fresh seed", "quiet, fresh seed")
    ]
    assert made[0].onset == 600
    assert made[1].onset == 600 - 64 - (made[0].peak - 600)


def cells(what: str, *slopes: float) -> list[FixedCell]:
    return [fixed(seed, slope, what) for seed, slope in enumerate(slopes)]


def test_parts_are_compared() -> None:
    spikes = cells("spike, fresh seed", *[-0.05 - 0.01 * place for place in range(8)])
    quiet = cells("quiet, fresh seed", *[0.1 + 0.01 * place for place in range(8)])
    text = fresh_table([*spikes, *quiet])
    assert "| spike, fresh seed | 8 | 8 | 8 of 8: 100 % (63 to 100) | 1.11, 1.22, 1.27 |" in text
    assert "| quiet, fresh seed | 8 | 8 | 0 of 8: 0 % (0 to 37) |" in text
    assert "The part is larger in spikes: p = 7.8e-05" in text
    assert "The part is not shown to be larger in spikes" in fresh_table([*cells("spike, fresh seed", 0.1), *quiet])
    assert "Nothing to compare." in fresh_table(quiet)


def test_a_rise_that_is_not_beyond_the_usual_has_no_part() -> None:
    still = fixed(0, 0.0, "spike, fresh seed")
    calm = still.model_copy(update={"steps": tuple(one for one in still.steps if one.step < 97)})
    falling = [one.model_copy(update={"after": one.loss * 0.9}) if one.step >= 92 else one for one in calm.steps]
    text = fresh_table([calm.model_copy(update={"steps": tuple(falling[:57])}), *cells("quiet, fresh seed", 0.1)])
    assert "| spike, fresh seed | 1 | 0 |" in text
