"""What several benchmarks need."""

from collections.abc import Iterator

import pytest

from spikecheck.problems.kernel import compiler


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With $SPIKECHECK_COMPILE, here and in the workers that start from now on."""
    monkeypatch.setenv("SPIKECHECK_COMPILE", "1")
    compiler.cache_clear()
    yield
    compiler.cache_clear()
