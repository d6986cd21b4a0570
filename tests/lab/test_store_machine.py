"""The store against a dictionary, whatever happens to its folder: what was stored is whole or absent, never wrong.

Hypothesis chooses what happens: puts, reads and prunes by two stores of one folder, writers that die or meet an error at any
system call, two writers at once, a disk that takes only so many bytes, a folder that cannot be written, bytes and names
that change, clocks that jump. `store verify` must find what the model knows to be damaged, and nothing else.
"""

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from safetensors import SafetensorError
from safetensors.numpy import load

from spikecheck.core.errors import CorruptEntry
from spikecheck.lab import store as store_file
from spikecheck.lab.store import Store
from spikecheck.lab.store_check import checked
from spikecheck.lab.store_format import Entry, pack
from tests.lab.failing_calls import DIED, DIES, TOLD, Calls, begun, ended, in_child, told

resource: Any = pytest.importorskip("resource", reason="has no resource limits, and no fork")

NUMBERS = st.integers(0, 7)
WHICH = st.sampled_from([0, 1])
NOBODY = 65_534
_TICK = 0.02
"""Seconds within which two files may have the same time of change: two ticks of a kernel's coarse clock."""
State = Literal["absent", "whole", "damaged"]


def digest_of(number: int) -> str:
    return f"{number % 2:02x}{number:010x}{'0' * 52}"


def entry_of(number: int) -> Entry:
    """What is stored under a number: two writers of one digest write the same, as two trainings of one recipe do."""
    return Entry({"a": np.full(40 * (number + 1), number / 3)}, {"n": number})


def is_whole(raw: bytes, number: int) -> bool:
    """Whether a file holds what is stored under a number, read without the store's own code."""
    with suppress(SafetensorError, KeyError, ValueError):
        about = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
        arrays, expected = load(raw), entry_of(number)
        same = {name: array.tobytes() for name, array in arrays.items()} == {"a": expected.arrays["a"].tobytes()}
        return same and (about["digest"], json.loads(about["about"])) == (digest_of(number), expected.about)
    return False


def is_entry(entry: Entry | None, number: int) -> bool:
    """Whether a store's answer is what is stored under a number."""
    return entry is not None and is_whole(pack(digest_of(number), entry), number)


SIZES = {number: len(pack(digest_of(number), entry_of(number))) for number in range(8)}
BYTES = sum(SIZES.values())

DAMAGES: dict[str, Callable[[bytes, int], bytes]] = {
    "cut": lambda raw, at: raw[: at % len(raw)],
    "flip": lambda raw, at: raw[: at % len(raw)] + bytes([raw[at % len(raw)] ^ 1 << at % 8]) + raw[at % len(raw) + 1 :],
    "grow": lambda raw, at: raw + b"\0" * (at % 9 + 1),
    "zero": lambda raw, at: bytes(len(raw)),
    "other": lambda raw, at: pack("ee" * 32, entry_of(at % 8)),
    "empty": lambda raw, at: b"",
}


