"""Whatever happens to a process or a file, what the store gives is what was put."""

import errno
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from spikecheck.core import whole_file
from spikecheck.core.errors import CorruptEntry, StoreError
from spikecheck.lab import store as store_file
from spikecheck.lab.store import DEFAULT_LIMIT, Store, default_folder, default_limit
from spikecheck.lab.store_format import FORMAT, Entry

DIGEST = "ab" * 32
DTYPES = st.sampled_from(["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8"])
ARRAYS = DTYPES.flatmap(lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)))
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)

# Puts what its digest says, whole or not; goes on until it is killed, or for as many rounds as it is told.
WRITER = """
import sys, numpy as np
from pathlib import Path
from spikecheck.lab.store_format import Entry
from spikecheck.lab.store import Store
store, size, rounds = Store(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
for number in range(50 * rounds):
    digest = f"{number % 50:064x}"
    store.put(digest, Entry({"a": np.full(size, float(number % 50))}, {"n": number % 50}))
    found = store.get(digest)
    if number % 5 == 0:
        store.prune(keep_bytes=50 * 8 * size // 2)
    assert found is None or set(found.arrays["a"]) == {found.about["n"]} == {float(number % 50)}
"""


# The kernel refuses every write beyond 4 KiB: the first half of a record reaches the disk, the rest does not.
CRAMPED = """
import resource, sys, numpy as np
from pathlib import Path
from spikecheck.core.errors import StoreError
from spikecheck.lab.store_format import Entry
from spikecheck.lab.store import Store
store = Store(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    store.put("ab" * 32, Entry({"a": np.ones(5000)}, {}))
except StoreError as error:
    print(error)
"""


def digest_of(number: int) -> str:
    return f"{number:064x}"


def written(folder: Path) -> list[Path]:
    return sorted(folder.glob("runs/*/*.safetensors"))


def writer(folder: Path, size: int, rounds: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(size), str(rounds)])


@settings(max_examples=40)
@given(st.dictionaries(NAMES.filter(lambda name: name != "__metadata__"), ARRAYS, max_size=4))
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


@pytest.mark.parametrize(
    "entry",
    [
        Entry({"a": np.zeros(2, "c16")}, {}),
        Entry({"a": np.array(["text"])}, {}),
        Entry({"a": np.array([object()])}, {}),
        Entry({"__metadata__": np.zeros(2)}, {}),
        Entry({}, {"x": float("nan")}),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path: Path, entry: Entry) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError):  # noqa: PT011 - numpy, json and safetensors each say it their way
        store.put(DIGEST, entry)
    assert written(tmp_path) == []


@pytest.mark.parametrize("digest", ["", "../../x", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_only_a_digest_names_a_file(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="64 lower-case"):
        Store(tmp_path).put(digest, Entry({}, {}))


def test_what_was_never_put_is_none(tmp_path: Path) -> None:
    assert Store(tmp_path).get(DIGEST) is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "garbage", "nested", "empty", "rename"])
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
    elif damage == "nested":
        path.write_bytes((100_000).to_bytes(8, "little") + b"[" * 100_000)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        asked = "ab" + "cd" * 31
        path.rename(path.with_name(f"{asked}.safetensors"))
    with pytest.raises(CorruptEntry, match="set aside"):
        store.get(asked)
    assert store.get(asked) is None
    assert (store.info().entries, store.info().corrupt) == (0, 1)
    store.put(asked, Entry({"a": np.arange(100.0)}, {}))
    assert store.get(asked) is not None
    assert (store.prune().removed, store.info().entries, store.info().corrupt) == (0, 1, 0)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda rest: len(rest).to_bytes(8, "little") + rest))
def test_no_file_at_all_breaks_a_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    store.put(DIGEST, Entry({}, {}))
    written(store.folder)[0].write_bytes(raw)
    with pytest.raises(CorruptEntry):
        store.get(DIGEST)


def test_no_flipped_bit_goes_unnoticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(DIGEST, Entry({"a": np.arange(3.0), "b": np.zeros((0, 2))}, {"n": 1}))
    (path,) = written(tmp_path)
    raw = path.read_bytes()
    for place in range(0, 8 * len(raw), 7):  # every byte, and every bit of some
        damaged = bytearray(raw)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(CorruptEntry):
            store.get(DIGEST)


