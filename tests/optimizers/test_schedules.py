"""Schedules, against torch's own schedulers."""

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler

from spikecheck.optimizers.schedules import WARMUP, factor


def torchs(make: type[LRScheduler], steps: int, **options: float) -> list[float]:
    """The learning rates of a torch scheduler for an optimizer with lr=1."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = make(optimizer, **options)  # type: ignore[arg-type]
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_linear_and_cosine_are_torchs(steps: int) -> None:
    linear = torchs(LinearLR, steps, start_factor=1.0, end_factor=0.0, total_iters=steps)
    cosine = torchs(CosineAnnealingLR, steps, T_max=steps)
    assert [factor("linear", done, steps) for done in range(steps)] == pytest.approx(linear, abs=1e-12)
    assert [factor("cosine", done, steps) for done in range(steps)] == pytest.approx(cosine, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 5, 100, 1_000])
def test_a_warmup_rises_evenly_to_1_and_then_is_a_cosine(steps: int) -> None:
    rising = max(1, round(WARMUP * steps))
    rates = [factor("warmup-cosine", done, steps) for done in range(steps)]
    assert rates[:rising] == pytest.approx([(done + 1) / rising for done in range(rising)])
    assert rates[rising:] == [factor("cosine", done, steps - rising) for done in range(steps - rising)]


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "warmup-cosine"])
def test_after_its_end_a_rate_stays(schedule: str) -> None:
    assert factor(schedule, 150, 100) == factor(schedule, 100, 100)
    assert min(factor(schedule, done, 100) for done in range(120)) >= 0.0
    assert max(factor(schedule, done, 100) for done in range(120)) <= 1.0
