"""Batch sharpness over its threshold, of courses written down by hand; 2/lr is 20."""

import numpy as np
import pytest

from spikecheck.effects import single_batches
from spikecheck.harness.claim import Trial
from tests.effects.trials import recorded

STEPS = np.arange(0.0, 101.0, 10.0)


def looked(batch: np.ndarray, full: np.ndarray, random: np.ndarray) -> Trial:
    return recorded(
        "batch-sharpness", steps=STEPS, batch_sharpness=batch, sharpness=full[:, None], random_curvature=random
    )


def test_late_medians_are_over_the_second_half_or_another_part() -> None:
    """Of looks 0 to 100: 10 before step 50, 30 at it, 20 behind; the whole course's median is 20."""
    course = np.where(STEPS < 50, 10.0, np.where(STEPS == 50, 30.0, 20.0))
    found = looked(course, 2 * course, course / 4)
    assert single_batches.late_batch_sharpness(found) == pytest.approx(20.0 / 20.0)
    assert single_batches.late_full_sharpness(found) == pytest.approx(40.0 / 20.0)
    assert single_batches.late_random_curvature(found) == pytest.approx(5.0 / 20.0)
    early = np.where(STEPS < 60, 8.0, 20.0)
    assert single_batches.late_batch_sharpness(looked(early, early, early), part=1.0) == pytest.approx(8.0 / 20.0)
    assert single_batches.late_batch_sharpness(looked(early, early, early), part=0.4) == pytest.approx(20.0 / 20.0)
    assert single_batches.first_batch_sharpness(found) == pytest.approx(10.0 / 20.0)


def test_planted_batches_hover_where_they_are_put_and_the_whole_loss_elsewhere() -> None:
    flat = looked(*(np.ones(11) for _ in range(3)))
    still = single_batches.batches_hovering(flat, level=1.02, noise=0.0, full=0.3)
    assert single_batches.late_batch_sharpness(still) == pytest.approx(1.02)
    assert single_batches.late_full_sharpness(still) == pytest.approx(0.3)
    assert single_batches.late_random_curvature(still) == single_batches.late_random_curvature(flat)
    noisy = single_batches.batches_hovering(flat, level=1.0, noise=0.05, full=0.3)
    record = noisy["run"].records["batch-sharpness"]
    assert not np.array_equal(record["batch_sharpness"] - 20.0, record["sharpness"][:, 0] - 6.0)
    assert single_batches.late_batch_sharpness(noisy) == pytest.approx(1.0, abs=0.1)
