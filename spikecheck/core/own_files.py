"""The user's own files that a module consists of: its file, and what it imports that is not installed.

Imports are read from the files' texts, also those within functions. A module that is loaded counts with the file that it came
from; others are looked for where Python would find them, and are not imported. A module whose name is made at run time is not
found.
"""

import ast
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import resolve_name
from pathlib import Path

_OURS = Path(__file__).parents[1]
_INSTALLED = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
_PACKAGES = frozenset({"site-packages", "dist-packages"})


def own_files(module: str, file: Path) -> list[Path]:
    """The module's file, then the user's own files that it imports, directly or not.

    Of an installed module only its own file counts, and neither Python's nor installed ones, nor spikecheck's, are followed.

    Args:
        module: the module's name, with the packages it lies in.
        file: where it is.
    """
    found: dict[Path, None] = {}
    left = [(module, file), *_named_files([module.rpartition(".")[0]])]
    while left:
        name, path = left.pop()
        if path not in found:
            found[path] = None
            left += _imported_by(name, path, path.stat().st_mtime_ns)
    return [file, *sorted(found.keys() - {file})]


@lru_cache(maxsize=1024)
def _imported_by(module: str, file: Path, changed: int) -> list[tuple[str, Path]]:
    """Names and files of the user's own modules that a file imports; `changed` tells its versions apart."""
    return list(_named_files(_imports(module, file))) if file.suffix == ".py" else []


def _named_files(names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Names and files of the user's own among these modules and the packages that they lie in."""
    for name in dict.fromkeys(_with_packages(names)):
        if (file := _own(name)) is not None:
            yield name, file


def _imports(module: str, file: Path) -> Iterator[str]:
    """Every name in the file that may be that of an imported module."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _of_from(node, package)


def _of_from(node: ast.ImportFrom, package: str) -> Iterator[str]:
    try:
        base = resolve_name("." * node.level + (node.module or ""), package or None)
    except ImportError:  # it leads out of the package, and fails when it is called
        return
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


def _with_packages(names: Iterable[str]) -> Iterator[str]:
    """The names, and those of the packages around them, whose own files are read first.

    >>> list(_with_packages(["a.b.c"]))
    ['a', 'a.b', 'a.b.c']
    """
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[: count + 1]) for count in range(len(parts)))


def _own(name: str) -> Path | None:
    """The file of a module; None where it has none, or is not the user's own."""
    top = name.partition(".")[0]
    if not top or top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return None
    loaded = getattr(sys.modules.get(name), "__file__", None)
    origin = loaded if loaded is not None else getattr(_found(name), "origin", None)
    file = Path(origin) if origin is not None else None
    return file if file is not None and file.is_file() and not _is_installed(file) else None


def _found(name: str) -> ModuleSpec | None:
    """Where Python would find a module, without importing the packages that it lies in; these may have no `__init__.py`."""
    spec, places = None, None
    for part in name.split("."):  # by the last part of its name: the path of a whole one asks for loaded packages
        spec = PathFinder.find_spec(part, places) if places is None or places else None
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or ())
    return spec


def _is_installed(file: Path) -> bool:
    installed = bool(_PACKAGES.intersection(file.parts)) or any(file.is_relative_to(folder) for folder in _INSTALLED)
    return installed or file.is_relative_to(_OURS)
