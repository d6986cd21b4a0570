"""The arm that computes in full precision, and whether a step computes in a lower one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from spikecheck.watch.training import Training
from spikecheck.why.scene import Context, NotApplicable


@contextmanager
def full_precision(training: Training, context: Context) -> Iterator[None]:
    """torch.autocast changes nothing inside."""
    if not context.scene.usual.autocast:
        raise NotApplicable("no step computes in lower precision by torch.autocast")

    def entered(block: torch.autocast, enter: Callable[[torch.autocast], Any]) -> Any:
        wanted, block._enabled = block._enabled, False
        try:
            return enter(block)
        finally:
            block._enabled = wanted  # a user may keep the block and enter it again after the fork

    with _autocast_entered_by(entered):
        yield


@contextmanager
def autocast_seen() -> Iterator[list[bool]]:
    """A list that is no longer empty once a block of torch.autocast that lowers the precision was entered."""
    seen: list[bool] = []

    def entered(block: torch.autocast, enter: Callable[[torch.autocast], Any]) -> Any:
        if block._enabled and not seen:
            seen.append(True)
        return enter(block)

    with _autocast_entered_by(entered):
        yield seen


@contextmanager
def _autocast_entered_by(entered: Callable[[torch.autocast, Callable[[torch.autocast], Any]], Any]) -> Iterator[None]:
    """Every block of torch.autocast is entered through a function meanwhile: torch has no hook for it."""
    enter = torch.autocast.__enter__
    torch.autocast.__enter__ = lambda block: entered(block, enter)  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.autocast.__enter__ = enter  # type: ignore[method-assign]
