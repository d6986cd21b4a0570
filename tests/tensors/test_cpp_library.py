"""Libraries made from C++: compiled once, with the rounding that Python's own numbers have."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from spikecheck.core.activity import heard_by
from spikecheck.tensors.cpp_library import library_of

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler here")

MULTIPLY_AND_ADD = 'extern "C" double made(double a, double b, double c) { return a * b + c; }'


@pytest.fixture(autouse=True)
def an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))


def test_a_product_is_rounded_before_it_is_added_to() -> None:
    """a b = 1 - 2^-54 rounds to 1, so that adding -1 gives 0; fused with the addition it would give -2^-54."""
    function = library_of(MULTIPLY_AND_ADD).made
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * 3
    a, b = 1 + 2.0**-27, 1 - 2.0**-27
    assert function(a, b, -1.0) == a * b - 1.0 == 0.0


def test_it_is_compiled_once_and_the_user_is_told_while_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with heard_by(said.append):
        library_of(MULTIPLY_AND_ADD)
    assert said == ["compiling", ""]

    def compiles(*command: object, **options: object) -> None:
        raise AssertionError(command)

    monkeypatch.setattr(subprocess, "run", compiles)
    assert library_of(MULTIPLY_AND_ADD).made is not None


def test_a_source_that_the_compiler_refuses_raises_as_documented() -> None:
    with pytest.raises(subprocess.SubprocessError):
        library_of("no C++")


def test_without_a_compiler_it_raises_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(OSError, match="No such file"):
        library_of("// another source\n" + MULTIPLY_AND_ADD)