def onto_a_full_disk(folder: Path, prefix: str, mode: int) -> tuple[BinaryIO, Path]:
    """A draft whose bytes go where the kernel says that no space is left."""
    draft = folder / f"{prefix}full.draft"
    draft.write_bytes(b"half")
    return Path("/dev/full").open("wb"), draft


def not_renamed(source: object, target: object) -> None:
    raise OSError(errno.EDQUOT, "Disk quota exceeded")


@pytest.mark.parametrize(
    ("owner", "name", "fails"),
    [(whole_file, "_created", onto_a_full_disk), (os, "replace", not_renamed)],
    ids=["write", "rename"],
)
def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, fails: Callable[..., object]
) -> None:
    store = Store(tmp_path)
    store.put(digest_of(1), Entry({}, {"n": 1}))
    before = [path for path in tmp_path.rglob("*") if path.is_file()]
    monkeypatch.setattr(owner, name, fails)
    for digest in (DIGEST, digest_of(1)):
        with pytest.raises(StoreError, match=r"(No space left|quota).*MiB are free.*prune"):
            store.put(digest, Entry({"a": np.arange(9.0)}, {"n": 2}))
    monkeypatch.undo()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == before
    assert store.get(DIGEST) is None
    kept = store.get(digest_of(1))
    assert kept is not None
    assert kept.about == {"n": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="has no resource limits")
def test_a_write_that_the_kernel_cuts_short_leaves_nothing(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", CRAMPED, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "File too large" in told.stdout
    assert "--no-store" in told.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "format"]


def test_a_file_in_place_of_the_folder_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="--no-store"):
        Store(tmp_path / "taken")


