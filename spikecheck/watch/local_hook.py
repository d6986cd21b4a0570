"""A hook that stays with the object it was put on."""

from collections.abc import Callable


class LocalHook:
    """A hook that copies of what it is on, and pickles of it, do without."""

    def __init__(self, note: Callable[[], None] | None = None) -> None:
        self._note = note

    def __call__(self, *_: object) -> None:
        """Note the pass."""
        if self._note is not None:
            self._note()

    def __reduce__(self) -> tuple[type["LocalHook"], tuple[()]]:
        return LocalHook, ()
