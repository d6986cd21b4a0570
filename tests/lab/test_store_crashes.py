"""A store whose writer dies, or meets an error, at any one of its system calls."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from spikecheck.lab.store import Store
from spikecheck.lab.store_check import checked

OLD, NEW = "ab" * 32, "cd" * 32

# Puts two records, one of them there already, and meets its end at the n-th call. Python announces its calls to audit hooks;
# those of a write and a flush are announced by the file itself. Exits with 0 where there are fewer calls than n.
WRITER = """
import os, sys, numpy as np
from pathlib import Path
import spikecheck.core.whole_file as whole_file
from spikecheck.core.errors import StoreError
from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry

root, end = Path(sys.argv[1]), sys.argv[2]
CALLS = {"open", "os.rename", "os.remove", "os.mkdir", "fcntl.flock", "os.utime", "os.scandir", "os.listdir"}
last = made = 0

def call(name):
    global made
    made += 1
    if made == last:
        if end == "dies":
            os._exit(9)
        raise OSError(int(end), os.strerror(int(end)))

def hook(event, arguments):
    if event in CALLS and (event == "fcntl.flock" or str(folder) in str(arguments[0])):
        call(event)

created = whole_file._created

def announced(*place):
    file, path = created(*place)
    write, flush = file.write, file.flush
    class File:
        def write(self, part):
            half = len(part) // 2
            write(part[:half]); flush(); call("write"); write(part[half:])
        def flush(self):
            flush(); call("flush")
        def fileno(self): return file.fileno()
        def __enter__(self): return self
        def __exit__(self, *error): file.close()
    return File(), path

whole_file._created = announced
sys.addaudithook(hook)

def put_and_get():
    try:
        store = Store(folder)
        for digest in ("ab" * 32, "cd" * 32):
            store.put(digest, Entry({"a": np.arange(2000.0)}, {}))
        store.get("cd" * 32)
        store.prune()
    except StoreError as error:
        assert "\\n" not in str(error)
        return 4
    return 0 if made < last else 3

code = 1
while code:
    last += 1
    folder = root / str(last)
    child = os.fork()
    if not child:
        code = 70
        try:
            code = put_and_get()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no such calls")
@pytest.mark.parametrize("end", ["dies", str(errno.ENOSPC), str(errno.EIO)])
def test_whichever_call_fails_the_store_stays_whole(tmp_path: Path, end: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WRITER, tmp_path, end], capture_output=True, text=True, timeout=60, check=True
    )
    *codes, last = map(int, ended.stdout.split())
    assert last == 0
    assert len(codes) > 15
    assert set(codes) <= ({9} if end == "dies" else {3, 4}), ended.stderr
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
