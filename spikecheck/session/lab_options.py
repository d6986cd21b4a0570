"""Where and how to train, as several commands ask for it. Torch is not imported before a laboratory is opened."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LabOptions:
    """The options of the command line that make a laboratory."""

    store: str | None = None
    """A folder or an address; None: the user's cache folder."""
    no_store: bool = False
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    executor: str = "processes"
    """local, processes, dask://HOST:PORT or slurm://PARTITION."""
    deadline: float | None = None
    """A value of `time.monotonic()` after which nothing more is trained."""
