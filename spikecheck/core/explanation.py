"""A claim in words, as the harness describes it and the report shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Explanation:
    """A claim in words, ready to be rendered."""

    id: str
    kind: str
    says: str
    where: str
    reference: Mapping[str, Any]
    axes: Mapping[str, Sequence[Any]]
    beside: Mapping[str, Mapping[str, Any]]
    arms: Sequence[tuple[str, str]]
    measure: str
    unit: str
    rule: str
    control: Sequence[str]
    also_not: Sequence[str]
    positive: Sequence[str]
    quotes: str
    reading: str
    cannot_tell: str
    definitions: Mapping[str, str]
    source: str
    workload: Sequence[str] = ()
    """The options that verify a claim of workloads at its reference; empty for other claims."""
    folder: str = ""
    """The --claims-path that finds the claim; empty if not needed."""
