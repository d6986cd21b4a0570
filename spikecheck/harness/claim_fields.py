"""What the parts of a claim have to be, so that a slip in a claim file is named when the file is read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import isawaitable, isgenerator
from math import isnan
from textwrap import shorten
from typing import Any

from spikecheck.core.errors import SettingError

_SHOWN = 60
"""Characters of a wrong value that an error message shows."""

_WORDS = {"NoneType": "None", "ProbeRecord": "probe, such as Anatomy()"}
"""Names of kinds as a claim's author knows them, where they differ."""

TAKEN = ("reference", "suspect")
"""Roles under which a verification collects its answers: a setting off the ladders of that name would take their place."""


def check_text(owner: object, *names: str) -> None:
    """Check that these fields of `owner` are texts.

    Raises:
        SettingError: one is not.
    """
    for name in names:
        value = getattr(owner, name)
        if not isinstance(value, str):
            raise SettingError(f"{name}={shown(value)}: give a text in quotes")


def check_functions(owner: object, *names: str) -> None:
    """Check that these fields of `owner` are functions, or mappings of names to functions; None is left out.

    Raises:
        SettingError: one is not.
    """
    for name in names:
        for part, value in _parts(name, getattr(owner, name)):
            if not callable(value):
                raise SettingError(f"{part}={shown(value)}: give a function")


def check_kinds(owner: object, kinds: Mapping[str, type | tuple[type, ...]], *, several: bool = False) -> None:
    """Check that fields of `owner` are of the given kinds: each value itself, or if `several` each item of a tuple.

    Raises:
        SettingError: one is not.
    """
    for name, kind in kinds.items():
        value = getattr(owner, name)
        words = _named(kind)
        if several and not isinstance(value, tuple | list):
            raise SettingError(f"{name}={shown(value)}: give a tuple, such as ({words}(…),)")
        for item in value if several else [value]:
            if not isinstance(item, kind):
                raise SettingError(f"{name}={shown(item)}: give a {words}")


def check_mapping(owner: object, name: str, kind: type = object) -> None:
    """Check that a field of `owner` is a mapping from names to values of a kind.

    Raises:
        SettingError: it is not.
    """
    value = getattr(owner, name)
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise SettingError(f"{name}={shown(value)}: give a dictionary with a name for each value")
    for key, item in value.items():
        if not isinstance(item, kind):
            raise SettingError(f"{name}[{key!r}]={shown(item)}: give a {_named(kind)}")


def check_free(name: str, keys: Iterable[str]) -> None:
    """Check that no setting off the ladders is named after an answer of the verification itself.

    Raises:
        SettingError: one is.
    """
    for key in keys:
        if key in TAKEN:
            raise SettingError(f"{name}: {key!r} is the name of another answer; give the setting another name")


def number(returned: Any) -> float:
    """What a measure returned, as a number. A text is none, even if it reads like one.

    Raises:
        TypeError, ValueError: it is no single number.
    """
    if isinstance(returned, str | bytes):
        raise TypeError
    return float(returned)


def truth(returned: Any) -> bool:
    """What a precondition returned, as a truth value.

    What Python takes for true or false by accident is refused: None, where `return` was forgotten; a text; NaN; and a
    function that was not called, which would always be true.

    Raises:
        TypeError, ValueError: it is no truth value.
    """
    accident = returned is None or isinstance(returned, str | bytes) or callable(returned)
    unknown = isinstance(returned, float) and isnan(returned)
    if accident or unknown or isawaitable(returned) or isgenerator(returned):
        raise TypeError
    return bool(returned)


def shown(value: object) -> str:
    """A wrong value as an error message shows it."""
    return shorten(repr(value), _SHOWN, placeholder=" …")


def _parts(name: str, value: object) -> Sequence[tuple[str, object]]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [(f"{name}[{key!r}]", item) for key, item in value.items()]
    return [(name, value)]


def _named(kind: type | tuple[type, ...]) -> str:
    kinds: Sequence[Callable[..., object] | type] = kind if isinstance(kind, tuple) else (kind,)
    return " or ".join(_WORDS.get(one.__name__, one.__name__) for one in kinds)
