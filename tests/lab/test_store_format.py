"""A record as bytes: what comes back, and what is noticed."""

from pathlib import Path

import numpy as np

from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry

DIGEST = "ab" * 32


def test_any_memory_order_comes_back(tmp_path: Path) -> None:
    square = np.arange(12.0).reshape(3, 4)
    store = Store(tmp_path)
    store.put(
        DIGEST,
        Entry({"columns": np.asfortranarray(square), "strided": square[::-2, 1:], "big": square.astype(">f8")}, {}),
    )
    found = store.get(DIGEST)
    assert found is not None
    np.testing.assert_array_equal(found.arrays["columns"], square)
    np.testing.assert_array_equal(found.arrays["strided"], square[::-2, 1:])
    np.testing.assert_array_equal(found.arrays["big"], square)
