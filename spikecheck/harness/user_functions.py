"""A claim's own functions, called: whatever they raise is the claim's failure and nobody else's."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from spikecheck.core.errors import ClaimError, Stopped
from spikecheck.harness.claim import Claim

T = TypeVar("T")
_PACKAGE = Path(__file__).parents[1]


def called(claim: Claim, part: str, function: Callable[..., T], *arguments: object) -> T:
    """What one of the claim's functions returns; `part` is what it is to the claim, such as "measure".

    Raises:
        ClaimError: whatever it raised, with claim, part and line.
    """
    try:
        return function(*arguments)
    except Stopped:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        where = _line(error)
        raise ClaimError(f"claim {claim.id!r}: its {part} raised {said} ({where}); mend it") from error


def _line(error: Exception) -> str:
    """The deepest line that is not this package's."""
    frames = traceback.extract_tb(error.__traceback__)
    others = [frame for frame in frames if _PACKAGE not in Path(frame.filename).parents] or frames
    return f"{others[-1].filename}, line {others[-1].lineno}"
