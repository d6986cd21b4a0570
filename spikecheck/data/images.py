"""Reads images from files that are already on this machine. Nothing is ever downloaded."""

import hashlib
import importlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.data.dataset import Data
from spikecheck.data.subsets import balanced, chosen

_HELD_OUT = 1_000
"""Test images used: evaluating all ten thousand would cost more than most trainings."""

Labelled = tuple[Tensor, Tensor]
"""Images of bytes [N, C, H, W], and their classes [N]."""


def data_folder() -> Path:
    """The folder named by $SPIKECHECK_DATA, else the platform's folder for a user's data."""
    named = os.environ.get("SPIKECHECK_DATA")
    return Path(named) if named else user_data_path("spikecheck")


def datasets(problem: str) -> Any:
    """The module torchvision.datasets, imported only when a problem needs it: it is optional, and slow to import.

    Raises:
        SettingError: when it cannot be imported.
    """
    try:
        return importlib.import_module("torchvision.datasets")
    except Exception as error:  # a version that does not match torch raises RuntimeError, among others
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise SettingError(
            f"problem={problem!r}: needs torchvision, which cannot be imported ({first}); each version fits one torch, so "
            "in an environment without constraints.txt: pip install torch==2.14.1 torchvision==0.29.1"
        ) from error


def check_there(problem: str, name: str, folder: Path, files: Sequence[Path]) -> None:
    """Check that all files are in the folder; `name` is torchvision's class for the data set.

    Raises:
        SettingError: when a file is missing; the message says how to fetch it.
    """
    missing = [str(file.relative_to(folder)) for file in files if not file.is_file()]
    if missing:
        raise SettingError(
            f"problem={problem!r}: no {', '.join(missing)} in {folder}; set SPIKECHECK_DATA to the folder that has them, "
            f'or fetch them: python -c "from torchvision.datasets import {name}; {name}({str(folder)!r}, download=True)"'
        )


def files_digest(files: Sequence[Path]) -> str:
    """The sha256 of files that may differ from the published ones; "" if one is missing."""
    if not all(file.is_file() for file in files):
        return ""
    states = [file.stat() for file in files]
    return _digest(tuple(files), tuple((state.st_mtime_ns, state.st_size) for state in states))


@lru_cache(maxsize=4)
def _digest(files: tuple[Path, ...], states: tuple[tuple[int, int], ...]) -> str:
    """The sha256 of the files, computed again only when a file's time or size has changed."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def subset(problem: str, train: Labelled, test: Labelled, points: int, held_out: int = _HELD_OUT) -> Data:
    """A fixed choice of `points` training and `held_out` test images, with balanced classes, in file order.

    Brightness is in [0, 1], minus the mean of the chosen training images.

    Raises:
        SettingError: when there are fewer than `points` training images.
    """
    (images, classes), (test_images, test_classes) = train, test
    mine, others = chosen(problem, classes, points), balanced(test_classes, held_out)
    x, x_test = (part.flatten(1).double() / 255 for part in (images[mine], test_images[others]))
    mean = x.mean(0)
    return Data(x - mean, classes[mine], x_test - mean, test_classes[others])
