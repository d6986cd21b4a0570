"""The walk along a step ends where it began, to the last bit."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.watch.segment import Segment

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
