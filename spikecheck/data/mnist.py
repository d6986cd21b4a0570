"""MNIST: 28 x 28 handwritten digits, from its four files in IDX format."""

from functools import lru_cache
from pathlib import Path

from spikecheck.core.errors import DataError
from spikecheck.core.setting import Setting
from spikecheck.data.dataset import Data
from spikecheck.data.images import Labelled, check_there, data_folder, datasets, files_digest, subset

_PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_SIZE = (28, 28)


def mnist(setting: Setting) -> Data:
    """`points` training images and 1,000 test images, with balanced classes, in [0, 1] minus the training images' mean.

    Raises:
        SettingError: when torchvision or a file is missing, or there are fewer than `points` images.
        DataError: when a file does not hold such images.
    """
    datasets("mnist")
    check_there("mnist", "MNIST", data_folder(), _files())
    return _subset(_files(), data_digest(), setting.points)


def data_digest() -> str:
    """The sha256 of the four files; "" if one is missing."""
    return files_digest(_files())


@lru_cache(maxsize=4)
def _subset(files: tuple[Path, ...], digest: str, points: int) -> Data:
    """The cached subset. The argument `digest` makes changed files a new cache entry."""
    return subset("mnist", _read(files[0], files[1]), _read(files[2], files[3]), points)


def _read(images: Path, labels: Path) -> Labelled:
    # Read by torchvision's byte readers, not by its class MNIST, which would unpickle an existing processed/training.pt.
    idx = datasets("mnist").mnist
    try:
        pixels, classes = idx.read_image_file(str(images)), idx.read_label_file(str(labels))
    except Exception as error:
        raise DataError(
            f"problem='mnist': {images} or {labels.name} is not in MNIST's format ({error}); "
            "delete it, and the next run says how to fetch it"
        ) from error
    if pixels.shape != (len(classes), *_SIZE):
        shapes = f"{list(pixels.shape)} and {list(classes.shape)}"
        raise DataError(
            f"problem='mnist': {images} and {labels.name} hold {shapes}, not images of 28 x 28 with a class each"
        )
    return pixels[:, None], classes


def _files() -> tuple[Path, ...]:
    return tuple(data_folder() / "MNIST" / "raw" / part for part in _PARTS)
