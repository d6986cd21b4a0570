"""Discovery of claims: built-in ones, those of installed packages, those in ./claims, and those in given folders."""

import importlib.util
import sys
import tomllib
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from importlib.metadata import entry_points
from pathlib import Path
from shlex import join
from types import ModuleType
from typing import Any

from spikecheck.core.errors import USERS_ERRORS, ClaimFileError, NothingSelected, UnknownName, UsageError, text_of
from spikecheck.core.setting import Setting
from spikecheck.core.workload_setting import workload_words
from spikecheck.harness.claim import Claim
from spikecheck.harness.claim_fields import shown

# In a wheel the paper's claims are inside the package; in a checkout they are in a folder next to it.
_PACKAGE = Path(__file__).parents[1]
BUILT_IN = _PACKAGE / "_claims" if (_PACKAGE / "_claims").is_dir() else _PACKAGE.parent / "claims"


@dataclass(frozen=True)
class Discovered:
    """The claims that could be read, by id, and the files that could not, with the reason."""

    claims: Mapping[str, Claim]
    unreadable: Mapping[str, str]
    of_workloads: Mapping[str, Claim] = field(default_factory=dict)
    """Claims that are judged on workloads only: those in folders called workloads, beside the others."""

    @property
    def all(self) -> "Discovered":
        """The claims of workloads among the others."""
        return replace(self, claims=dict(sorted({**self.claims, **self.of_workloads}.items())))


def discover(paths: Sequence[Path] = ()) -> Discovered:
    """Read every claim file. For equal ids the later folder wins, so a user's claim replaces a built-in one."""
    claims: dict[str, Claim] = {}
    of_workloads: dict[str, Claim] = {}
    unreadable: dict[str, str] = {}
    usual = {BUILT_IN.resolve(), Path("claims").resolve()}
    for folder in _folders(paths):
        given = "" if folder.resolve() in usual else str(folder)
        known, register = _counterexamples(folder, unreadable), _register(folder, unreadable)
        files = _files(folder)
        for file in files:
            try:
                claim = read(file)
                _check_alone(file, files)
                claims[claim.id] = replace(
                    claim, known=tuple(_known(claim, known)), folder=given, registered=register.get(claim.id, {})
                )
            except ClaimFileError as error:
                unreadable[str(file)] = str(error)
        for file in _files(folder / "workloads"):
            try:
                claim = read(file)
                of_workloads[claim.id] = replace(claim, folder=given)
            except ClaimFileError as error:
                unreadable[str(file)] = str(error)
    for name, claim in _installed(unreadable):
        claims.setdefault(name, claim)
    return Discovered(dict(sorted(claims.items())), unreadable, of_workloads)


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.glob("*.py")) if not file.name.startswith(("_", "test_", "conftest"))]


def select(discovered: Discovered, patterns: Sequence[str]) -> tuple[Claim, ...]:
    """The claims that match any of the shell-style patterns, in the order of their ids.

    Raises:
        UsageError: a pattern without wildcards names no claim, or a claim whose file could not be read.
        NothingSelected: no claim is left.
    """
    for pattern in patterns:
        if not set(pattern) & set("*?[") and pattern not in discovered.claims:
            raise missing(pattern, discovered)
    chosen = [
        c for name, c in discovered.claims.items() if any(p == name or fnmatchcase(name, p) for p in patterns or ["*"])
    ]
    if not chosen:
        raise NothingSelected(f"--claim {' '.join(patterns)}: no claim matches; `spikecheck list` shows all")
    return tuple(chosen)


def missing(claim_id: str, discovered: Discovered) -> UsageError:
    """The error for a claim id that was not found: its file could not be read, or there is none."""
    for file, reason in discovered.unreadable.items():
        if Path(file).suffix == ".py" and _named(Path(file)) == claim_id.replace("_", "-"):
            return UsageError(f"claim {claim_id!r}: its file could not be read: {reason}; fix the file")
    if claim_id in discovered.of_workloads:
        words = join(workload_words(discovered.of_workloads[claim_id].domain.reference))
        return UsageError(f"claim {claim_id!r}: is judged on a workload only; add {words}, or another workload")
    return UnknownName("claim", claim_id, discovered.claims)


