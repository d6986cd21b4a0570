"""A training's batches over all epochs, with positions that can be restored."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from spikecheck.core.errors import UsageError
from spikecheck.tensors.random_state import random_state, set_random_state
from spikecheck.watch.holdings import deep_copied

B = TypeVar("B")
Position = dict[str, Any]

_REWINDABLE = (
    "give a list, a DataLoader, a function that returns a new iterator, or an object with "
    "state_dict and load_state_dict"
)
# Where loaders keep generators of their own: torch's DataLoader and its samplers, and the data they read.
_OWN_GENERATORS = ("", "sampler", "batch_sampler", "batch_sampler.sampler", "dataset")


class NumberedBatches(Generic[B]):
    """Endless batches, each computed from its number alone, so that any position is restored without iterating.

    >>> batches = NumberedBatches(lambda number: number**2)
    >>> draws = iter(batches)
    >>> next(draws), next(draws), batches.state_dict()
    (0, 1, {'number': 2})
    """

    def __init__(self, batch_of: Callable[[int], B]) -> None:
        """Create the batches. `batch_of(number)` must use random generators of its own, seeded by the number."""
        self._batch_of = batch_of
        self._number = 0

    def __iter__(self) -> Iterator[B]:
        return self

    def __next__(self) -> B:
        self._number += 1
        return self._batch_of(self._number - 1)

    def state_dict(self) -> dict[str, int]:
        """The next batch's number."""
        return {"number": self._number}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue from the number in `state`."""
        self._number = state["number"]


class BatchCursor:
    """Iterates over a source, restarts it after its last batch, and can return to any earlier position.

    A source with `state_dict` and `load_state_dict`, such as torchdata's StatefulDataLoader, is restored by these. Any other
    source is restarted with the random state at the start of its epoch, and the batches before the position are skipped.
    """

    def __init__(self, source: Any) -> None:
        """Wrap a source.

        Raises:
            UsageError: the source cannot be iterated, or cannot be restarted.
        """
        self._stateful = hasattr(source, "state_dict") and hasattr(source, "load_state_dict")
        if not callable(source) and not hasattr(source, "__iter__"):
            raise UsageError(f"batches={source!r}: is not iterable; {_REWINDABLE}")
        if not self._stateful and hasattr(source, "__next__"):
            raise UsageError(f"batches={source!r}: an iterator cannot be rewound; {_REWINDABLE}")
        self._source = source
        self._iterator: Iterator[Any] | None = None
        self._epoch_start: dict[str, Any] | None = None
        self._taken = 0

    def next(self) -> Any:
        """The next batch; after the last one, the first of a new epoch.

        Raises:
            UsageError: the source has no batch.
        """
        if self._iterator is not None:
            try:
                return self._take()
            except StopIteration:
                pass
        again = self._iterator is not None
        self._begin()
        try:
            return self._take()
        except StopIteration:
            which = (
                "no batch for a second epoch; return a new iterator every time"
                if again
                else "no batch; give at least one"
            )
            raise UsageError(f"batches={self._source!r}: holds {which}") from None

    def epoch(self, most: int) -> list[Any]:
        """The next batches, up to the end of the epoch, and at most so many."""
        batches = [self.next()]
        while len(batches) < most:
            try:
                batches.append(self._take())
            except StopIteration:
                break
        return batches

    def position(self) -> Position:
        """The position of the next batch; `go_to` restores it."""
        if self._stateful:
            return {"own": deep_copied(self._source.state_dict())}
        return {"epoch_start": self._epoch_start, "taken": self._taken, "own": self._own_states()}

    def go_to(self, position: Position) -> None:
        """Return to a position. Changes the global random state, which the caller must set afterwards."""
        if self._stateful:
            self._source.load_state_dict(deep_copied(position["own"]))
            self._iterator = iter(self._source)
            return
        self._iterator, self._taken, self._epoch_start = None, 0, position["epoch_start"]
        if self._epoch_start is not None:
            set_random_state(self._epoch_start["random"])
            self._set_own_states(self._epoch_start["own"])
            self._iterator = self._started()
            for _ in range(position["taken"]):
                self._take()
        self._set_own_states(position["own"])

    def _begin(self) -> None:
        if not self._stateful:
            self._epoch_start = {"random": random_state(), "own": self._own_states()}
        self._iterator, self._taken = self._started(), 0

    def _started(self) -> Iterator[Any]:
        source = self._source if hasattr(self._source, "__iter__") else self._source()
        return iter(source)

    def _take(self) -> Any:
        assert self._iterator is not None
        batch = next(self._iterator)
        self._taken += 1
        return batch

    def _own_states(self) -> list[Tensor]:
        return [generator.get_state() for generator in self._generators()]

    def _set_own_states(self, states: list[Tensor]) -> None:
        for generator, state in zip(self._generators(), states, strict=True):
            generator.set_state(state)

    def _generators(self) -> list[torch.Generator]:
        """The torch generators that a loader uses besides the global one, without duplicates."""
        owners = [_reached(self._source, path) for path in _OWN_GENERATORS]
        generators = [getattr(owner, "generator", None) for owner in owners]
        return list({id(each): each for each in generators if isinstance(each, torch.Generator)}.values())


def _reached(source: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        source = getattr(source, name, None)
    return source
