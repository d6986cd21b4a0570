"""Whether there is a C++ compiler, and what is said without one."""

import shutil
import subprocess

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.tensors.compiler import compiler

pytestmark = [
    pytest.mark.skipif(shutil.which("g++") is None, reason="torch finds no C++ compiler here"),
    pytest.mark.usefixtures("compiling"),
]


@pytest.mark.parametrize("missing", ["compiler", "Python.h"])
def test_without_a_compiler_one_does_without_unless_it_is_insisted_on(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "compiler":
        monkeypatch.setenv("CXX", "no-such-compiler")
    else:
        monkeypatch.setattr("sysconfig.get_paths", lambda: {"include": "/nowhere"})
    with pytest.raises(UsageError, match="SPIKECHECK_COMPILE=1: (there is no no-such-compiler|Python.h is missing)"):
        compiler()
    monkeypatch.delenv("SPIKECHECK_COMPILE")
    assert compiler() == ""


def test_a_wrong_wish_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKECHECK_COMPILE", "yes")
    with pytest.raises(UsageError, match="SPIKECHECK_COMPILE='yes': give 0"):
        compiler()


def test_the_compiler_is_named_with_its_version_and_not_where_compiling_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is part of stored runs' digests: another version may round otherwise."""
    version = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.delenv("CXX", raising=False)
    assert compiler() == f"g++ {version}"
    monkeypatch.setenv("SPIKECHECK_COMPILE", "0")
    compiler.cache_clear()
    assert compiler() == ""
