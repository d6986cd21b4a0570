"""How a compiled kernel is called: the few lines of Python that inductor writes around a loop nest in C++.

They read sizes, allocate the results and call the loop nest. Kept on a disk they are run again without torch's compiler. Only
such lines are run: an expression of any other kind, or any other name that is called, is refused.
"""

import ast
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

_DTYPES = {name: getattr(torch, name) for name in ("float64", "float32", "int64", "int32", "uint8", "bool")}
_METHODS = ("size", "clear")
_ALLOCATES = ("empty_strided_cpu", "reinterpret_tensor")
_NEST = "cpp_fused"
_CHECK = "assert_size_stride"
_STATEMENTS = (ast.Assign, ast.Delete, ast.Expr, ast.Return)
_PLAIN = (ast.BinOp, ast.Name, ast.Subscript, ast.Tuple, ast.UnaryOp)
_PARTS = (ast.Load, ast.Store, ast.Del, ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.USub)
_INT64 = 2**63


class Unfamiliar(ValueError):
    """The lines do more than allocate tensors and call one loop nest."""


def call_in(source: str) -> str:
    """The function `call(args)` of a module that inductor has written, as source.

    Raises:
        Unfamiliar: when it could not be run by `runnable`.
    """
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and node.name == "call"
    ]
    if len(functions) != 1 or [each.arg for each in functions[0].args.args] != ["self", "args"]:
        raise Unfamiliar("there is not one method call(self, args)")
    del functions[0].args.args[0]
    functions[0].body = [statement for statement in functions[0].body if not _checks_sizes(statement)]
    text = ast.unparse(functions[0])
    _check(text)
    return text


def runnable(
    text: str, binding: Callable[..., None]
) -> tuple[Callable[[list[Tensor]], Sequence[Tensor]], dict[str, Any]]:
    """The function that `call_in` found, calling this loop nest, and its globals.

    Raises:
        Unfamiliar: when `text` is anything but such a function.
    """
    guards = torch._C._dynamo.guards  # part of torch's library; torch._dynamo is not imported
    names: dict[str, Any] = {
        "__builtins__": {},
        "torch": SimpleNamespace(**_DTYPES),
        "empty_strided_cpu": guards._empty_strided_cpu,  # type: ignore[attr-defined]
        "reinterpret_tensor": guards._reinterpret_tensor,  # type: ignore[attr-defined]
        _check(text): binding,
    }
    exec(compile(text, "<kernel>", "exec"), names)  # `_check` lets nothing else through
    return names["call"], names


def _check(text: str) -> str:
    """The name of the loop nest that is called, once."""
    try:
        (function,) = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unfamiliar(str(error)) from error
    if not isinstance(function, ast.FunctionDef) or ast.unparse(function).partition("\n")[0] != "def call(args):":
        raise Unfamiliar("not a function call(args)")
    nodes = [node for statement in function.body for node in ast.walk(statement)]
    strange = [node for node in nodes if not _plain(node)]
    if strange:
        raise Unfamiliar(ast.dump(strange[0]))
    names = [node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    nests = [name for name in names if name.startswith(_NEST)]
    if len(nests) != 1:
        raise Unfamiliar(f"{len(nests)} loop nests are called")
    return nests[0]


def _checks_sizes(statement: ast.stmt) -> bool:
    """Whether it is one of torch's checks of sizes and strides, which callers guarantee."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name.startswith(_CHECK)
    return False


def _plain(node: ast.AST) -> bool:
    """Whether a node of a known kind is also harmless: a small integer, a type of numbers, a call of what is known."""
    match node:
        case ast.Constant(value=value):
            return type(value) is int and abs(value) < _INT64
        case ast.Attribute(value=ast.Name(id=name), attr=attr):
            return attr in (_DTYPES if name == "torch" else _METHODS)
        case ast.Call(func=ast.Attribute(attr=attr), args=args, keywords=keywords):
            return attr in _METHODS and not args and not keywords
        case ast.Call(func=ast.Name(id=name), keywords=keywords):
            return not keywords and (name in _ALLOCATES or name.startswith(_NEST))
    return isinstance(node, (*_STATEMENTS, *_PLAIN, *_PARTS))
