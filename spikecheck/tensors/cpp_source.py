"""Functions of tensors written out in C++: called with symbols for tensors, they leave a statement for every operation.

A statement is one operation on a vector of numbers, in the order in which torch would make it. The functions that stand beside
the statements in C++ (`sigmoid`, `either` and so on) do what torch's functions do.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

_OPERATIONS = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "__rsub__": "{1} - {0}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "lt": "{0} < {1}",
    "abs": "absolute({0})",
    "sigmoid": "sigmoid(exponential, {0})",
    "exp": "exponential_of(exponential, {0})",
    "relu": "relu({0})",
    "sign": "sign({0})",
    "where": "either({0}, {1}, {2})",
    "zeros_like": "all(0)",
    "full_like": "all({1})",
}
"""Torch's operations in C++."""


class Symbol(torch.Tensor):
    """A tensor that stands for a name in C++. Every operation on it adds a statement to `lines` and gives a new symbol."""

    word: str
    lines: list[str]

    @classmethod
    def named(cls, name: str, lines: list[str]) -> "Symbol":
        """The symbol for a name; the statements of what is computed from it go to `lines`."""
        symbol = torch.empty(()).as_subclass(cls)
        symbol.word, symbol.lines = name, lines
        return symbol

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        operation = getattr(function, "__name__", "")
        if operation == "__get__":  # its type and shape, which a checker of annotations reads
            return super().__torch_function__(function, types, tuple(args), kwargs or {})  # type: ignore[no-untyped-call]
        if kwargs or operation not in _OPERATIONS:
            raise NotImplementedError(f"{operation} has no counterpart in C++")
        (lines, *_) = (part.lines for part in args if isinstance(part, cls))
        name = f"s{len(lines)}_$"
        lines.append(f"const auto {name} = {_OPERATIONS[operation].format(*map(_text, args))};")
        return cls.named(name, lines)


def _text(value: Any) -> str:
    return value.word if isinstance(value, Symbol) else f"NUMBER({value!r})"


def statements(
    function: Callable[[Any], Sequence[Any]], argument: str, results: Sequence[str], copies: int
) -> list[str]:
    """The statements that compute a function's first results, `copies` times side by side.

    In the names of argument and results "$" stands for a copy's number. Copies take turns, statement by statement, so that a
    processor need not wait for one result before it begins another.

    >>> statements(lambda x: (x * 2, x), "x[$]", ["y[$]"], 2)
    ['const auto s0_0 = x[0] * NUMBER(2);', 'const auto s0_1 = x[1] * NUMBER(2);', 'y[0] = s0_0;', 'y[1] = s0_1;']
    """
    lines = list[str]()
    found = function(Symbol.named(argument, lines))
    lines += [f"{name} = {symbol.word};" for name, symbol in zip(results, found, strict=False)]
    return [line.replace("$", str(copy)) for line in lines for copy in range(copies)]