class StoreMachine(RuleBasedStateMachine):
    """Two stores of one folder, and the states of its files as they must be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="spikecheck-store-"))
        self.folder.chmod(0o755)  # for a child that is nobody
        self.model: dict[int, State] = {}
        self.damages: dict[int, bytes] = {}
        """What damaged files hold, by their numbers."""
        self.aside: set[int] = set()
        """Numbers whose damaged files were set aside."""
        self.clock = 0.0
        """Seconds by which the store's clock is ahead of the files'."""
        self.limit = 10 * BYTES
        self.foreign: set[Path] = set()
        """Files whose names no store gives."""
        self.clocks = pytest.MonkeyPatch()

    @initialize(limit=st.sampled_from([10 * BYTES, BYTES // 2, SIZES[7] - 1]))
    def open(self, limit: int) -> None:
        self.limit = limit
        self.clocks.setattr(store_file, "time", SimpleNamespace(time=self._now))
        self.stores = [Store(self.folder / "store", limit) for _ in range(2)]

    def teardown(self) -> None:
        self.clocks.undo()
        shutil.rmtree(self.folder)

    # ---- what a user's programs do -------------------------------------------------------------------------------------

    @rule(number=NUMBERS, which=WHICH)
    def put(self, number: int, which: int) -> None:
        files = self._files()
        self.stores[which].put(digest_of(number), entry_of(number))
        self.model[number] = "whole"
        self._allow_eviction(files, number)

    @rule(number=NUMBERS, which=WHICH, way=st.sampled_from(["get", "peek"]))
    def read(self, number: int, which: int, way: str) -> None:
        look = getattr(self.stores[which], way)
        if self._state(number) == "damaged":
            with pytest.raises(CorruptEntry, match="set aside"):
                look(digest_of(number))
            self._set_aside(number)
        entry = look(digest_of(number))
        assert is_entry(entry, number) if self._state(number) == "whole" else entry is None

    @rule(which=WHICH, share=st.floats(0, 1.2))
    def prune_to_size(self, which: int, share: float) -> None:
        keep, order = int(share * BYTES), self._by_use()
        kept = self._most_recent(order, keep)
        pruned = self.stores[which].prune(keep_bytes=keep)
        assert (pruned.removed, pruned.left) == (len(order) - len(kept), sum(map(self._size, kept)))
        self._keep(kept)

    @rule(which=WHICH, age=st.sampled_from([600.0, 1e7]))
    def prune_by_age(self, which: int, age: float) -> None:
        now = self._now()
        kept = [number for number in self._by_use() if now - self._used(number) <= age]
        self.stores[which].prune(older_than=age)
        self._keep(kept)

    @rule(which=WHICH)
    def reopen(self, which: int) -> None:
        self.stores[which] = Store(self.folder / "store", self.limit)
        assert list((self.folder / "store" / "unfinished").iterdir()) == []

    @rule(which=WHICH)
    def verify(self, which: int) -> None:
        report = checked(self.stores[which], lambda: None)
        damaged = {number for number, state in self.model.items() if state == "damaged"}
        assert report.records == len(self.model)
        assert {line.split()[2] for line in report.damaged} == {digest_of(number)[:12] for number in damaged}
        assert len(report.damaged) == len(damaged)
        for number in damaged:
            self._set_aside(number)

    # ---- what happens to them ------------------------------------------------------------------------------------------

    @rule(number=NUMBERS, last=st.integers(1, 14), end=st.sampled_from([DIES, errno.ENOSPC, errno.EIO]))
    def put_until_a_call_fails(self, number: int, last: int, end: str | int) -> None:
        files, before = self._files(), self._state(number)

        def act() -> int:
            Calls(self.folder, last, end)
            return told(lambda: self.stores[0].put(digest_of(number), entry_of(number)))

        code = in_child(act)
        assert code in ({0, DIED} if end == DIES else {0, TOLD})
        seen = self._seen(number)
        if code == 0 or seen == "whole":
            self.model[number] = "whole"
        assert code == 0 or seen in {before, "whole", "absent"}
        self._allow_eviction(files, number, finished=code == 0)

    @rule(ones=st.lists(NUMBERS, max_size=3), others=st.lists(NUMBERS, max_size=3))
    @precondition(lambda self: self.limit > BYTES)
    def put_by_two_processes(self, ones: list[int], others: list[int]) -> None:
        def act(numbers: list[int], store: Store) -> int:
            for number in numbers:
                store.put(digest_of(number), entry_of(number))
                assert is_entry(store.get(digest_of(number)), number)
            return 0

        children = [begun(lambda: act(ones, self.stores[0])), begun(lambda: act(others, self.stores[1]))]
        assert [ended(child) for child in children] == [0, 0]
        self.model |= dict.fromkeys([*ones, *others], "whole")

    @rule(number=NUMBERS, share=st.floats(0, 0.99))
    def put_on_a_full_disk(self, number: int, share: float) -> None:
        """The kernel takes a part of the file and no more."""

        def act() -> int:
            most = int(share * SIZES[number])
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            return told(lambda: self.stores[0].put(digest_of(number), entry_of(number)))

        assert in_child(act) == TOLD

    @rule(number=NUMBERS)
    def use_a_folder_that_cannot_be_written(self, number: int) -> None:
        state = self._state(number)

        def act() -> int:
            if os.geteuid() == 0:  # to root, no folder is read-only
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            assert told(lambda: Store(self.folder / "store")) == TOLD
            assert told(lambda: self.stores[1].put(digest_of(number), entry_of(number))) == TOLD
            with suppress(CorruptEntry):
                entry = self.stores[1].get(digest_of(number))
                assert is_entry(entry, number) if state == "whole" else entry is None
            return 0

        with self._read_only():
            assert in_child(act) == 0

    @rule(number=NUMBERS, how=st.sampled_from(sorted(DAMAGES)), at=st.integers(0, 10_000))
    def damage(self, number: int, how: str, at: int) -> None:
        if self._state(number) == "whole":
            self.damages[number] = DAMAGES[how](self._path(number).read_bytes(), at)
            self._path(number).write_bytes(self.damages[number])
            self.model[number] = "damaged"

    @rule(one=NUMBERS, other=NUMBERS)
    def rename_to_anothers_name(self, one: int, other: int) -> None:
        if self._state(one) == "whole" and one != other:
            self._path(other).parent.mkdir(exist_ok=True)
            self._path(one).replace(self._path(other))
            del self.model[one]
            self.model[other], self.damages[other] = "damaged", self._path(other).read_bytes()

    @rule(number=NUMBERS, name=st.sampled_from(["mine.safetensors", "AB.safetensors", "x" * 64 + ".safetensors"]))
    def rename_to_no_name_of_a_store(self, number: int, name: str) -> None:
        if number in self.model:
            elsewhere = self._path(number).with_name(name)
            self._path(number).replace(elsewhere)
            self.foreign.add(elsewhere)
            del self.model[number]

    @rule(number=NUMBERS)
    def remove(self, number: int) -> None:
        self._path(number).unlink(missing_ok=True)
        self.model.pop(number, None)

    @rule(seconds=st.sampled_from([-1e9, -4000.0, 0.0, 4000.0, 1e9]))
    def let_the_clock_jump(self, seconds: float) -> None:
        self.clock = seconds

    @rule(number=NUMBERS, seconds=st.floats(-1e8, 1e8))
    def let_a_files_time_jump(self, number: int, seconds: float) -> None:
        if number in self.model:
            at = time.time() + seconds
            os.utime(self._path(number), (at, at))

    # ---- what holds after every step -----------------------------------------------------------------------------------

    @invariant()
    def is_as_the_model_says(self) -> None:
        assert all(path.exists() for path in self.foreign)
        for number in range(8):
            assert self._seen(number) == self._state(number)
        for store in self.stores:
            assert store.digests() == sorted(map(digest_of, self.model))
            assert all((digest_of(number) in store) == (number in self.model) for number in range(8))
            info = store.info()
            assert (info.entries, info.corrupt) == (len(self.model), len(self.aside))
            assert info.size == sum(map(self._size, self.model))

    # ---- the model -----------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        """What the store takes for the time."""
        return time.time() + self.clock

    def _path(self, number: int) -> Path:
        digest = digest_of(number)
        return self.folder / "store" / "runs" / digest[:2] / f"{digest}.safetensors"

    def _state(self, number: int) -> State:
        return self.model.get(number, "absent")

    def _seen(self, number: int) -> State:
        path = self._path(number)
        if not path.exists():
            return "absent"
        raw = path.read_bytes()
        if raw == self.damages.get(number):
            return "damaged"
        assert is_whole(raw, number)
        return "whole"

    def _used(self, number: int) -> float:
        return self._path(number).stat().st_mtime

    def _size(self, number: int) -> int:
        return self._path(number).stat().st_size

    def _files(self) -> dict[int, tuple[float, int]]:
        """The last use and size of every file there."""
        return {number: (self._used(number), self._size(number)) for number in self.model}

    def _by_use(self) -> list[int]:
        """The numbers there, the least recently used first."""
        return sorted(self.model, key=lambda number: (self._used(number), self._size(number), self._path(number)))

    def _most_recent(self, order: list[int], keep: int) -> list[int]:
        """The longest end of a list of numbers whose files have at most so many bytes together."""
        return next(order[first:] for first in range(len(order) + 1) if sum(map(self._size, order[first:])) <= keep)

    def _keep(self, kept: list[int]) -> None:
        self.model = {number: state for number, state in self.model.items() if number in kept}
        self.aside = set()

    def _allow_eviction(self, files: dict[int, tuple[float, int]], put: int, *, finished: bool = True) -> None:
        """After a put, the store may have kept itself below its limit; `files` are those before.

        Then the least recently used are gone. No more are gone than must be, and no fewer unless it was ended meanwhile.
        """
        files[put] = (time.time(), SIZES[put])
        gone = {number for number in self.model if self._seen(number) == "absent"}
        kept = self.model.keys() - gone
        if gone:
            assert max(files[number][0] for number in gone) <= min((files[n][0] for n in kept), default=np.inf) + _TICK
            assert sum(files[n][1] for n in kept) + max(files[n][1] for n in gone) > self.limit
            assert not finished or sum(files[n][1] for n in kept) <= self.limit
        self.model = {number: state for number, state in self.model.items() if number in kept}
        self.aside = {number for number in self.aside if self._path(number).with_suffix(".corrupt").exists()}

    def _set_aside(self, number: int) -> None:
        del self.model[number]
        self.aside.add(number)

    @contextmanager
    def _read_only(self) -> Iterator[None]:
        folders = [path for path in [self.folder / "store", *(self.folder / "store").rglob("*")] if path.is_dir()]
        for folder in folders:
            folder.chmod(0o555)
        try:
            yield
        finally:
            for folder in folders:
                folder.chmod(0o755)


TestStoreMachine: Any = StoreMachine.TestCase
