"""Fashion-MNIST: 28 x 28 pictures of clothes, from the four compressed files of Debian's package dataset-fashion-mnist.

The files are read without torchvision: the IDX format is a header of sizes, followed by the numbers. Source: Xiao et al.,
arXiv 1708.07747.
"""

import gzip
import math
import os
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.errors import DataError, SettingError
from spikecheck.core.setting import Setting
from spikecheck.data.dataset import Data
from spikecheck.data.images import Labelled, files_digest, subset

HELD_OUT = 5_000
"""Test images used."""

_FOLDER = Path("/usr/share/datasets/fashion-mnist")
_PARTS = tuple(
    f"{name}-ubyte.gz" for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
)
_SIDE, _CLASSES = 28, 10
_MOST = 2**30
"""The most bytes that a file's header may claim: twenty times those of the published files."""


def fashion_mnist(setting: Setting) -> Data:
    """`points` training images and 5,000 test images, with balanced classes, in [0, 1] minus the training images' mean.

    Raises:
        SettingError: when a file is missing, or there are fewer than `points` images.
        DataError: when a file is not in IDX format, or does not hold such images.
    """
    missing = [file.name for file in _files() if not file.is_file()]
    if missing:
        raise SettingError(
            f"problem='fashion-mnist': no {', '.join(missing)} in {_folder()}; apt-get install dataset-fashion-mnist, or "
            "set SPIKECHECK_FASHION_MNIST to the folder with the four files"
        )
    return _subset(_files(), data_digest(), setting.points)


def data_digest() -> str:
    """The sha256 of the four files; "" if one is missing."""
    return files_digest(_files())


@lru_cache(maxsize=4)
def _subset(files: tuple[Path, ...], digest: str, points: int) -> Data:
    """The cached subset. The argument `digest` makes changed files a new cache entry."""
    return subset("fashion-mnist", _labelled(*files[:2]), _labelled(*files[2:]), points, HELD_OUT)


def _labelled(images: Path, labels: Path) -> Labelled:
    pixels, classes = _idx(images, (_SIDE, _SIDE)), _idx(labels, ())
    if len(pixels) != len(classes):
        raise _unfit(images, f"holds {len(pixels):,} images, {labels.name} {len(classes):,} classes")
    if len(classes) and int(classes.max()) >= _CLASSES:
        raise _unfit(labels, f"holds the class {int(classes.max())}, where there are {_CLASSES}")
    return pixels[:, None], classes.long()


def _idx(file: Path, sides: tuple[int, ...]) -> Tensor:
    """The bytes of a file in IDX format, [N, *sides]."""
    axes = 1 + len(sides)
    try:
        with gzip.open(file) as packed:
            head = packed.read(4 + 4 * axes)
            sizes = _sizes(file, head, sides)
            count = math.prod(sizes)
            body = packed.read(count + 1)  # one byte more, to check that there is none
    except (OSError, EOFError, zlib.error) as error:
        raise _unfit(file, f"cannot be read ({error})") from error
    if len(body) != count:
        held = "more" if len(body) > count else f"{len(body):,}"
        raise _unfit(file, f"should hold {count:,} bytes by its header, and holds {held}")
    return torch.from_numpy(np.frombuffer(body, np.uint8).reshape(sizes).copy())


def _sizes(file: Path, head: bytes, sides: tuple[int, ...]) -> tuple[int, ...]:
    """The lengths in a header: two zeros, 8 for unsigned bytes, the number of axes, and four bytes per length."""
    magic = bytes([0, 0, 8, 1 + len(sides)])
    if head[:4] != magic or len(head) != 4 + 4 * magic[3]:
        lengths = f" and {magic[3]} lengths" if head[:4] == magic else ""
        raise _unfit(file, f"begins with {head[:4].hex() or 'nothing'}, not with {magic.hex()}{lengths}")
    sizes = tuple(int(length) for length in np.frombuffer(head, ">u4", offset=4))
    if sizes[1:] != sides or math.prod(sizes) > _MOST:
        raise _unfit(file, f"holds {list(sizes)}, not images of {_SIDE} x {_SIDE} or a class each")
    return sizes


def _unfit(file: Path, what: str) -> DataError:
    return DataError(f"problem='fashion-mnist': {file} {what}; install dataset-fashion-mnist again, or repair the file")


def _folder() -> Path:
    """The folder named by $SPIKECHECK_FASHION_MNIST, else the one of Debian's package."""
    named = os.environ.get("SPIKECHECK_FASHION_MNIST")
    return Path(named) if named else _FOLDER


def _files() -> tuple[Path, ...]:
    return tuple(_folder() / part for part in _PARTS)
