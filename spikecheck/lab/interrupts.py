"""Makes sure that Ctrl-C is never lost.

Python raises KeyboardInterrupt wherever it happens to be. Inside a callback of the garbage collector or of a weak reference,
the exception is printed and dropped. So the signal is recorded as well, and training checks that record regularly.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupts:
    """A context manager that records SIGINT, in the main thread and unless the process ignores the signal."""

    def __init__(self) -> None:
        self._noted = False
        self._before: Any = None

    def check(self) -> None:
        """Raise the interrupt that was recorded, if there was one.

        Raises:
            KeyboardInterrupt: when Ctrl-C was pressed.
        """
        if self._noted:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        """Begin to record."""
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGINT)):
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the handler that was there before."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted = True
        self._before(number, frame)
