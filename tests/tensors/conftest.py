"""Where compiling is insisted on."""

from collections.abc import Iterator

import pytest

from spikecheck.tensors.compiler import compiler


@pytest.fixture
def compiling(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is missing for it is an error; whether there is a compiler is looked up anew before and after."""
    monkeypatch.setenv("SPIKECHECK_COMPILE", "1")
    compiler.cache_clear()
    yield
    compiler.cache_clear()
