"""A project's settings for its gate in pyproject.toml, so that its CI command is just `spikecheck gate`."""

import ast
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spikecheck.core.errors import UnknownName, UsageError
from spikecheck.core.setting import Setting

KEYS = (
    "optimizer",
    "set",
    "against",
    "against-set",
    "baseline",
    "problem",
    "model",
    "dataset",
    "workload",
    "tune",
    "conditions",
    "rows",
    "seeds",
    "seed",
)
OF_THE_OPTIMIZER = ("optimizer", "options", "lr", "intervention")
"""What a setting has that a gate's conditions must not change."""


def table(folder: Path) -> dict[str, Any]:
    """The table [tool.spikecheck] of the folder's pyproject.toml; empty if there is none.

    Raises:
        UsageError: the file cannot be read, or the table has an unknown key or a value of the wrong type.
    """
    file = folder / "pyproject.toml"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
    try:
        section = _section(tomllib.loads(text), file)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file}: is not valid TOML: {error}") from error
    for key in section:
        if key not in KEYS:
            raise UnknownName("key of [tool.spikecheck]", key, KEYS)
    return {key: _value(key, value, file) for key, value in section.items()}


def _section(project: dict[str, Any], file: Path) -> dict[str, Any]:
    section: Any = project
    for name in ("tool", "spikecheck"):
        section = section.get(name, {})
        if not isinstance(section, dict):
            raise UsageError(
                f'{file}: [tool.spikecheck] is {section!r}; give a table, such as optimizer = "adam" below it'
            )
    return dict(section)


def assignments(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Parse NAME=VALUE texts; a value is a Python literal, or else text. `option` is named in errors.

    Of several texts with one name the last counts, so that a line can be extended by what differs.

    >>> assignments(["lr=1e-3", "betas=(0.9, 0.999)", "amsgrad=True", "mode=fast"], "--set")
    {'lr': 0.001, 'betas': (0.9, 0.999), 'amsgrad': True, 'mode': 'fast'}
    """
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            example = "steps=500" if option == "--at" else "lr=0.01"
            raise UsageError(f"{option} {text!r}: give NAME=VALUE, such as {option} {example}")
        values[name.strip()] = literal(value.strip())
    return values


def conditions(changes: Sequence[str], known: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The conditions that differ from a suite's settings: `known`, replaced by the CONDITION=VALUE texts of --at.

    Raises:
        UsageError: a condition belongs to the optimizer. (`Setting.but` refuses unknown conditions.)
    """
    chosen = dict(known)
    chosen |= {name: None if value == "none" else value for name, value in assignments(changes, "--at").items()}
    for name in chosen:
        if name in OF_THE_OPTIMIZER:
            raise UsageError(f"--at {name}={chosen[name]}: belongs to the optimizer; use --optimizer and --set")
        if isinstance(chosen[name], bool) and name in Setting.model_fields and _is_numeric(name):
            raise UsageError(f"--at {name}={chosen[name]}: is no number; give one, or none")
    return chosen


def _is_numeric(name: str) -> bool:
    return Setting.model_fields[name].annotation in (int, float, int | None, float | None)


def literal(text: str) -> Any:
    """A Python literal, or the text itself."""
    try:
        with warnings.catch_warnings():
            # Of a text such as 0.015in, which is no number, Python would warn on lines of its own.
            warnings.simplefilter("ignore")
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # the last two: nested too deeply
        return text
    return tuple(value) if isinstance(value, list) else value


def _value(key: str, value: Any, file: Path) -> Any:
    tables, numbers = ("set", "against-set", "conditions"), ("seeds", "seed")
    expected: type = dict if key in tables else int if key in numbers else str
    if not isinstance(value, expected) or isinstance(value, bool):
        kind = {"dict": "a table such as {lr = 0.01}", "int": "an integer", "str": "text"}[expected.__name__]
        raise UsageError(f"{file}: [tool.spikecheck] {key} = {value!r}: give {kind}")
    if isinstance(value, Mapping):
        return {name: tuple(part) if isinstance(part, list) else part for name, part in value.items()}
    return value
