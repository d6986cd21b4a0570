"""Positions in batches: every kind of loader comes again where it was, also in another process's object."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, RandomSampler

from spikecheck.core.errors import UsageError
from spikecheck.tensors.random_state import random_state, set_random_state
from spikecheck.watch.batches import BatchCursor, NumberedBatches


class Noisy(Dataset[float]):
    """Numbers with noise from the global generator, or from one of its own."""

    def __init__(self, generator: torch.Generator | None = None) -> None:
        self.generator = generator

    def __len__(self) -> int:
        return 7

    def __getitem__(self, number: int) -> float:
        return number + float(torch.rand(1, generator=self.generator))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def pages() -> Iterator[int]:
    yield from torch.randperm(4).tolist()


SOURCES: dict[str, Callable[[], Any]] = {
    "list": lambda: [1, 2, 3],
    "function": lambda: pages,
    "shuffled": lambda: DataLoader(Noisy(), batch_size=2, shuffle=True),
    "its own order": lambda: DataLoader(Noisy(), batch_size=2, shuffle=True, generator=seeded()),
    "its own sampler": lambda: DataLoader(Noisy(), batch_size=3, sampler=RandomSampler(range(7), generator=seeded())),
    "its own noise": lambda: DataLoader(Noisy(seeded()), batch_size=2),
    "numbered": lambda: NumberedBatches(lambda number: number**2),
}


@pytest.mark.parametrize("name", SOURCES)
@given(before=st.integers(0, 12), after=st.integers(0, 12))
def test_batches_come_again_from_any_position(name: str, before: int, after: int) -> None:
    cursor = BatchCursor(SOURCES[name]())
    drawn = [_next(cursor) for _ in range(before)]
    position, random = cursor.position(), random_state()
    wanted = [_next(cursor) for _ in range(after)]
    for again in (cursor, BatchCursor(SOURCES[name]())):
        again.go_to(position)
        set_random_state(random)
        assert [_next(again) for _ in range(after)] == wanted
    assert len(drawn) == before


def test_worker_processes_come_again() -> None:
    def made() -> DataLoader[float]:
        return DataLoader(Noisy(), batch_size=2, shuffle=True, num_workers=1)

    cursor = BatchCursor(made())
    _next(cursor)
    position, random = cursor.position(), random_state()
    wanted = [_next(cursor) for _ in range(4)]
    again = BatchCursor(made())
    again.go_to(position)
    set_random_state(random)
    assert [_next(again) for _ in range(4)] == wanted


def _next(cursor: BatchCursor) -> Any:
    """A batch, and what a training step would draw after it."""
    batch = cursor.next()
    torch.rand(3)
    return batch.tolist() if isinstance(batch, torch.Tensor) else batch


def test_an_iterator_that_is_returned_twice_is_told_from_an_empty_source() -> None:
    once = iter([1, 2])
    cursor = BatchCursor(lambda: once)
    assert [_next(cursor), _next(cursor)] == [1, 2]
    with pytest.raises(UsageError, match="holds no batch for a second epoch; return a new iterator every time"):
        _next(cursor)
