"""Compiling by torch's inductor: what a kernel computes, and what cannot be compiled."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from spikecheck.core.activity import heard_by
from spikecheck.tensors.compile import CannotTrace, compiled

pytestmark = [
    pytest.mark.skipif(shutil.which("g++") is None, reason="torch finds no C++ compiler here"),
    pytest.mark.usefixtures("compiling"),
]


def test_a_compiler_older_than_the_processor_compiles_what_both_know(tmp_path: Path) -> None:
    """It is trusted to know the processor first, which saves the seconds of torch's own test."""
    old = tmp_path / "old-g++"
    old.write_text('#!/bin/sh\nfor word; do case "$word" in -mavx512*|-mamx*) exit 1;; esac; done\nexec g++ "$@"\n')
    old.chmod(0o755)
    script = """
import torch
from spikecheck.tensors.compile import compiled
kernel = compiled(lambda x: (x * 2 + 1,), [torch.zeros(8)], of_all_sizes=False)
print(kernel(torch.arange(8.0))[0].sum().item())
"""
    environment = {**os.environ, "CXX": str(old), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "kernels")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "64.0\n"), done.stderr


def test_compiling_is_named_while_it_goes_on() -> None:
    said: list[str] = []
    with heard_by(said.append):
        compiled(lambda x: (x * 2 + 1,), [torch.zeros(8)], of_all_sizes=False)
    assert said == ["compiling", ""]


def squares(x: Tensor, shift: Tensor) -> tuple[Tensor, ...]:
    return ((x + shift).square().sum(0), x - shift)


def test_a_kernel_of_all_sizes_computes_the_function_at_any_size() -> None:
    kernel = compiled(squares, [torch.zeros(3, 5), torch.zeros(1, 5)], of_all_sizes=True)
    draw = torch.Generator().manual_seed(0)
    for rows, columns in ((3, 5), (2, 33), (40, 7)):
        x, shift = torch.randn(rows, columns, generator=draw), torch.randn(1, columns, generator=draw)
        for mine, theirs in zip(kernel(x, shift), squares(x, shift), strict=True):
            torch.testing.assert_close(mine, theirs)


def test_a_function_that_branches_on_its_numbers_cannot_be_traced() -> None:
    with pytest.raises(CannotTrace, match="torch cannot trace"):
        compiled(lambda x: (x if x[0] > 0 else -x,), [torch.zeros(3)], of_all_sizes=False)


def test_an_operation_that_torch_refuses_to_put_into_cpp_is_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")  # torch refuses more there
    enlarged = partial(torch.nn.functional.interpolate, scale_factor=2.0, mode="bilinear")
    with pytest.raises(CannotTrace, match="torch cannot compile with"):
        compiled(lambda x: (enlarged(x),), [torch.zeros(1, 1, 3, 3)], of_all_sizes=False)


def test_a_torch_that_names_sizes_only_where_it_checks_them_is_asked_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch 2.15 does: what it had compiled without checks ended in a NameError when it was called."""
    from torch._inductor import compile_fx, config

    inner: Any = compile_fx.compile_fx_inner

    def unnamed(arguments: list[Tensor]) -> list[Tensor]:
        raise NameError("name 's49' is not defined")

    def as_in_2_15(*graph: object) -> object:
        return inner(*graph) if config.size_asserts else unnamed

    monkeypatch.setattr(compile_fx, "compile_fx_inner", as_in_2_15)
    kernel = compiled(lambda x: (x * 3 + 1,), [torch.zeros(8, 5)], of_all_sizes=True)
    assert kernel(torch.ones(4, 3))[0].sum().item() == 48.0
