"""The folder of our own records."""

import os
from pathlib import Path

import pytest

from spikecheck.tensors.cache import cache_folder, name_of, name_to_torch, private_folder, record, recorded


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def test_where_torch_is_told_to_cache_nothing_neither_do_we(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_FORCE_DISABLE_CACHES", "1")
    assert private_folder() is None


def test_it_is_the_users_alone_and_in_torchs_cache(place: Path) -> None:
    assert cache_folder() == str(place)
    folder = private_folder()
    assert folder == place / "spikecheck"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_one_that_others_may_write_to_is_not_used(place: Path) -> None:
    (place / "spikecheck").mkdir(parents=True)
    (place / "spikecheck").chmod(0o777)
    assert private_folder() is None


def test_where_the_user_names_none_it_is_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == str(tmp_path / "spikecheck-kernels")
    private_folder()
    assert "TORCHINDUCTOR_CACHE_DIR" not in os.environ  # what a user compiles lies where it did, unless we compile
    name_to_torch()
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == cache_folder()


def test_what_is_recorded_is_found_under_its_key_alone(place: Path) -> None:
    record(["a", 1], {"found": "b"})
    assert recorded(["a", 1]) == {"found": "b"}
    with pytest.raises(FileNotFoundError):
        recorded(["a", 2])
    (place / "spikecheck" / name_of(["a", 1])).rename(place / "spikecheck" / name_of(["a", 2]))
    assert recorded(["a", 2]) is None


def test_a_record_that_was_changed_is_none(place: Path) -> None:
    record("key", {"found": "b"})
    path = place / "spikecheck" / name_of("key")
    path.write_text(path.read_text().replace('"found": "b"', '"found": "c"'))
    assert recorded("key") is None
