"""Of the Python around a kernel nothing is run but what allocates and calls it."""

import pytest
import torch

from spikecheck.tensors.kernel_call import Unfamiliar, call_in, runnable

SOURCE = """
class Runner:
    def call(self, args):
        a, = args
        args.clear()
        a_size = a.size()
        s0 = a_size[0]
        b = empty_strided_cpu((2 * s0, ), (1, ), torch.float64)
        c = reinterpret_tensor(b, (s0, ), (1, ), s0)
        cpp_fused_0(a, b, s0)
        del a
        return (b, c, )
"""


def test_it_allocates_and_calls() -> None:
    def doubled(a: torch.Tensor, b: torch.Tensor, size: int) -> None:
        b[:size], b[size:] = a, 2 * a

    call, names = runnable(call_in(SOURCE), doubled)
    given = [torch.arange(3.0, dtype=torch.float64)]
    both, second = call(given)
    assert given == []
    assert both.tolist() == [0, 1, 2, 0, 2, 4]
    assert second.tolist() == [0, 2, 4]
    assert names["cpp_fused_0"] is doubled


def test_checks_of_sizes_are_left_out() -> None:
    check = "        assert_size_stride_grouped((a, ), ((s0, ), ), ((1, ), ), 'input')\n"
    assert call_in(SOURCE.replace("        b = ", check + "        b = ")) == call_in(SOURCE)


@pytest.mark.parametrize(
    "line",
    [
        "__import__('os')",
        "open('a', 'w')",
        "a.__class__",
        "a.size().__class__",
        "torch.load()",
        "torch.ops.aten.mm(a, a)",
        "x = 'text'",
        "x = 1.5",
        "x = True",
        "x = 10 ** 10",
        "x = 99999999999999999999",
        "x = [a for a in args]",
        "x = lambda: 0",
        "x = a if a else a",
        "a.size(0)",
        "empty_strided_cpu(*args)",
        "empty_strided_cpu((1,), (1,), dtype=torch.float64)",
        "eval(a)",
        "x = assert_size_stride(a)",
        "import os",
        "while a: pass",
        "cpp_fused_0(a)",  # a second time
        "cpp_fused_1(a)",
    ],
)
def test_anything_else_is_refused(line: str) -> None:
    text = SOURCE.replace("        del a\n", f"        {line}\n")
    with pytest.raises(Unfamiliar):
        call_in(text)


@pytest.mark.parametrize(
    "head",
    ["def call(args, more=open):", "def call(args) -> open():", "@open\ndef call(args):", "async def call(args):"],
)
def test_a_function_of_another_form_is_refused(head: str) -> None:
    with pytest.raises(Unfamiliar):
        runnable(f"{head}\n    cpp_fused_0(args)", print)
    runnable("def call(args):\n    cpp_fused_0(args)", print)


@pytest.mark.parametrize("text", ["", "x = 1", "def call(args:", "def call(args):\n    return args\nopen('a')", "\0"])
def test_what_is_no_such_function_is_refused(text: str) -> None:
    with pytest.raises(Unfamiliar):
        runnable(text, print)
