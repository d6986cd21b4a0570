"""Ctrl-C that cannot be lost.

Python raises KeyboardInterrupt wherever it happens to be; where that is a callback of the garbage collector's or of a weak
reference's, it is printed and forgotten. So it is noted as well, and whoever trains looks at the note now and then.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupts:
    """Notes SIGINT while it is entered, in the main thread and where it is not ignored."""

    def __init__(self) -> None:
        self._noted = False
        self._before: Any = None

    def check(self) -> None:
        """Raise what was noted.

        Raises:
            KeyboardInterrupt: when Ctrl-C was pressed.
        """
        if self._noted:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        """Begin to note."""
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGINT)):
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """As it was before."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted = True
        self._before(number, frame)
