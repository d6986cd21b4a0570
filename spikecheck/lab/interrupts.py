"""Makes sure that Ctrl-C and SIGTERM are never lost.

Python raises KeyboardInterrupt wherever it happens to be. Inside a callback of the garbage collector or of a weak reference,
the exception is printed and dropped. So the signal is recorded as well, and training checks that record regularly.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupts:
    """A context manager that records SIGINT and SIGTERM, in the main thread, each if the process has a handler for it."""

    def __init__(self) -> None:
        self._noted = False
        self._before: dict[int, Any] = {}

    def check(self) -> None:
        """Raise the interrupt that was recorded, if there was one.

        Raises:
            KeyboardInterrupt: when one of them came.
        """
        if self._noted:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        """Begin to record."""
        in_main = threading.current_thread() is threading.main_thread()
        for number in (signal.SIGINT, signal.SIGTERM) if in_main else ():
            if callable(signal.getsignal(number)):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the handlers that were there before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted = True
        self._before[number](number, frame)
