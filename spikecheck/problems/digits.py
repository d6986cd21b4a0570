"""Handwritten digits: scikit-learn's bundled set, real data with nothing to download."""

from functools import cache

import torch
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]

from spikecheck.core.setting import Setting
from spikecheck.problems.data import Data

_TRAIN_POINTS = 1_347  # three quarters of the 1,797 images; the split is part of the problem, so its seed never varies


def digits(setting: Setting) -> Data:
    """Images of 8 x 8 pixels, ink from 0 to 1 less the training images' mean, and their classes 0 to 9."""
    return _split()


@cache
def _split() -> Data:
    images, labels = load_digits(return_X_y=True)
    split = train_test_split(images / 16, labels, train_size=_TRAIN_POINTS, stratify=labels, random_state=0)
    x, x_test, y, y_test = (torch.from_numpy(part) for part in split)
    mean = x.mean(0)
    return Data(x - mean, y.long(), x_test - mean, y_test.long())
