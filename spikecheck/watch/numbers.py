"""Numbers as logs write them, those that are none included, and as sentences have them."""

import re
from typing import Any

_NOT_A_NUMBER = re.compile(r"[+-]?(nan\(\w*\)|1\.#(ind|qnan|snan)\w*)", re.IGNORECASE)
_INFINITE = re.compile(r"([+-]?)1\.#inf\w*", re.IGNORECASE)

_PLAIN = 10_000.0
"""Size from which the decimals of a factor say nothing: a figure has left its scale."""


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


def short(value: float, decimals: int = 1) -> str:
    """A factor or a height in a sentence: with decimals, but large ones in three digits with an exponent.

    >>> short(3.14159), short(0.5, 2), short(-9_999.4), short(8.0720886e74), short(float("inf"))
    ('3.1', '0.50', '-9999.4', '8.07e+74', 'inf')
    """
    return f"{value:.{decimals}f}" if abs(value) < _PLAIN else f"{value:.3g}"


def _plain(cell: str) -> str:
    text = cell.strip()
    if "(" not in text and "#" not in text:
        return text
    infinite = _INFINITE.fullmatch(text)
    return f"{infinite[1]}inf" if infinite else "nan" if _NOT_A_NUMBER.fullmatch(text) else text
