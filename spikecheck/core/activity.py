"""Names for the pauses in training, such as starting workers or compiling, and the listeners that display them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str], None]
_listeners: list[Listener] = []


def tell(doing: str) -> None:
    """Send every listener the name of the current activity; the empty string says that it is over."""
    for listener in _listeners:
        listener(doing)


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """Report the body of the `with` block to every listener under this name.

    >>> with heard_by(print), busy("compiling"):
    ...     pass
    compiling
    <BLANKLINE>
    """
    tell(doing)
    try:
        yield
    finally:
        tell("")


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Register the listener for the body of the `with` block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
