"""Options for where and how to train, shared by several commands. This module does not import torch."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LabOptions:
    """The command-line options from which a laboratory is made."""

    store: str | None = None
    """A folder or an address; None: the user's cache folder."""
    no_store: bool = False
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    executor: str = "processes"
    """local, processes, dask://HOST:PORT or slurm://PARTITION."""
    deadline: float | None = None
    """The value of `time.monotonic()`, in seconds, at which training stops; None: no limit."""
