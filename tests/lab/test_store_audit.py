"""A stored run that is trained again has the same bits, and one that was changed is noticed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from spikecheck.cli.main import cli
from spikecheck.core.errors import UsageError
from spikecheck.core.probe import Finish
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.run_codec import recipe_of
from spikecheck.lab.store import Store
from spikecheck.lab.store_audit import audited, sampled
from spikecheck.lab.store_format import Entry

SETTING = Setting(width=5, points=8, steps=40, lr=0.02)
RECIPES = [
    *(Recipe(setting=SETTING, seed=seed) for seed in range(3)),
    Recipe(setting=SETTING, seed=0, probe=Finish()),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    Laboratory(store, "cpu").runs(RECIPES)
    return store


def results(store: Store) -> list[str]:
    return [one.result for one in audited(store, store.digests(), Laboratory(None, "cpu"), lambda: None)]


def test_every_stored_run_names_its_recipe(store: Store) -> None:
    entries = [store.peek(digest) for digest in store.digests()]
    assert {recipe_of(entry) for entry in entries if entry is not None} == set(RECIPES)


def test_what_is_trained_again_is_the_same(store: Store) -> None:
    assert results(store) == ["same"] * 4


def test_a_run_of_which_one_number_was_changed_differs(store: Store) -> None:
    digest = store.digests()[0]
    entry = store.get(digest)
    assert entry is not None
    loss = entry.arrays["loss"].copy()
    loss[7] = np.nextafter(loss[7], 2.0)
    store.put(digest, Entry({**entry.arrays, "loss": loss}, entry.about))
    (one, *others) = audited(store, store.digests(), Laboratory(None, "cpu"), lambda: None)
    assert (one.result, one.says[:10]) == ("differs", "loss by up")
    assert {other.result for other in others} == {"same"}


def test_what_was_stored_elsewhere_and_what_names_no_recipe_is_not_compared(store: Store) -> None:
    entry = store.get(store.digests()[0])
    assert entry is not None
    store.put("0" * 64, entry)  # as another version would name it
    store.put("1" * 64, Entry({"losses": np.ones(3)}, {"diverged": False}))
    store.put("2" * 64, Entry({}, {"format": 2}))
    assert sorted(results(store)) == ["damaged", "elsewhere", "same", "same", "same", "same", "workload"]


def test_one_in_n_is_drawn_by_the_seed(store: Store) -> None:
    for number in range(400):
        store.put(f"{number:064x}", Entry({}, {}))
    drawn = [sampled(store, 10, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert 15 < len(drawn[0]) < 75
    assert sampled(store, 1, 0) == store.digests()


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
    assert said.endswith("4 runs and 1 checkpoints read; 2 damaged\n")
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
