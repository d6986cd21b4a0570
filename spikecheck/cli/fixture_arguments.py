"""The arguments of the pytest fixture's `gate`, checked by their types, and refusals that name Python's arguments."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spikecheck.core.errors import SettingError, UsageError
from spikecheck.core.import_path import named
from spikecheck.gate.config import OF_THE_OPTIMIZER

Optimizer = str | Callable[..., Any]
Numbers = Mapping[str, Any]
_NAMED = ("problem", "model", "workload")
"""Conditions that name an object to import."""
_LONGEST = 80
"""Characters of a value that are shown in a message."""
_IN_PYTHON = (
    (re.compile(r"--tune (lr=[^\s:;,]+)"), r'tune="\1"'),
    (re.compile(r"--(tune|rows) (?=['\"])"), r"\1="),
    (re.compile(r"--set (?=\w+=)"), ""),
    (re.compile(r"\bwith --set\b"), "as arguments"),
    (re.compile(r"(trainings of|with) --workload\b"), r"\1 a workload"),
    (re.compile(r"--workload (\w+)"), r'conditions={"workload": "\1"}'),
    (re.compile(r"write it again: "), "write it again with spikecheck gate: "),
    (re.compile(r"with --update-baseline"), "with spikecheck gate --update-baseline"),
    (re.compile(r", or --no-store"), ""),
    (re.compile(r"--store\b"), "--spikecheck-store"),
)
"""What messages say of the command line, and what a test says in its place. Only the command writes a baseline."""


def in_python(text: str) -> str:
    """A message with the fixture's arguments in place of the command line's options.

    >>> in_python("lr: no learning rate is given for adam; add --set lr=0.01")
    'lr: no learning rate is given for adam; add lr=0.01'
    """
    for option, argument in _IN_PYTHON:
        text = option.sub(argument, text)
    return text


def path_of(optimizer: Any, argument: str = "optimizer") -> str:
    """MODULE:NAME of an object; text is returned unchanged. `argument` is named in errors.

    Raises:
        SettingError: it is no class or function, or importing the name does not give the object.
    """
    if isinstance(optimizer, str):
        return optimizer
    if not (callable(optimizer) and hasattr(optimizer, "__qualname__")):
        raise SettingError(
            f"{argument}={_shown(optimizer)}: is no class and no function; give the optimizer's class, such as "
            "torch.optim.Adam, or a function at the top of a module that makes it"
        )
    path = f"{optimizer.__module__}:{optimizer.__qualname__}"
    if "<" in path or named("optimizer", path) is not optimizer:
        raise SettingError(f"{argument} {path}: cannot be imported by this name; define it at the top of a module")
    return path


def numbers_in(argument: str, given: Any, example: str) -> dict[str, Any]:
    """A dictionary with plain numbers in place of NumPy's and tuples in place of lists.

    Raises:
        UsageError: it is no dictionary, or a name in it is no text.
    """
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise UsageError(f"{argument}={_shown(given)}: give a dictionary, such as {argument}={example}")
    return {name: _plain(value) for name, value in given.items()}


def conditions_in(given: Any) -> dict[str, Any]:
    """The conditions of all trainings.

    Raises:
        UsageError: they are no dictionary, one belongs to the optimizer, or an object stands in place of its name.
    """
    conditions = numbers_in("conditions", given, '{"steps": 500}')
    for name in ("tune", *OF_THE_OPTIMIZER):
        if name in conditions:
            own = "tune" if name == "tune" else "lr and options of the optimizer"
            raise UsageError(
                f"conditions {name}={_shown(conditions[name])}: is no condition; give {own} as arguments beside conditions"
            )
    for name in _NAMED:
        if name in conditions and not isinstance(conditions[name], str):
            raise UsageError(
                f"conditions {name}={_shown(conditions[name])}: is no text; give its name as {_address(conditions[name])}"
            )
    return conditions


def names_in(rows: Any) -> str | None:
    """The names of rows with commas; from such text, or from a list or tuple of names.

    Raises:
        UsageError: it is anything else.
    """
    if isinstance(rows, list | tuple) and rows and all(isinstance(row, str) for row in rows):
        return ",".join(rows)
    return text_in("rows", rows, '"final loss,diverged", or a list of names')


def text_in(argument: str, given: Any, example: str) -> str | None:
    """Text, or None.

    Raises:
        UsageError: it is anything else.
    """
    if given is not None and not isinstance(given, str):
        raise UsageError(f"{argument}={_shown(given)}: is no text; give text such as {argument}={example}")
    return given


def file_in(argument: str, given: Any) -> Path | None:
    """A file's path, or None.

    Raises:
        UsageError: it is neither text nor a path.
    """
    if given is None:
        return None
    if not isinstance(given, str | Path):
        raise UsageError(
            f'{argument}={_shown(given)}: is no path; give text or a Path, such as {argument}="baseline.json"'
        )
    return Path(given)


def whole(given: Any) -> Any:
    """NumPy's whole number as Python's; all else unchanged, as it is checked later."""
    return given.item() if isinstance(given, np.integer) else given


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_plain(part) for part in value)
    return value.item() if isinstance(value, np.generic) else value


def _address(value: Any) -> str:
    """The text that names an object, or how such text looks where nothing names it."""
    name = getattr(value, "__qualname__", "<>")
    return "text, MODULE:FACTORY" if "<" in name else f'text, MODULE:FACTORY, here "{value.__module__}:{name}"'


def _shown(value: Any) -> str:
    """A value in one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
