"""What decides the digest of a workload's suite."""

from typing import Any

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.gate.workload_suite import WORKLOAD_ROWS, workload_suite


def test_a_suite_follows_what_decides_it() -> None:
    def suite(**changes: Any) -> str:
        return workload_suite({"workload": "mlp", **changes}, 8, 0, WORKLOAD_ROWS).digest

    assert suite() == suite(steps=500) != suite(steps=400)
    assert suite() != suite(dropout=0.2)
    with pytest.raises(UsageError):
        suite(nothing=1)
