"""Compiles functions of tensors to machine code by torch's inductor, once per process, on request for all sizes.

A kernel takes two or three seconds to compile; one that another process has compiled loads in milliseconds
(`kernel_records`). It is vectorised along the last axis and masked at that axis's end, so a number's bits depend neither on
the axis's length nor on its place.
"""

import logging
import os
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from spikecheck.core.activity import busy
from spikecheck.core.errors import UsageError
from spikecheck.tensors import kernel_records
from spikecheck.tensors.cache import name_to_torch
from spikecheck.tensors.compiler import compiler
from spikecheck.tensors.kernel import Kernel

_OPTIONS = {
    # Inductor would store a value that is read twice and depends on four or more others; here recomputing it is faster.
    "realize_reads_threshold": 1_000,
    "realize_opcount_threshold": 1_000,
    # Callers guarantee the sizes; checking them would take a twentieth of a small step.
    "size_asserts": False,
}
_TRUSTING = {} if "TORCHINDUCTOR_VEC_ISA_OK" in os.environ else {"cpp.vec_isa_ok": True}
"""Assume that the compiler supports the processor's vector instructions; torch would compile a test program to find out."""
_IMPORTED = ("torch._guards", "torch._inductor.compile_fx", "torch.fx.experimental.symbolic_shapes")


class CannotTrace(UsageError):
    """A function that torch's compiler cannot take, on any machine: it can't be traced, or has operations without C++."""


def compiled(function: Callable[..., Sequence[Tensor]], example: Sequence[Tensor], of_all_sizes: bool) -> Kernel:
    """Compile the function for contiguous tensors like those of the example.

    With `of_all_sizes`, the kernel serves all sizes with the same types and numbers of axes. An axis of length 0 or 1 in the
    example must always have that length; the lengths of all others should differ from one another.

    Raises:
        CannotTrace: when the function fails on tensors without data, or torch has no C++ for one of its operations.
        UsageError: when the C++ compiler or the disk fails.
    """
    name_to_torch()
    key = kernel_records.key_of(function, example, of_all_sizes, compiler())
    recorded = kernel_records.kernel(key)
    if recorded is not None:
        return recorded
    try:
        with busy("compiling"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's compiler imports what torch calls deprecated
            graph = _compiled(function, example, of_all_sizes)
    except CannotTrace:
        raise
    except Exception as error:
        refused = UsageError if _of_the_machine(error) else CannotTrace
        raise refused(
            f"torch cannot compile with {compiler()} ({type(error).__name__}); set SPIKECHECK_COMPILE=0 to disable compiling"
        ) from error
    run = getattr(graph, "current_callable", None)
    kernel = Kernel(graph, getattr(getattr(run, "__func__", None), "__globals__", {}))
    if not (getattr(graph, "constants", None) or getattr(graph, "inputs_to_check", None)):
        kernel_records.record_kernel(key, kernel, getattr(graph, "source_code", ""))
    return kernel


def _compiled(function: Callable[..., Sequence[Tensor]], example: Sequence[Tensor], of_all_sizes: bool) -> Any:
    """Inductor's result for the function."""
    # Imported here: it takes a second, which users who do not compile should not wait for.
    guards, inductor, shapes = (import_module(name) for name in _IMPORTED)
    table = import_module("torch._inductor.decomposition").select_decomp_table()
    make_fx = import_module("torch.fx.experimental.proxy_tensor").make_fx
    # Its thousand lines are meant for TORCH_TRACE files; pytest would show them with every failure of a user's test.
    logging.getLogger("torch.__trace").propagate = False
    fake = FakeTensorMode(shape_env=shapes.ShapeEnv())

    def sized(tensor: Tensor) -> Tensor:
        free, fixed = shapes.DimDynamic.DYNAMIC, shapes.DimDynamic.STATIC
        sizes = [free if size > 1 and of_all_sizes else fixed for size in tensor.shape]
        return fake.from_tensor(tensor, symbolic_context=shapes.StatelessSymbolicContext(dynamic_sizes=sizes))

    fakes = [sized(tensor) for tensor in example]
    try:
        with fake:
            graph = make_fx(partial(function), decomposition_table=table)(*fakes)  # fx miscounts a method's arguments
            if _writes(graph):
                functional = import_module("torch.func").functionalize(graph, remove="mutations_and_views")
                graph = make_fx(functional, decomposition_table=table)(*fakes)
    except Exception as error:
        raise CannotTrace(f"torch cannot trace {function} ({type(error).__name__})") from error

    def made(options: dict[str, Any]) -> Callable[[list[Tensor]], Sequence[Tensor]]:
        # Without a tracing context, torch does not use its cache.
        with guards.tracing(guards.TracingContext(fake)), import_module("torch._inductor.config").patch(options):
            return inductor.compile_fx_inner(graph, fakes)  # type: ignore[no-any-return]

    try:
        options = {**_OPTIONS, **_TRUSTING}
        whole = made(options)
    except Exception:  # the compiler may be older than the processor: torch then tests, for seconds, what both know
        _doubt()
        options = dict(_OPTIONS)
        whole = made(options)
    return whole if _knows_its_sizes(whole, example) else made({**options, "size_asserts": True})


def _knows_its_sizes(graph: Callable[[list[Tensor]], Sequence[Tensor]], example: Sequence[Tensor]) -> bool:
    """Whether the compiled function can be called. Torch 2.15 names the sizes of its arguments only where it checks them."""
    try:
        graph(list(example))
    except NameError:
        return False
    return True


def _writes(graph: Any) -> bool:
    """Whether an operation of the graph writes into its argument, as in torch's GRU.

    Inductor takes for granted that none does: of such a graph it compiles another gradient.
    """
    schemas = (getattr(node.target, "_schema", None) for node in graph.graph.nodes)
    return any(schema is not None and schema.is_mutable for schema in schemas)


def _of_the_machine(error: Exception) -> bool:
    """Whether the C++ compiler or the disk has failed, and not torch at the function."""
    known = import_module("torch._inductor.exc")
    cause = getattr(error, "inner_exception", error)
    return isinstance(cause, known.CppCompileError | known.InvalidCxxCompiler | OSError | MemoryError)


def _doubt() -> None:
    """Clear torch's cached assumptions about the processor's instructions."""
    known = import_module("torch._inductor.cpu_vec_isa")
    for remembered in (known.valid_vec_isa_list, *(type(isa).__bool__ for isa in known.supported_vec_isa_list)):
        getattr(remembered, "cache_clear", lambda: None)()
