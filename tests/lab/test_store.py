"""Whatever happens to a process or a file, what the store gives is what was put."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from spikecheck.core.errors import CorruptEntry, StoreError
from spikecheck.lab.store import Entry, Store

DIGEST = "ab" * 32
DTYPES = st.sampled_from([np.float64, np.float32, np.int64, np.bool_])
ARRAYS = DTYPES.flatmap(lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)))
WRITER = """
import sys, numpy as np
from pathlib import Path
from spikecheck.lab.store import Entry, Store
store, number = Store(Path(sys.argv[1])), 0
while True:
    digest = f"{number % 50:064x}"
    store.put(digest, Entry({"a": np.full(5000, float(number % 50))}, {"n": number % 50}))
    number += 1
"""


@settings(max_examples=40)
@given(st.dictionaries(st.text("abc/", min_size=1, max_size=8), ARRAYS, max_size=4))
def test_any_array_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, named: dict[str, np.ndarray]) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    store.put(DIGEST, Entry(named, {"x": [1, None, "ü"]}))
    found = store.get(DIGEST)
    assert found is not None
    assert found.about == {"x": [1, None, "ü"]}
    assert set(found.arrays) == set(named)
    for name, array in named.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        np.testing.assert_array_equal(found.arrays[name], array)
        assert not found.arrays[name].flags.writeable


def test_what_was_never_put_is_none(tmp_path: Path) -> None:
    assert Store(tmp_path).get(DIGEST) is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "garbage", "empty", "rename"])
def test_a_damaged_file_is_told_once_and_then_gone(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    store.put(DIGEST, Entry({"a": np.arange(100.0)}, {}))
    (path,) = tmp_path.glob("runs/*/*.safetensors")
    raw = bytearray(path.read_bytes())
    asked = DIGEST
    if damage == "truncate":
        path.write_bytes(raw[: len(raw) // 2])
    elif damage == "flip":
        raw[-20] ^= 4
        path.write_bytes(raw)
    elif damage == "garbage":
        path.write_bytes(b"\x80\x04 not what you think" * 20)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        asked = "ab" + "cd" * 31
        path.rename(path.with_name(f"{asked}.safetensors"))
    with pytest.raises(CorruptEntry, match="set aside"):
        store.get(asked)
    assert store.get(asked) is None
    assert store.info().corrupt == 1


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreError, match=r"No space left.*MiB are free.*prune"):
        store.put(DIGEST, Entry({"a": np.arange(9.0)}, {}))
    monkeypatch.undo()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "format"]


def test_a_file_in_place_of_the_folder_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="--no-store"):
        Store(tmp_path / "taken")


def test_a_folder_of_another_format_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("99")
    with pytest.raises(StoreError, match="99"):
        Store(tmp_path)


def test_prune_drops_the_least_recently_used_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(4):
        store.put(f"{number:064x}", Entry({"a": np.zeros(1000)}, {}))
        (path,) = tmp_path.glob(f"runs/*/{number:064x}.safetensors")
        os.utime(path, (number, number))
    size = store.info().size // 4
    assert store.prune(keep_bytes=2 * size).removed == 2
    assert [store.get(f"{number:064x}") is not None for number in range(4)] == [False, False, True, True]


def test_prune_clears_what_dead_writers_left(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(DIGEST, Entry({}, {}))
    leftover = tmp_path / "runs" / "ab" / ".part-dead"
    leftover.write_bytes(b"half")
    os.utime(leftover, (1, 1))
    store.prune()
    assert not leftover.exists()
    assert store.get(DIGEST) is not None


def test_two_writers_one_of_them_killed_leave_every_entry_whole(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)]) for _ in range(2)]
    try:
        deadline = time.monotonic() + 30
        while len(list(tmp_path.glob("runs/*/*.safetensors"))) < 50 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        writers[0].send_signal(signal.SIGKILL)
        writers[1].send_signal(signal.SIGKILL)
        for writer in writers:
            writer.wait()
    store = Store(tmp_path)
    for number in range(50):
        entry = store.get(f"{number:064x}")
        assert entry is not None
        assert set(entry.arrays["a"]) == {float(number)} == {float(entry.about["n"])}
