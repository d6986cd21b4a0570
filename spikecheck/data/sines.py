"""One-dimensional regression on a sum of sines."""

import math
import re

import torch

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.data.dataset import Data

_CELLS = 256
_NUMBER = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?"
_TERM = re.compile(
    rf"""\s*(?P<sign>[+-])?
    \s*((?P<amplitude>{_NUMBER})\s*\*?)?
    \s*sin\s*(?P<open>\()?
    \s*((?P<frequency>{_NUMBER})\s*\*?)?
    \s*x\s*(?(open)\)\s*)""",
    re.VERBOSE,
)


def terms(target: str) -> tuple[tuple[float, float], ...]:
    """Amplitude and angular frequency of every sine in a target such as 'sin x + 0.5 sin 4x'.

    Raises:
        SettingError: when the target is not such a sum.

    >>> terms("sin x - 0.5 sin 4x")
    ((1.0, 1.0), (-0.5, 4.0))
    """
    pairs: list[tuple[float, float]] = []
    rest = target
    while rest or not pairs:
        term = _TERM.match(rest)
        if term is None or (pairs and term["sign"] is None):
            raise SettingError(f"target={target!r}: cannot read {rest!r}; write a sum such as 'sin x + 0.5 sin 4x'")
        sign = -1.0 if term["sign"] == "-" else 1.0
        pairs.append((sign * float(term["amplitude"] or 1), float(term["frequency"] or 1)))
        rest = rest[term.end() :]
    return tuple(pairs)


def sines(setting: Setting) -> Data:
    """The target at `points` inputs spaced evenly over [-interval pi, interval pi].

    The held-out points are the midpoints of 256 equal cells of the interval, as a cosine transform (DCT-II) needs them.
    """
    half = setting.interval * math.pi
    x = torch.linspace(-half, half, setting.points, dtype=torch.float64)[:, None]
    dense = ((2 * torch.arange(_CELLS, dtype=torch.float64) + 1) / _CELLS - 1)[:, None] * half
    return Data(x, _sum(setting.target, x), dense, _sum(setting.target, dense))


def _sum(target: str, x: torch.Tensor) -> torch.Tensor:
    return torch.stack([amplitude * torch.sin(frequency * x) for amplitude, frequency in terms(target)]).sum(0)
