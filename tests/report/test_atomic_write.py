"""Files are written whole or not at all."""

import os
from pathlib import Path

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.report import atomic_write


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(b"old")
    atomic_write.write(b"new", file, "--json")
    assert file.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["report.json"]  # noqa: PTH208 - hidden files too


def test_a_failed_rename_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(draft: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "report.json"
    file.write_bytes(b"old")
    monkeypatch.setattr("spikecheck.core.whole_file.os.replace", full)
    with pytest.raises(UsageError, match=r"--json .*report.json: cannot be written: No space left"):
        atomic_write.write(b"new", file, "--json")
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["report.json"]  # noqa: PTH208


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    target.write_bytes(b"old")
    link.symlink_to(target)
    atomic_write.write(b"new", link, "--json")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        atomic_write.write(b"", tmp_path / "file", "--json")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to_and_not_replaced() -> None:
    atomic_write.check(Path("/dev/null"), "--json")
    atomic_write.write(b"text", Path("/dev/null"), "--json")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("name", ["missing/report.json", "."])
def test_what_cannot_be_written_is_refused_before_training(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--json .*: cannot be written; give a file in a folder"):
        atomic_write.check(tmp_path / name, "--json")
