"""What a function says, with what it uses of its own module: by this one tells that a claim has changed."""

import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from types import CodeType, FunctionType
from typing import Any

_PLAIN = (bool, int, float, str, bytes, tuple, frozenset, type(None))


def source_of(function: Callable[..., Any]) -> list[str]:
    """The texts of a function and of the functions that it calls of its own module, and the constants they all read.

    What is imported counts by its name alone. Where a text cannot be read, the name stands for it.
    """
    found: dict[str, str] = {}
    _collect(function, found)
    return [f"{name}: {text}" for name, text in sorted(found.items())]


def _collect(value: Any, found: dict[str, str], name: str = "") -> None:
    if isinstance(value, partial):
        _collect(value.func, found, f"{name}(func)")
        for key, argument in [*enumerate(value.args), *value.keywords.items()]:
            _collect(argument, found, f"{name}({key})")
    elif isinstance(value, FunctionType):
        key = name if value.__name__ == "<lambda>" else value.__qualname__
        if key not in found:
            found[key] = _text(value)
            for used, other in _used(value):
                _collect(other, found, f"{key}.{used}")
    elif isinstance(value, _PLAIN) or hasattr(value, "canonical"):
        found[name] = repr(value)
    else:
        found[name] = str(getattr(value, "__qualname__", type(value).__qualname__))


def _used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The names that a function reads from around it: closures, and of its module functions and constants."""
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents
    for name in sorted(_names(code) & function.__globals__.keys()):
        value = function.__globals__[name]
        own = isinstance(value, FunctionType) and value.__module__ == function.__module__
        if own or isinstance(value, (*_PLAIN, partial)) or hasattr(value, "canonical"):
            yield name, value


def _names(code: CodeType) -> set[str]:
    """Names read anywhere in a function, also in the functions it defines."""
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return set(code.co_names).union(*map(_names, inner))


@lru_cache(maxsize=1024)  # a file is read once, and not for every verdict
def _text(function: FunctionType) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return function.__qualname__