@pytest.mark.parametrize("taken", ["runs", "runs/ab", "unfinished", "format/x"])
def test_whatever_is_in_the_way_is_an_error_with_a_remedy(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("")
    with pytest.raises(StoreError, match="--no-store"):
        Store(tmp_path).put(DIGEST, Entry({}, {}))


def test_a_folder_that_cannot_be_written_is_told_before_any_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(StoreError, match=r"cannot be written.*--no-store"):
        Store(tmp_path)


def test_a_marker_that_a_power_cut_left_empty_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("")
    Store(tmp_path)
    assert (tmp_path / "format").read_text() == FORMAT


def test_a_folder_cleared_while_in_use_is_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    (tmp_path / "cache" / "format").unlink()
    (tmp_path / "cache" / "runs").rmdir()
    (tmp_path / "cache" / "unfinished").rmdir()
    store.put(DIGEST, Entry({}, {}))
    assert store.get(DIGEST) is not None


def test_a_folder_of_another_format_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("99")
    with pytest.raises(StoreError, match=r"99.*update spikecheck"):
        Store(tmp_path)


def test_prune_drops_the_least_recently_used_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(4):
        store.put(digest_of(number), Entry({"a": np.zeros(1000)}, {}))
    for number, path in enumerate(written(tmp_path)):
        os.utime(path, (number, number))
    assert (store.info().oldest, store.info().newest) == (0, 3)
    assert store.get(digest_of(0)) is not None  # reading is use
    size = store.info().size // 4
    assert store.prune(keep_bytes=2 * size) == store_file.Pruned(removed=2, freed=2 * size, left=2 * size)
    assert [store.get(digest_of(number)) is not None for number in range(4)] == [True, False, False, True]


def test_prune_drops_what_was_not_used_for_long(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(2):
        store.put(digest_of(number), Entry({}, {}))
    os.utime(written(tmp_path)[0], (1, 1))
    assert store.prune(older_than=3600).removed == 1
    assert written(tmp_path) == [tmp_path / "runs" / "00" / f"{digest_of(1)}.safetensors"]


def test_prune_takes_nothing_that_is_not_the_stores(tmp_path: Path) -> None:
    others = [tmp_path / "runs" / "v1" / "model.safetensors", tmp_path / "runs" / "mine" / f"{DIGEST}.safetensors"]
    for other in others:
        other.parent.mkdir(parents=True)
        other.write_bytes(b"precious")
    store = Store(tmp_path)
    assert store.info().entries == 0
    assert store.prune(keep_bytes=0).removed == 0
    assert all(other.exists() for other in others)


def test_a_dead_writers_draft_goes_when_the_store_is_opened_and_a_living_ones_stays(tmp_path: Path) -> None:
    Store(tmp_path).put(DIGEST, Entry({}, {}))
    unfinished = tmp_path / "unfinished"
    (unfinished / "dead.draft").write_bytes(b"half")
    with whole_file._draft(unfinished, "", 0o666) as (_, living):
        Store(tmp_path).prune()
        assert list(unfinished.iterdir()) == [living]
        living.unlink()
    assert Store(tmp_path).get(DIGEST) is not None


def test_a_pruned_draft_counts_as_freed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (tmp_path / "unfinished" / "dead.draft").write_bytes(b"half")
    assert store.prune().freed == len(b"half")


def test_without_locks_a_draft_is_abandoned_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_file, "fcntl", None)
    young, old = tmp_path / "young.draft", tmp_path / "old.draft"
    for draft in (young, old):
        draft.write_bytes(b"half")
    os.utime(old, (1, 1))
    whole_file.remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == [young]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such permissions")
def test_only_its_owner_may_enter_a_new_store(tmp_path: Path) -> None:
    Store(tmp_path / "cache" / "spikecheck")
    assert (tmp_path / "cache" / "spikecheck").stat().st_mode & 0o777 == 0o700


def test_a_store_holds_itself_under_its_limit(tmp_path: Path) -> None:
    store, limit = Store(tmp_path, limit=200_000), 200_000
    for number in range(100):
        store.put(digest_of(number), Entry({"a": np.zeros(1000)}, {}))
        os.utime(written(tmp_path)[-1], (number + 1, number + 1))
        assert store.info().size < limit * (1 + 1 / 16) + 10_000
    kept = {path.stem for path in written(tmp_path)}
    assert len(kept) > 15
    assert kept == {digest_of(number) for number in range(100 - len(kept), 100)}


@pytest.mark.parametrize(
    ("text", "size"), [("", DEFAULT_LIMIT), ("500", 500), ("2GiB", 2**31), ("1.5 kb", 1536), ("10M", 10 * 2**20)]
)
def test_the_limit_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv("SPIKECHECK_STORE_LIMIT", text)
    assert default_limit() == size


def test_the_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKECHECK_STORE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.setenv("SPIKECHECK_STORE", "")
    assert "spikecheck" in default_folder().parts


def test_a_limit_that_is_no_size_is_an_error_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKECHECK_STORE_LIMIT", "much")
    with pytest.raises(StoreError, match=r"'much'.*2GiB"):
        Store(tmp_path)


def test_writers_readers_and_pruners_share_a_folder(tmp_path: Path) -> None:
    store, writers = Store(tmp_path), [writer(tmp_path, 5000, 5) for _ in range(2)]
    while any(one.poll() is None for one in writers):
        store.prune(keep_bytes=store.info().size // 2)
    assert [one.wait() for one in writers] == [0, 0]
    assert store.info().corrupt == 0
    assert list(tmp_path.glob("unfinished/*")) == []


def test_a_killed_writer_leaves_every_entry_whole(tmp_path: Path) -> None:
    store, pause = Store(tmp_path), random.Random(0)
    for _ in range(5):
        before = max((path.stat().st_mtime for path in written(tmp_path)), default=0.0)
        one = writer(tmp_path, 200_000, 1_000)
        deadline = time.monotonic() + 20
        while max((path.stat().st_mtime for path in written(tmp_path)), default=0.0) <= before:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(pause.uniform(0.0, 0.05))
        one.kill()
        one.wait()
        for path in written(tmp_path):
            found = store.get(path.stem)
            assert found is not None
            assert set(found.arrays["a"]) == {float(found.about["n"])} == {float(int(path.stem, 16))}
    assert store.info().corrupt == 0


def test_a_run_is_stored_in_2_ms_and_loaded_in_half_of_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = Entry({f"a{number}": np.zeros(300) for number in range(17)}, {"setting": "x" * 600})  # 40 KB
    begin = time.process_time()  # of this process: another one's load is not ours
    for number in range(400):
        store.put(digest_of(number), entry)
    stored = time.process_time()
    assert all(store.get(digest_of(number)) is not None for number in range(400))
    assert stored - begin < 400 * 2e-3
    assert time.process_time() - stored < 400 * 0.5e-3
