"""Some of a data set's points, with every class in its due share."""

import torch
from jaxtyping import Int
from torch import Tensor

from spikecheck.core.errors import SettingError


def chosen(problem: str, classes: Int[Tensor, " N"], points: int) -> Int[Tensor, " n"]:
    """The indices of a balanced choice of `points` training points; SettingError where there are not so many."""
    if points > len(classes):
        raise SettingError(
            f"points={points!r}: {problem} has {len(classes):,} training points; ask for at most so many"
        )
    return balanced(classes, points)


def balanced(classes: Int[Tensor, " N"], points: int) -> Int[Tensor, " n"]:
    """The first `points` indices when every class's points, in file order, take turns: sorted.

    >>> balanced(torch.tensor([0, 0, 0, 1, 1]), 4).tolist()
    [0, 1, 3, 4]
    """
    turn = torch.empty_like(classes)
    for label in set(classes.tolist()):
        of_class = classes == label
        turn[of_class] = torch.arange(int(of_class.sum()))
    return turn.argsort(stable=True)[:points].sort().values
