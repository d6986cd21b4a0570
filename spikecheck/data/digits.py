"""Handwritten digits: the data set bundled with scikit-learn. Nothing is downloaded."""

from functools import lru_cache

import torch
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.data.dataset import Data

IMAGES, _CLASSES = 1_797, 10
_TRAIN_POINTS = 1_347  # three quarters of the images; the split is part of the problem, so its seed never varies


def digits(setting: Setting) -> Data:
    """1,347 training and 450 held-out images of 8 x 8 pixels, in [0, 1] minus the training images' mean; classes 0 to 9."""
    return _split(_TRAIN_POINTS)


def few_digits(setting: Setting) -> Data:
    """`points` of the images of `digits` for training, and all others held out: with few points, overfitting is possible.

    Raises:
        SettingError: when either part would have fewer than ten images, one of each class.
    """
    if not _CLASSES <= setting.points <= IMAGES - _CLASSES:
        raise SettingError(
            f"points={setting.points!r}: few-digits shares {IMAGES:,} images of ten classes between training and testing; "
            f"give {_CLASSES} to {IMAGES - _CLASSES:,}"
        )
    return _split(setting.points)


@lru_cache(maxsize=4)
def _split(points: int) -> Data:
    images, labels = load_digits(return_X_y=True)
    split = train_test_split(images / 16, labels, train_size=points, stratify=labels, random_state=0)
    x, x_test, y, y_test = (torch.from_numpy(part) for part in split)
    mean = x.mean(0)
    return Data(x - mean, y.long(), x_test - mean, y_test.long())
