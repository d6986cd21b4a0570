"""What several benchmarks need."""

from collections.abc import Iterator

import pytest

from spikecheck.tensors.compiler import compiler


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Insisted on, here and in the workers that start from now on."""
    yield from _asked(monkeypatch, "1")


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Done without, here and in the workers that start from now on."""
    yield from _asked(monkeypatch, "0")


def _asked(monkeypatch: pytest.MonkeyPatch, wish: str) -> Iterator[None]:
    monkeypatch.setenv("SPIKECHECK_COMPILE", wish)
    compiler.cache_clear()
    yield
    compiler.cache_clear()
