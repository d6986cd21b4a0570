"""Calls to a claim's own functions: an error in one is an error of that claim only."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from spikecheck.core.errors import ClaimError, Stopped
from spikecheck.harness.claim import Claim

T = TypeVar("T")
_PACKAGE = Path(__file__).parents[1]


def called(claim: Claim, part: str, function: Callable[..., T], *arguments: object) -> T:
    """Call one of the claim's functions; `part` is its role in the claim, such as "measure".

    Raises:
        ClaimError: the function raised; the message names the claim, the part and the line.
    """
    try:
        return function(*arguments)
    except Stopped:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        where = _line(error)
        raise ClaimError(f"claim {claim.id!r}: its {part} raised {said} ({where}); fix it") from error


def _line(error: Exception) -> str:
    """File and line of the innermost frame outside this package."""
    frames = traceback.extract_tb(error.__traceback__)
    others = [frame for frame in frames if _PACKAGE not in Path(frame.filename).parents] or frames
    return f"{others[-1].filename}, line {others[-1].lineno}"
