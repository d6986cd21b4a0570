"""Calls to a claim's own functions: an error in one is an error of that claim only."""

import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from spikecheck.core.errors import USERS_ERRORS, ClaimError, Stopped, text_of
from spikecheck.harness.claim_fields import number, shown

if TYPE_CHECKING:
    from spikecheck.harness.claim import Claim

T = TypeVar("T")
_PACKAGE = Path(__file__).parents[1]


def called(claim: "Claim", part: str, function: Callable[..., T], *arguments: object) -> T:
    """Call one of the claim's functions; `part` is its role in the claim, such as "measure".

    Raises:
        ClaimError: the function raised; the message names the claim, the part and the line.
    """
    try:
        with redirect_stdout(sys.stderr):  # what a claim prints must not mix with --json -
            return function(*arguments)
    except Stopped:
        raise
    except USERS_ERRORS as error:
        text = text_of(error)
        said = f"{type(error).__name__}: {text}" if text else type(error).__name__
        where = _line(error)
        raise ClaimError(f"claim {claim.id!r}: its {part} raised {said} ({where}); fix it") from error


def called_for(
    kind: Callable[[Any], T], claim: "Claim", part: str, function: Callable[..., object], *arguments: object
) -> T:
    """As `called`, of a function that has to return one number (`kind` is `number`) or a truth value (`truth`).

    Raises:
        ClaimError: it raised, or returned something else.
    """
    returned = called(claim, part, function, *arguments)
    try:
        return kind(returned)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise _wrong(claim, part, returned, "one number" if kind is number else "True or False") from None


def called_for_a(kind: type[T], claim: "Claim", part: str, function: Callable[..., object], *arguments: object) -> T:
    """As `called`, of a function that has to return an object of this class.

    Raises:
        ClaimError: it raised, or returned something else.
    """
    returned = called(claim, part, function, *arguments)
    if not isinstance(returned, kind):
        raise _wrong(claim, part, returned, f"a {kind.__name__}")
    return returned


def _wrong(claim: "Claim", part: str, returned: object, wanted: str) -> ClaimError:
    return ClaimError(f"claim {claim.id!r}: its {part} returned {shown(returned)}; return {wanted}")


def _line(error: BaseException) -> str:
    """File and line of the innermost frame outside this package."""
    frames = traceback.extract_tb(error.__traceback__)
    others = [frame for frame in frames if _PACKAGE not in Path(frame.filename).parents] or frames
    return f"{others[-1].filename}, line {others[-1].lineno}"
