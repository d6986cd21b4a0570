"""A hook that is not copied with the object it is registered on."""

from collections.abc import Callable


class LocalHook:
    """A hook that does nothing in copies and pickles of its object."""

    def __init__(self, note: Callable[[], None] | None = None) -> None:
        self._note = note

    def __call__(self, *_: object) -> None:
        """Note the pass."""
        if self._note is not None:
            self._note()

    def __reduce__(self) -> tuple[type["LocalHook"], tuple[()]]:
        return LocalHook, ()
