"""Subsets of a data set with balanced classes."""

import torch
from jaxtyping import Int
from torch import Tensor

from spikecheck.core.errors import SettingError


def chosen(problem: str, classes: Int[Tensor, " N"], points: int) -> Int[Tensor, " n"]:
    """The indices of a balanced choice of `points` training points.

    Raises:
        SettingError: when there are fewer training points.
    """
    if points > len(classes):
        raise SettingError(f"points={points!r}: {problem} has {len(classes):,} training points; use at most that many")
    return balanced(classes, points)


def balanced(classes: Int[Tensor, " N"], points: int) -> Int[Tensor, " n"]:
    """The first `points` indices when the classes take turns, each in file order; the result is sorted.

    >>> balanced(torch.tensor([0, 0, 0, 1, 1]), 4).tolist()
    [0, 1, 3, 4]
    """
    turn = torch.empty_like(classes)
    for label in set(classes.tolist()):
        of_class = classes == label
        turn[of_class] = torch.arange(int(of_class.sum()))
    return turn.argsort(stable=True)[:points].sort().values