def read(file: Path) -> Claim:
    """The claim that a file defines, named after the file.

    Raises:
        ClaimFileError: the file raises, or defines no `claim`.
    """
    claim = getattr(_executed(file), "claim", None)
    if not isinstance(claim, Claim):
        what = "defines no claim" if claim is None else f"its claim is {shown(claim)}, and no Claim"
        raise ClaimFileError(f"{file}: {what}; give it a module-level `claim = Claim(...)`")
    return replace(claim, id=_named(file), source=str(file))


def _named(file: Path) -> str:
    """The id of the claim that a file defines."""
    return file.stem.replace("_", "-")


def _check_alone(file: Path, files: Sequence[Path]) -> None:
    """Check that no other file of its folder gives a claim of the same id, which would silently replace it.

    Raises:
        ClaimFileError: there is one.
    """
    for other in files:
        if other != file and _named(other) == _named(file):
            raise ClaimFileError(
                f"{file}: {other.name} gives a claim of the same id, {_named(file)}; rename one of them"
            )


def _executed(file: Path) -> ModuleType:
    """Execute the file as a module with a unique name, so that two folders may have files of the same name."""
    name = f"spikecheck_claim_{abs(hash(str(file.resolve())))}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ClaimFileError(f"{file}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # inspect.getsource and dataclasses need it there
    try:
        with redirect_stdout(sys.stderr):  # what a claim prints must not mix with --json -
            spec.loader.exec_module(module)
    except USERS_ERRORS as error:  # an error in a user's file must not stop the other claims
        del sys.modules[name]
        raise ClaimFileError(f"{file}: {type(error).__name__}: {text_of(error)}{_line(file, error)}") from error
    return module


def _line(file: Path, error: BaseException) -> str:
    """The line of the file at which it raised; empty for a syntax error, which names its line itself."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file.resolve()]
    return f" (line {lines[-1]})" if lines else ""


def _folders(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        if not path.is_dir():
            raise UsageError(f"--claims-path {path}: no such folder; give the folder that contains the claim files")
    folders = [BUILT_IN, *([Path("claims")] if Path("claims").is_dir() else []), *paths]
    return list({folder.resolve(): folder for folder in folders}.values())


def _counterexamples(folder: Path, unreadable: dict[str, str]) -> list[dict[str, Any]]:
    """The rows of the folder's counterexamples.toml, its confirmed counterexamples."""
    file = folder / "counterexamples.toml"
    if not file.is_file():
        return []
    try:
        return list(tomllib.loads(file.read_text(encoding="utf-8")).get("counterexample", []))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        unreadable[str(file)] = f"{file}: {error}"
        return []


def _register(folder: Path, unreadable: dict[str, str]) -> dict[str, dict[str, str]]:
    """The folder's register.toml: for each claim and specification, whether it was committed before its first verdict."""
    file = folder / "register.toml"
    if not file.is_file():
        return {}
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("claim", {})
        return {name: {entry["specification"]: entry["registered"]} for name, entry in entries.items()}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        unreadable[str(file)] = f"{file}: {type(error).__name__}: {error}"
        return {}


def _known(claim: Claim, rows: Sequence[dict[str, Any]]) -> Iterator[Setting]:
    for row in rows:
        if row.get("claim") == claim.id:
            try:
                yield claim.domain.reference.but(**row.get("at", {}))
            except UsageError as error:
                raise ClaimFileError(f"counterexamples.toml, {claim.id}: {error}") from error


def _installed(unreadable: dict[str, str]) -> Iterator[tuple[str, Claim]]:
    """Claims of installed packages: entry points of the group `spikecheck.claims` that load to a `Claim`."""
    for point in entry_points(group="spikecheck.claims"):
        try:
            claim = point.load()
        except USERS_ERRORS as error:  # one broken package must not hide the others
            unreadable[point.value] = f"{point.value}: {type(error).__name__}: {text_of(error)}"
            continue
        if isinstance(claim, Claim):
            yield point.name, replace(claim, id=point.name, source=point.value)
        else:
            unreadable[point.value] = f"{point.value}: is not a Claim"
