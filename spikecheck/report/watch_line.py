"""The live line of a watched training: loss, overshoot and rate on a terminal, and warnings above it."""

import sys
import time
from collections import deque
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.text import Text

from spikecheck.core.watched import Step
from spikecheck.report.sanitize import inert
from spikecheck.watch.numbers import short

_PER_SECOND = 10
"""At most so many updates a second."""
_BARS, _ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-=*#%@"
_SHOWN = 24
"""Losses in the small curve, one from each update."""


class WatchLine:
    """A live line that is redrawn in place, with permanent warnings above it."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._ascii_only = not (console.encoding or "").lower().startswith("utf")
        # On a shared terminal the user's own output is printed above the line; elsewhere it is not redirected.
        self._screen = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
            redirect_stderr=False,
        )
        self._last = -1.0
        self._losses: deque[float] = deque(maxlen=_SHOWN)
        self._overshoot: float | None = None
        self._started = False

    def step(self, step: Step) -> None:
        """Show a step, unless the last update was less than a tenth of a second ago."""
        if step.look is not None and step.look.overshoot is not None:
            self._overshoot = step.look.overshoot
        now = self._clock()
        if now - self._last < 1.0 / _PER_SECOND:
            return
        self._last = now
        if step.loss is not None:
            self._losses.append(step.loss)
        self._start()
        self._screen.update(self.line(step), refresh=True)

    def warn(self, message: str) -> None:
        """Print a warning above the live line."""
        self._console.print(Text(f"spikecheck: {inert(message)}", style="yellow"), soft_wrap=True, highlight=False)

    def close(self) -> None:
        """Remove the line."""
        if self._started:
            self._screen.stop()
            self._started = False

    def line(self, step: Step) -> Text:
        """The live line's text."""
        loss = f"{step.loss:.4g}" if step.loss is not None else str(step.not_finite)
        rate = f"  lr {step.lr[0]:.3g}" if step.lr else ""
        parts: list[str | tuple[str, str]] = [
            f"step {step.step:,}  loss {loss:>8}  ",
            (self._curve(), "cyan"),
            "  overshoot ",
            self._shown(),
            rate,
        ]
        return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")

    def _start(self) -> None:
        if not self._started:
            self._screen.start()
            self._started = True

    def _shown(self) -> tuple[str, str]:
        if self._overshoot is None:
            return "  - ", "dim"
        return short(self._overshoot, 2), "bold red" if self._overshoot > 1.0 else "green"

    def _curve(self) -> str:
        bars = _ASCII_BARS if self._ascii_only else _BARS
        low, high = min(self._losses, default=0.0), max(self._losses, default=0.0)
        scale = (len(bars) - 1) / ((high - low) or 1.0)
        return "".join(bars[round((loss - low) * scale)] for loss in self._losses).ljust(_SHOWN)
