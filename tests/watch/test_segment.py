"""The walk along a step ends where it began, to the last bit."""

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from spikecheck import Watch
from spikecheck.watch.log import WatchLog
from spikecheck.watch.segment import Segment
from tests.watch.trainings import plain

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


@given(
    shares=st.lists(st.floats(0.0, 0.99), max_size=4).map(sorted),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 1_000),
)
def test_restore_gives_back_the_last_bit_after_any_walk(shares: list[float], dtype: torch.dtype, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    parameters = [torch.randn(shape, generator=generator).to(dtype) for shape in ((3,), (2, 4), ())]
    segment = Segment(parameters)
    for parameter in parameters:
        parameter.add_(torch.randn(parameter.shape, generator=generator).to(dtype), alpha=0.1)
    after = [parameter.clone() for parameter in parameters]
    for share in shares:
        segment.move(share)
    segment.restore()
    assert all(torch.equal(one, other) for one, other in zip(parameters, after, strict=True))


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5])
def test_a_share_is_where_it_says(share: float) -> None:
    parameter = torch.tensor([1.0, -2.0, 4.0], dtype=torch.float64)
    before = parameter.clone()
    segment = Segment([parameter])
    parameter.sub_(torch.tensor([0.5, 1.0, -3.0]))
    after = parameter.clone()
    segment.move(0.0)
    assert torch.equal(parameter, before)
    if share:
        segment.move(share)
    torch.testing.assert_close(parameter, before + share * (after - before))


def test_an_interrupt_between_two_tensors_loses_nothing() -> None:
    parameters = [torch.ones(2), torch.ones(2)]
    segment = Segment(parameters)
    for parameter in parameters:
        parameter.zero_()
    calls = 0

    class Interrupting(torch.Tensor):
        def lerp(self, end: Any, weight: Any) -> torch.Tensor:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise KeyboardInterrupt
            return self.as_subclass(torch.Tensor).lerp(end, weight)

    segment.spare = [spare.as_subclass(Interrupting) for spare in segment.spare]
    with pytest.raises(KeyboardInterrupt):
        segment.move(0.5)
    segment.restore()
    assert all(torch.equal(parameter, torch.zeros(2)) for parameter in parameters)


def listed_twice() -> tuple[nn.Module, list[Any]]:
    model: Any = plain()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of a parameter that is listed twice
        return model, [torch.optim.SGD([*model.parameters(), model[0].weight], lr=0.05)]


def sharing_memory() -> tuple[nn.Module, list[Any]]:
    model: Any = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Linear(4, 1))
    model[2].weight.data = model[0].weight.data
    return model, [torch.optim.SGD(model.parameters(), lr=0.05)]


def stepped_twice() -> tuple[nn.Module, list[Any]]:
    model = plain()
    return model, [torch.optim.SGD(model.parameters(), lr=0.05), torch.optim.Adam(model.parameters(), lr=1e-3)]


def stepped_in_the_other_order() -> tuple[nn.Module, list[Any]]:
    model, optimizers = stepped_twice()
    return model, optimizers[::-1]


@pytest.mark.parametrize("make", [listed_twice, sharing_memory, stepped_twice, stepped_in_the_other_order])
def test_parameters_that_are_in_two_places_are_moved_once(
    make: Callable[[], tuple[nn.Module, list[Any]]], tmp_path: Path
) -> None:
    """Regression: the training went on from where it was before the step, or between two optimizers' steps."""
    ends = []
    for log in (None, tmp_path / "log.jsonl"):
        torch.manual_seed(0)
        model, optimizers = make()
        watch = None if log is None else Watch(model, optimizers[::-1], log=log, every=1, show=False)
        x = torch.randn(32, 4)
        for _ in range(5):
            loss_of = partial(_loss, model, x)
            loss = loss_of()
            model.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            if watch is not None:
                watch.step(loss, loss_of)
        ends.append([parameter.detach().clone() for parameter in model.parameters()])
    assert all(map(torch.equal, *ends))
    looks = [step.look for step in WatchLog.open(tmp_path / "log.jsonl").ordered()]
    assert all(look is not None and look.overshoot is not None and abs(look.overshoot) < 0.5 for look in looks)


def _loss(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return (model(x) - 1.0).square().mean()


def test_an_empty_part_of_a_sharded_parameter_has_its_place() -> None:
    parameters = [torch.zeros(0), torch.ones(2), torch.zeros(0)]
    assert [before.tolist() for before in Segment(parameters).before] == [[], [1.0, 1.0], []]
