"""How one cell of a map looks: a sign and counts that can be read without colour, and a shade for the outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.scope import Reading, reading
from spikecheck.report.estimates import decider, of_average
from spikecheck.report.outcomes import LOOKS


class Colour(NamedTuple):
    """An sRGB colour; each part is in 0 to 255."""

    red: int
    green: int
    blue: int


# Orange to blue over white, distinguishable under every common colour blindness: halves of Brewer's PuOr and RdBu.
BELOW = (Colour(179, 88, 6), Colour(224, 130, 20), Colour(253, 184, 99), Colour(254, 224, 182), Colour(247, 247, 247))
ABOVE = (
    Colour(247, 247, 247),
    Colour(209, 229, 240),
    Colour(146, 197, 222),
    Colour(67, 147, 195),
    Colour(33, 102, 172),
)
_BLACK, _WHITE = Colour(0, 0, 0), Colour(255, 255, 255)

DECIDED: Mapping[Outcome, Colour] = {Outcome.HOLDS: ABOVE[3], Outcome.FAILS: BELOW[1], Outcome.UNDECIDED: ABOVE[0]}
"""Shades of cells that an average decides: no share is required there, so the shade shows the outcome."""


@dataclass(frozen=True)
class Face:
    """The text of a cell: two short lines, and an average for figures that have room for it."""

    count: str
    interval: str
    average: str = ""

    @property
    def width(self) -> int:
        """Characters of the longer of the two lines."""
        return max(len(self.count), len(self.interval))


def face(cell: Judgement, *, ascii_only: bool = False) -> Face:
    """Sign and counts, and below them the deciding interval. A cell that cannot be read gives the reason instead."""
    match reading(cell):
        case Reading.LOST:
            return Face(f"~ {cell.numerical_failures} lost", f"of {cell.drawn}")
        case Reading.UNTRIGGERED:
            return Face(f"{sign(Outcome.UNTRIGGERED, ascii_only=ascii_only)} n={cell.applicable}", f"of {cell.drawn}")
        case Reading.JUDGED:
            counts = f"{sign(cell.outcome, ascii_only=ascii_only)} {cell.held}/{cell.applicable}"
            return Face(counts, _interval(cell), _average(cell))


def written(cell: Judgement) -> str:
    """A cell in one line: sign and counts, and the average if it decides."""
    cell_face = face(cell)
    return (
        cell_face.count
        if cell.required is not None or not cell_face.average
        else f"{cell_face.count}, {cell_face.average}"
    )


def _interval(cell: Judgement) -> str:
    """The bounds on the deciding share or average."""
    if cell.required is not None:
        return interval(cell.low, cell.high)
    _, low, high = of_average(cell.effect, decider(cell))
    return "no bounds" if low is None or high is None else f"{low:.2g} to {high:.2g}"


def _average(cell: Judgement) -> str:
    """The deciding average; the median if a share decides."""
    which = decider(cell)
    estimate, _, _ = of_average(cell.effect, which)
    return "" if estimate is None else f"{'median' if which == 'share' else which} {estimate:.3g}"


def sign(outcome: Outcome, *, ascii_only: bool) -> str:
    """One character for an outcome."""
    look = LOOKS[outcome]
    return look.ascii_sign if ascii_only else look.sign


def interval(low: float, high: float) -> str:
    """Bounds on a share, both rounded down to a percent, so that neither crosses a required share of whole percents.

    >>> interval(0.8004, 1.0), interval(0.29, 0.7999)
    ('80-100 %', '29-79 %')
    """
    below, above = (int(100 * share + 1e-9) for share in (low, high))
    return f"{below}-{above} %"


def fill(cell: Judgement) -> Colour | None:
    """The cell's background; None if the cell was lost or untriggered."""
    if reading(cell) is not Reading.JUDGED:
        return None
    if cell.required is None:
        return DECIDED.get(cell.outcome)
    return shade(cell.held / cell.applicable, cell.required)


def shade(share: float, required: float) -> Colour:
    """White at the required share, darker orange below it and darker blue above it; both shares are in [0, 1].

    >>> shade(0.8, 0.8) == ABOVE[0], shade(0.0, 0.8) == BELOW[0], shade(1.0, 0.8) == ABOVE[-1]
    (True, True, True)
    """
    if share < required:
        return _between(BELOW, share / required)
    return _between(ABOVE, (share - required) / (1.0 - required))


def ink(background: Colour | None) -> Colour:
    """Black or white, whichever has the larger contrast on the background (WCAG 2.1, relative luminance).

    >>> ink(ABOVE[0]) == _BLACK, ink(ABOVE[-1]) == _WHITE
    (True, True)
    """
    if background is None:
        return _BLACK
    luminance = _luminance(background) + 0.05
    return _WHITE if 1.05 / luminance > luminance / 0.05 else _BLACK


def _luminance(colour: Colour) -> float:
    """Relative luminance in [0, 1] of an sRGB colour."""
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _between(stops: Sequence[Colour], place: float) -> Colour:
    """Interpolate between evenly spaced colours; `place` is in [0, 1]."""
    scaled = place * (len(stops) - 1)
    first = min(int(scaled), len(stops) - 2)
    part = scaled - first
    return Colour(*(round(a + part * (b - a)) for a, b in zip(stops[first], stops[first + 1], strict=True)))
