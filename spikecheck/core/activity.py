"""What a process does in place of training: starting workers, compiling. Whoever listens is told: a pause has a name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str], None]
_listeners: list[Listener] = []


def tell(doing: str) -> None:
    """Tell every listener what is being done; nothing in particular where it is empty."""
    for listener in _listeners:
        listener(doing)


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """What is done in here has this name.

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
    """In here, the listener is told."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
