"""Workers for tests, small as their work is."""

from collections.abc import Iterator

import pytest

from spikecheck.lab.execution import processes
from spikecheck.lab.execution.processes import Processes


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """Two workers that are used for any work, however small."""
    monkeypatch.setattr(processes, "WORTH_WORKERS", 0.0)
    pool = Processes(workers=2)
    yield pool
    pool.close()
