"""Writes a claim's maps as pictures, one file a map, and checks before training that they can be written."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from spikecheck.core.errors import UsageError
from spikecheck.core.scope import ScopeMap
from spikecheck.report import atomic_write
from spikecheck.report.scope_figure import Form, drawn

_FORMS: Mapping[str, Form] = {".png": "png", ".svg": "svg"}


def names(path: Path, count: int) -> list[Path]:
    """Files of the figures of `count` maps: the path itself for one map, numbered paths for several.

    >>> [str(name) for name in names(Path("m.png"), 2)]
    ['m-1.png', 'm-2.png']
    """
    if count == 1:
        return [path]
    return [path.with_stem(f"{path.stem}-{number}") for number in range(1, count + 1)]


def check(paths: Sequence[Path], count: int) -> None:
    """Check before a long training that the figures of `count` maps can be written.

    Raises:
        UsageError: a suffix is neither .png nor .svg, or a file cannot be written.
    """
    for path in paths:
        if path.suffix.lower() not in _FORMS:
            raise UsageError(f"--figure {path}: ends in neither .png nor .svg; give such a name")
        for name in names(path, count):
            atomic_write.check(name, "--figure")


def write(maps: ScopeMap, paths: Sequence[Path]) -> None:
    """Draw every map once for every path.

    Raises:
        UsageError: a file cannot be written.
    """
    for path in paths:
        for scope, name in zip(maps.scopes, names(path, len(maps.scopes)), strict=True):
            content = drawn(scope, maps.reference, f"{maps.claim}: {maps.says}", _FORMS[path.suffix.lower()])
            atomic_write.write(content, name, "--figure")
