"""How one cell of a map looks: a sign and counts that need no colour, and a shade that says the share at a glance."""

from dataclasses import dataclass

from spikecheck.core.scope import Reading, reading
from spikecheck.core.verdict import Judgement
from spikecheck.report.outcomes import LOOKS

Colour = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""

# Orange to blue over white: told apart under every common colour blindness (Brewer's PuOr and RdBu lend the halves).
_BELOW: tuple[Colour, ...] = ((179, 88, 6), (224, 130, 20), (253, 184, 99), (254, 224, 182), (247, 247, 247))
_ABOVE: tuple[Colour, ...] = ((247, 247, 247), (209, 229, 240), (146, 197, 222), (67, 147, 195), (33, 102, 172))
_BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True)
class Face:
    """What is written into a cell."""

    sign: str
    count: str

    @property
    def width(self) -> int:
        """Characters with one blank between sign and count."""
        return len(self.sign) + 1 + len(self.count)


def face(cell: Judgement, *, ascii_only: bool = False) -> Face:
    """Sign and counts. A cell whose share may not be read says why instead, in a form that is no share."""
    match reading(cell):
        case Reading.LOST:
            return Face("~", f"{cell.numerical_failures} lost")
        case Reading.UNTRIGGERED:
            return Face("." if ascii_only else "·", f"n={cell.applicable}")
        case Reading.JUDGED:
            look = LOOKS[cell.outcome]
            return Face(look.ascii_sign if ascii_only else look.sign, f"{cell.held}/{cell.applicable}")


def fill(cell: Judgement) -> Colour | None:
    """The cell's background; None where its share may not be read."""
    if reading(cell) is not Reading.JUDGED:
        return None
    return shade(cell.held / cell.applicable, cell.required)


def shade(share: float, required: float) -> Colour:
    """White at the required share, ever darker orange below it and blue above; all in [0, 1].

    >>> shade(0.8, 0.8), shade(0.0, 0.8), shade(1.0, 0.8)
    ((247, 247, 247), (179, 88, 6), (33, 102, 172))
    """
    if share < required:
        return _between(_BELOW, share / required)
    return _between(_ABOVE, (share - required) / (1.0 - required))


def ink(background: Colour) -> Colour:
    """Black or white, whichever has the larger contrast on the background (WCAG 2.1, relative luminance).

    >>> ink((247, 247, 247)), ink((33, 102, 172))
    ((0, 0, 0), (255, 255, 255))
    """
    luminance = _luminance(background) + 0.05
    return _WHITE if 1.05 / luminance > luminance / 0.05 else _BLACK


def _luminance(colour: Colour) -> float:
    """Relative luminance in [0, 1] of an sRGB colour."""
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _between(stops: tuple[Colour, ...], place: float) -> Colour:
    """A colour on evenly spaced stops, at `place` in [0, 1]."""
    scaled = place * (len(stops) - 1)
    first = min(int(scaled), len(stops) - 2)
    part = scaled - first
    red, green, blue = (round(a + part * (b - a)) for a, b in zip(stops[first], stops[first + 1], strict=True))
    return red, green, blue
