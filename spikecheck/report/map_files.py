"""A claim's maps as pictures on disk, one file a map; refused beforehand where they cannot be written."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from spikecheck.core.errors import UsageError
from spikecheck.core.scope import ScopeMap
from spikecheck.report import atomic_write
from spikecheck.report.scope_figure import Form, drawn

_FORMS: Mapping[str, Form] = {".png": "png", ".svg": "svg"}


def names(path: Path, count: int) -> list[Path]:
    """Where the figures of `count` maps go: a single one under the name itself, several under numbered ones.

    >>> [str(name) for name in names(Path("m.png"), 2)]
    ['m-1.png', 'm-2.png']
    """
    if count == 1:
        return [path]
    return [path.with_stem(f"{path.stem}-{number}") for number in range(1, count + 1)]


def check(paths: Sequence[Path], count: int) -> None:
    """Refuse before hours of training what could not be written after them.

    Raises:
        UsageError: when a name says no form that can be drawn, or nothing can be written there.
    """
    for path in paths:
        if path.suffix.lower() not in _FORMS:
            raise UsageError(f"--figure {path}: ends in neither .png nor .svg; give such a name")
        for name in names(path, count):
            atomic_write.check(name, "--figure")


def write(maps: ScopeMap, paths: Sequence[Path]) -> None:
    """Draw every map into every file asked for.

    Raises:
        UsageError: when a file can't be written.
    """
    for path in paths:
        for scope, name in zip(maps.scopes, names(path, len(maps.scopes)), strict=True):
            content = drawn(scope, maps.reference, f"{maps.claim}: {maps.says}", _FORMS[path.suffix.lower()])
            atomic_write.write(content, name, "--figure")
