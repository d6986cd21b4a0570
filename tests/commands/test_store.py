"""The commands of the store."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from spikecheck.cli.main import cli
from spikecheck.core.errors import UsageError
from spikecheck.lab.store import Store
from tests.lab.stored import stored


def test_store_info_and_prune(spikecheck: Any, small_claim: Any, capsys: Any) -> None:
    Path("mine").mkdir()
    Path("mine", "lowers.py").write_text(small_claim(steps=40, below=1.0))
    assert spikecheck("verify", "--claims-path", "mine", "--claim", "lowers", "--quiet", "--executor", "local") == 0
    told = []
    for words in (("info",), ("prune", "--keep", "0"), ("info",)):
        capsys.readouterr()
        assert spikecheck("store", *words) == 0
        told.append(capsys.readouterr().out)
    before, pruned, after = told
    assert "runs," in before and "0 runs" not in before
    assert "removed" in pruned
    assert "0 runs" in after


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return stored(tmp_path)


def called(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    code: Any = done.return_value
    return code, done.output


def test_the_commands_verify_and_audit_exit_by_what_they_find(store: Store) -> None:
    folder = str(store.folder)
    assert called("store", "verify", "--store", folder) == (0, "4 runs and 0 checkpoints read; 0 damaged\n")
    code, said = called("store", "audit", "--store", folder, "--one-in", "1")
    assert code == 0
    assert "4 of 4 stored runs drawn: 4 the same bit by bit, 0 differ" in said
    path = min(store.folder.glob("runs/*/*.safetensors"))
    path.write_bytes(path.read_bytes()[:-1])
    (store.folder / "checkpoints").mkdir()
    (store.folder / "checkpoints" / "x.pt").write_bytes(b"half")
    code, said = called("store", "verify", "--store", folder)
    assert code == 1
    assert said.endswith("4 runs and 1 checkpoint read; 2 damaged\n")
    assert called("store", "verify", "--store", folder)[0] == 0
    assert called("store", "audit", "--store", folder, "--one-in", "1")[0] == 0


@pytest.mark.parametrize("command", ["info", "verify", "audit", "prune"])
def test_a_folder_that_is_no_store_is_not_made_one(command: str, tmp_path: Path) -> None:
    """Regression: `store verify` of a misspelt folder made it, read 0 runs, and ended with 0."""
    (tmp_path / "others").mkdir()
    for folder in (tmp_path / "misspelt", tmp_path / "others"):
        result = CliRunner().invoke(cli, ["store", command, "--store", str(folder)], standalone_mode=False)
        assert isinstance(result.exception, UsageError)
        assert "holds no stored runs" in str(result.exception)
    assert not (tmp_path / "misspelt").exists()
    assert list((tmp_path / "others").iterdir()) == []
