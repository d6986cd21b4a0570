"""Numbers as logs write them, those that are none included."""

import re
from typing import Any

_NOT_A_NUMBER = re.compile(r"[+-]?(nan\(\w*\)|1\.#(ind|qnan|snan)\w*)", re.IGNORECASE)
_INFINITE = re.compile(r"([+-]?)1\.#inf\w*", re.IGNORECASE)


def number(cell: Any) -> float | None:
    """The number of a cell; None where it is none.

    C's runtime libraries write NaN and infinity in ways of their own:

    >>> number("-nan(ind)"), number("1.#INF00"), number("2.5"), number("2.5*"), number(True)
    (nan, inf, 2.5, None, None)
    """
    if isinstance(cell, bool):
        return None
    try:
        return float(_plain(cell) if isinstance(cell, str) else cell)
    except (TypeError, ValueError, OverflowError):
        return None


def is_number(cell: Any) -> bool:
    """Whether a cell is a number, NaN and infinity included."""
    return number(cell) is not None


def _plain(cell: str) -> str:
    text = cell.strip()
    if "(" not in text and "#" not in text:
        return text
    infinite = _INFINITE.fullmatch(text)
    return f"{infinite[1]}inf" if infinite else "nan" if _NOT_A_NUMBER.fullmatch(text) else text
