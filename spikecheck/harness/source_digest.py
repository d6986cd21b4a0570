"""What a function says, with what it uses of its own module and of the shared ones: tells that a claim has changed."""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

SHARED = ("spikecheck.arms", "spikecheck.preconditions", "spikecheck.effects")
"""Modules and packages that claims are made of: what a claim uses of them counts as if it stood in its own file."""
_PLAIN = (bool, int, float, str, bytes, frozenset, type(None))


def source_of(function: Callable[..., Any]) -> list[str]:
    """The texts of a function and of the functions that it reaches, and the constants they all read.

    It reaches those of its own module and of the shared ones, directly or through one another. Whatever else is imported
    counts by its name alone. Where a text cannot be read, the name stands for it. A function that is not reached leaves the
    answer as it is, and so do a shared function's docstring and the module that it stands in.
    """
    sources = _Sources()
    sources.add("", function)
    return [f"{name}: {text}" for name, text in sorted(sources.lines)]


@dataclass
class _Sources:
    """What has been collected so far."""

    lines: set[tuple[str, str]] = field(default_factory=set)
    reached: set[FunctionType] = field(default_factory=set)

    def add(self, name: str, value: Any) -> None:
        """A value under the name by which it is reached, and what it uses."""
        if isinstance(value, partial):
            self._add_partial(name, value)
        elif isinstance(value, FunctionType):
            self._add_function(name, value)
        elif isinstance(value, tuple | list | Mapping) and not _is_plain(value):
            for key, part in value.items() if isinstance(value, Mapping) else enumerate(value):
                self.add(f"{name}[{key!r}]", part)
        elif _is_plain(value) or hasattr(value, "canonical"):
            self.lines.add((name, repr(value)))
        else:
            self.lines.add((name, getattr(value, "__qualname__", type(value).__qualname__)))

    def _add_partial(self, name: str, value: "partial[Any]") -> None:
        """Its arguments alone and not its docstring; one of another is the same as one of both's arguments."""
        function, positional, keywords = value.func, value.args, value.keywords
        while isinstance(function, partial):
            positional, keywords = (*function.args, *positional), {**function.keywords, **keywords}
            function = function.func
        self.add(f"{name}(func)", function)
        for key, argument in [*enumerate(positional), *keywords.items()]:
            self.add(f"{name}({key})", argument)

    def _add_function(self, name: str, function: FunctionType) -> None:
        if function in self.reached:
            return
        self.reached.add(function)
        key = name if function.__name__ == "<lambda>" else function.__qualname__
        self.lines.add((key, _text(function)))
        for used, value in _used(function):
            self.add(f"{key}.{used}", value)


def _is_plain(value: Any) -> bool:
    """Whether a value's repr says all of it; that of a function would be an address."""
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(_is_plain(key) and _is_plain(part) for key, part in value.items())
    return isinstance(value, _PLAIN)


def _used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The names that a function reads from around it: closures, functions, constants, and functions of shared modules."""
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents
    names = _names(code)
    for name in sorted(names & function.__globals__.keys()):
        value = function.__globals__[name]
        if isinstance(value, ModuleType) and _is_shared(value.__name__):
            yield from _of_module(value, names)
        elif isinstance(value, FunctionType):
            if value.__module__ == function.__module__ or _is_shared(value.__module__):
                yield name, value
        elif isinstance(value, tuple | list | dict | partial) or _is_plain(value) or hasattr(value, "canonical"):
            yield name, value


def _of_module(module: ModuleType, names: set[str]) -> Iterator[tuple[str, Any]]:
    """What goes by any of these names in a shared module, or in the modules of a shared package."""
    for name in sorted(names & vars(module).keys()):
        value = vars(module)[name]
        if isinstance(value, ModuleType) and value.__name__.startswith(f"{module.__name__}."):
            yield from _of_module(value, names)
        elif isinstance(value, FunctionType) or _is_plain(value):
            yield name, value


def _is_shared(module: str) -> bool:
    return any(module == shared or module.startswith(f"{shared}.") for shared in SHARED)


def _names(code: CodeType) -> set[str]:
    """Names read anywhere in a function, also in the functions it defines."""
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return set(code.co_names).union(*map(_names, inner))


@lru_cache(maxsize=1024)  # a file is read once, and not for every verdict
def _text(function: FunctionType) -> str:
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        return function.__qualname__
    return _without_docstring(text) if _is_shared(function.__module__) else text


def _without_docstring(text: str) -> str:
    """A function's text without its docstring: in a shared module that can say more without a change for any claim."""
    (function,) = ast.parse(text).body
    if not isinstance(function, ast.FunctionDef) or ast.get_docstring(function) is None:
        return text
    lines, said = text.splitlines(keepends=True), function.body[0]
    return "".join(lines[: said.lineno - 1] + lines[said.end_lineno :])
