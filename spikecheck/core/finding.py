"""Properties of an optimizer that are examined before a gate is run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One property: whether it is as desired, what was observed, and what follows from it."""

    good: bool
    seen: str
    means: str = ""
    fatal: bool = False
    """Whether this property makes every result about the optimizer unreliable."""
