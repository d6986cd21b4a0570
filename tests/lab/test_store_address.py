"""Where a store is opened: a folder, an address, or the place that the environment names."""

from pathlib import Path

import pytest

from spikecheck.lab.remote_store import Remote
from spikecheck.lab.store import Store
from spikecheck.lab.store_address import opened


def test_a_place_is_an_address_or_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(opened(str(tmp_path)), Store)
    assert isinstance(opened("memory://somewhere"), Remote)
    monkeypatch.setenv("SPIKECHECK_STORE", "memory://elsewhere")
    assert opened().address == "memory://elsewhere"
    monkeypatch.setenv("SPIKECHECK_STORE", str(tmp_path / "own"))
    assert opened().address == str(tmp_path / "own")
