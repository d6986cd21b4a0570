"""The trainings that were made or read last, in memory."""

from collections import OrderedDict

from spikecheck.lab.run_codec import size_in_memory
from spikecheck.lab.trained import Trained

MEMORY = 2**28
"""Bytes of arrays kept in memory that a store has too; all runs of a claim together take gigabytes."""


class Recent:
    """Trainings by digest. Beyond `limit` bytes the least recently used are forgotten; with None, nothing is."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._sizes: dict[str, int] = {}
        self._trained: OrderedDict[str, Trained] = OrderedDict()
        self._size = 0

    def __contains__(self, digest: str) -> bool:
        """Whether a training with this digest is in memory."""
        return digest in self._trained

    def get(self, digest: str) -> Trained | None:
        """The training with this digest; None where it is not in memory."""
        if digest not in self._trained:
            return None
        self._trained.move_to_end(digest)
        return self._trained[digest]

    def add(self, digest: str, trained: Trained) -> None:
        """Remember a training."""
        self._forget(digest)
        self._trained[digest] = trained
        self._sizes[digest] = size_in_memory(trained.run, trained.checkpoints)
        self._size += self._sizes[digest]
        while self.limit is not None and self._size > self.limit:
            self._forget(next(iter(self._trained)))

    def clear(self) -> None:
        """Forget everything."""
        self._trained.clear()
        self._sizes.clear()
        self._size = 0

    def _forget(self, digest: str) -> None:
        if self._trained.pop(digest, None) is not None:
            self._size -= self._sizes.pop(digest)
