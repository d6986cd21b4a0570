"""Exchanges numbers between the processes of one training at a look, with time limits.

Numbers go through the key-value store with which the process group was set up, not through collectives. A process that has
stopped watching, or never watched, then costs the others one timeout instead of a hang. Every process reads the same
numbers, so all take the same decisions and make the same forward passes.
"""

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch

_TO_BEGIN, _WITHIN, _TO_END = timedelta(seconds=60), timedelta(seconds=600), timedelta(seconds=5)
"""Time limits. At the begin of a look: processes are at most one step apart after an optimizer's step, which may include
writing a checkpoint. Within a look: another process may compile its forward pass. At the end: short, since only the losses
since the last look can be lost."""
_ON_ITS_WAY = timedelta(seconds=1)
"""What a process writes reaches the others later where the machine is busy."""
_LOGGER = logging.getLogger("spikecheck.watch")


class Apart(Exception):
    """From now on this process exchanges no numbers; the text gives the reason."""


@dataclass(frozen=True)
class Joint:
    """Numbers of all processes: their means, and whether they are the same everywhere."""

    means: Sequence[float]
    same: Sequence[bool]


class Ranks:
    """The processes that train one model, for as long as each of them watches the same steps."""

    def __init__(self) -> None:
        distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        self.rank = torch.distributed.get_rank() if distributed else 0
        self.size = torch.distributed.get_world_size() if distributed else 1
        self._exchanged = 0
        self._store: Any = _store() if self.size > 1 else None
        if self._store is not None:
            serial = self._store.add(self._counter, 1)
            self._prefix = f"spikecheck/watch/{serial}"
            self._store.set(self._here, "1")

    @property
    def together(self) -> bool:
        """Whether numbers are exchanged with other processes."""
        return self._store is not None

    def begin(self, step: int, *figures: float) -> None:
        """Begin a look if every process begins one at this step with these figures; otherwise stop exchanging numbers."""
        if not self.together:
            return
        if not self._exchanged and not self._all_here():
            self._withdraw()
            return
        with suppress(Apart):
            if not all(self._exchange([float(step), *figures], _TO_BEGIN).same):
                self._leave("the processes do not look at the same steps")

    def joint(self, numbers: Sequence[float]) -> Joint:
        """These numbers joined over all processes; unchanged if there is no other.

        Raises:
            Apart: when another process is missing, or gives another count of numbers.
        """
        if not self.together:
            return Joint(numbers, [True] * len(numbers))
        return self._exchange(numbers, _WITHIN)

    def mean(self, number: float) -> float:
        """The mean of this number over all processes.

        Raises:
            Apart: when another process is missing.
        """
        return self.joint([number]).means[0]

    def part(self, reason: str) -> None:
        """Stop exchanging numbers, and tell the other processes."""
        if self.together:
            self._leave(reason)

    def last(self, losses: Sequence[float]) -> list[float] | None:
        """Means of the losses since the last look, at the end; None unless all processes end together."""
        if not self.together:
            return None
        if not self._exchanged and not self._all_here():
            self._withdraw()
            return None
        store, self._store = self._store, None
        with suppress(Exception):  # the process that keeps the store may have gone
            store.set(f"{self._prefix}/last/{self.rank}", json.dumps(list(losses)))
            if self.rank == 0:
                keys = [f"{self._prefix}/last/{rank}" for rank in range(self.size)]
                store.wait(keys, _TO_END)
                given = [json.loads(store.get(key)) for key in keys]
                if len({len(one) for one in given}) == 1:
                    return [sum(column) / self.size for column in zip(*given, strict=True)]
        return None

    @property
    def _counter(self) -> str:
        """Key of the number of this process's Watches that others may share."""
        return f"spikecheck/watches/{self.rank}"

    @property
    def _here(self) -> str:
        """Key that says that this process has made its Watch."""
        return f"{self._prefix}/here/{self.rank}"

    def _withdraw(self) -> None:
        """Stop exchanging numbers, and free the key, so that this process's next Watch can join the others'."""
        store, self._store = self._store, None
        with suppress(Exception):
            store.delete_key(self._here)
            store.add(self._counter, -1)

    def _all_here(self) -> bool:
        """Whether every process has made its Watch. Gradients have been averaged since, so a missing one will not come.

        What another process has written to the store may be on its way.
        """
        try:
            self._store.wait([f"{self._prefix}/here/{rank}" for rank in range(self.size)], _ON_ITS_WAY)
        except (torch.distributed.DistError, RuntimeError):
            return False
        return True

    def _exchange(self, numbers: Sequence[float], wait: timedelta) -> Joint:
        place = f"{self._prefix}/{self._exchanged}"
        try:
            if self.rank == 0:
                self._gather(place, [float(one) for one in numbers], wait)
            else:
                self._store.set(f"{place}/{self.rank}", json.dumps([float(one) for one in numbers]))
            self._store.wait([f"{place}/joint"], wait)
            joint = json.loads(self._store.get(f"{place}/joint"))
        except (torch.distributed.DistError, RuntimeError) as error:
            raise self._leave("another process did not come to the same look") from error
        self._exchanged += 1
        if joint is None:
            raise self._leave("another process watches no more, or otherwise")
        return Joint(**joint)

    def _gather(self, place: str, own: Sequence[float], wait: timedelta) -> None:
        """In the first process: read the numbers of all processes, and write their means."""
        keys = [f"{place}/{rank}" for rank in range(1, self.size)]
        self._store.wait(keys, wait)
        given = [own, *(json.loads(content) for content in self._store.multi_get(keys))]
        for key in keys:
            self._store.delete_key(key)
        if self._exchanged:  # all processes have read it: they are at the next exchange
            self._store.delete_key(f"{self._prefix}/{self._exchanged - 1}/joint")
        joint = None
        if all(one is not None and len(one) == len(own) for one in given):
            columns = list(zip(*given, strict=True))
            means = [column[0] if _equal(column) else sum(column) / self.size for column in columns]
            joint = {"means": means, "same": [_equal(column) for column in columns]}
        self._store.set(f"{place}/joint", json.dumps(joint))

    def _leave(self, reason: str) -> Apart:
        """Stop exchanging numbers; the others read this instead of the next numbers."""
        store, self._store = self._store, None
        with suppress(Exception):
            store.set(f"{self._prefix}/{self._exchanged}/{self.rank or 'joint'}", "null")
        if reason and not self.rank:
            _LOGGER.warning("%s; from now on the figures are of the first process alone", reason)
        return Apart(reason)


def _equal(column: Sequence[float]) -> bool:
    """NaN equals NaN here: every process lost the number."""
    return len({json.dumps(one) for one in column}) == 1


def _store() -> Any:
    """The key-value store of the process group; None if it was set up without one, as by MPI."""
    with suppress(Exception):  # torch has no public name for it
        store = torch.distributed.distributed_c10d._get_default_store()
        return store.clone() if hasattr(store, "clone") else store
    return None
