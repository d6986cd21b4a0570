"""CIFAR-10: 32 x 32 photographs in three colours, from the seven files of its Python version."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from spikecheck.core.errors import DataError
from spikecheck.core.setting import Setting
from spikecheck.data.dataset import Data
from spikecheck.data.images import Labelled, check_there, data_folder, datasets, subset


def cifar10(setting: Setting) -> Data:
    """`points` training images and 1,000 test images, with balanced classes.

    Colours are in [0, 1], minus the training images' mean.

    Raises:
        SettingError: when torchvision or a file is missing, or there are fewer than `points` images.
        DataError: when a file differs from the published one.
    """
    return _subset(data_folder(), setting.points)


@lru_cache(maxsize=4)
def _subset(folder: Path, points: int) -> Data:
    source = datasets("cifar10")
    _check_originals(folder, source)
    train, test = (_read(source.CIFAR10(str(folder), train=train, download=False)) for train in (True, False))
    return subset("cifar10", train, test, points)


def _check_originals(folder: Path, source: Any) -> None:
    # The files are pickles, which can run any code. Only the published bytes are passed to torchvision, which checks again.
    known = source.CIFAR10
    sums = dict([*known.train_list, *known.test_list, (known.meta["filename"], known.meta["md5"])])
    files = {folder / known.base_folder / name: md5 for name, md5 in sums.items()}
    check_there("cifar10", "CIFAR10", folder, list(files))
    others = [str(file) for file, md5 in files.items() if not source.utils.check_integrity(str(file), md5)]
    if others:
        raise DataError(
            f"problem='cifar10': {', '.join(others)}: by its md5 not the published file; "
            "delete it, and the next run says how to fetch it"
        )


def _read(images: Any) -> Labelled:
    return torch.from_numpy(images.data).permute(0, 3, 1, 2), torch.tensor(images.targets)
