"""A store whose writer dies, or meets an error, at any one of its system calls."""

import errno
import sys
from pathlib import Path

import numpy as np
import pytest

from spikecheck.lab.store import Store
from spikecheck.lab.store_check import checked
from spikecheck.lab.store_format import Entry
from tests.lab.failing_calls import DIED, DIES, TOLD, Calls, in_child, told

OLD, NEW = "ab" * 32, "cd" * 32
DONE, NOT_REACHED = 3, 0
"""Exit codes: the failed call did no harm; there are fewer calls."""


def put_and_get(folder: Path, last: int, end: str | int) -> int:
    calls = Calls(folder, last, end)

    def act() -> None:
        store = Store(folder)
        for digest in (OLD, NEW):
            store.put(digest, Entry({"a": np.arange(2000.0)}, {}))
        store.get(NEW)
        store.prune()

    return told(act) or (NOT_REACHED if calls.made < last else DONE)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such calls")
@pytest.mark.parametrize("end", [DIES, errno.ENOSPC, errno.EIO])
def test_whichever_call_fails_the_store_stays_whole(tmp_path: Path, end: str | int) -> None:
    codes = [1]
    while codes[-1] != NOT_REACHED:
        last = len(codes)
        codes.append(in_child(lambda last=last: put_and_get(tmp_path / str(last), last, end)))  # type: ignore[misc]
    assert len(codes) > 15
    assert set(codes[1:-1]) <= ({DIED} if end == DIES else {DONE, TOLD})
    for folder in tmp_path.iterdir():
        is_whole(folder)


def is_whole(folder: Path) -> None:
    store = Store(folder)
    assert checked(store, lambda: None).damaged == ()
    assert list(folder.rglob("*.draft")) == []
    assert set(store.digests()) <= {OLD, NEW}
    assert store.digests() in ([], [OLD], [OLD, NEW]) or store.digests() == [NEW]
    for digest in store.digests():
        entry = store.get(digest)
        assert entry is not None
        assert entry.arrays["a"].tolist() == list(range(2000))
