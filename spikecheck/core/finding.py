"""What was seen of an optimizer before anything is gated."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One property: whether it is as one would wish, what was seen, and what follows from it."""

    good: bool
    seen: str
    means: str = ""
    fatal: bool = False
    """Whether nothing that is said of the optimizer could be believed."""
