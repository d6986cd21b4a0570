"""Files written whole or not at all, by writers that live and that are dead."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from spikecheck.core import whole_file
from spikecheck.core.whole_file import remove_abandoned, write_whole


def drafts(folder: Path) -> list[Path]:
    return list(folder.glob("*.draft"))


def test_all_parts_are_there_and_no_draft(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"one", memoryview(b" two"), drafts=tmp_path, flush=True)
    assert (tmp_path / "file").read_bytes() == b"one two"
    assert drafts(tmp_path) == []


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "file", b"", drafts=tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(TypeError):
        write_whole(tmp_path / "file", b"new", "no bytes", drafts=tmp_path)  # type: ignore[arg-type]
    assert (tmp_path / "file").read_bytes() == b"old"
    assert drafts(tmp_path) == []


def test_a_living_writers_draft_stays(tmp_path: Path) -> None:
    with whole_file._draft(tmp_path, "mine-", 0o600) as (file, draft):
        file.write(b"half")
        file.flush()
        assert remove_abandoned(tmp_path) == 0
        assert draft.exists()
        os.replace(draft, tmp_path / "file")
    assert drafts(tmp_path) == []


def _write_and_die(folder: str) -> None:
    with whole_file._draft(Path(folder), "theirs-", 0o600) as (file, _):
        file.write(b"half")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_dead_writers_draft_goes(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_write_and_die, args=(str(tmp_path),))
    writer.start()
    writer.join(60)
    assert writer.exitcode == -signal.SIGKILL
    assert len(drafts(tmp_path)) == 1
    assert remove_abandoned(tmp_path, "others-") == 0
    assert remove_abandoned(tmp_path, "theirs-") == len(b"half")
    assert drafts(tmp_path) == []


def test_a_prefix_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "ab.draft").touch()
    remove_abandoned(tmp_path, "*")
    assert len(drafts(tmp_path)) == 1
