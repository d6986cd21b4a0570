"""A store is read through: every damaged file is named, and nothing else is touched."""

from pathlib import Path

import numpy as np
import pytest

from spikecheck.lab.store import Store
from spikecheck.lab.store_check import StoreChecked, checked
from spikecheck.lab.store_format import Entry, seal

DIGESTS = ["ab" * 32, "cd" * 32, "ef" * 32]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Trainings of workloads, which are no runs of recipes, and two checkpoints."""
    store = Store(tmp_path / "store")
    for digest in DIGESTS:
        store.put(digest, Entry({"losses": np.arange(20.0)}, {"diverged": False}))
    (store.folder / "checkpoints").mkdir(exist_ok=True)
    for name in ("one", "two"):
        (store.folder / "checkpoints" / f"{name}.pt").write_bytes(seal(b"state") + b"state")
    return store


def test_a_whole_store_has_no_damage_and_every_record_is_told(store: Store) -> None:
    ticks: list[None] = []
    assert checked(store, lambda: ticks.append(None)) == StoreChecked(3, 2, ())
    assert len(ticks) == 3


def test_a_record_with_one_wrong_bit_is_named_and_set_aside(store: Store) -> None:
    path = next(store.folder.glob(f"runs/*/{DIGESTS[1]}.safetensors"))
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    found = checked(store, lambda: None)
    assert (found.records, found.checkpoints) == (3, 2)
    (line,) = found.damaged
    assert DIGESTS[1][:12] in line and "damaged" in line
    assert checked(store, lambda: None) == StoreChecked(2, 2, ())


def test_a_record_that_claims_to_be_a_run_and_is_none_is_named(store: Store) -> None:
    store.put(DIGESTS[0], Entry({"loss": np.ones(2)}, {"format": 2}))
    assert len(checked(store, lambda: None).damaged) == 1


@pytest.mark.parametrize("content", [b"", seal(b"state") + b"stat", seal(b"other") + b"state"])
def test_a_checkpoint_that_is_not_what_was_sealed_is_named_and_removed(store: Store, content: bytes) -> None:
    path = store.folder / "checkpoints" / "one.pt"
    path.write_bytes(content)
    found = checked(store, lambda: None)
    assert (found.checkpoints, len(found.damaged)) == (2, 1)
    assert found.damaged[0].startswith("checkpoint one.pt is damaged")
    assert not path.exists()
    assert checked(store, lambda: None) == StoreChecked(3, 1, ())


def test_drafts_of_other_writers_are_left_alone(store: Store) -> None:
    draft = store.folder / "checkpoints" / ".draft.pt"
    draft.write_bytes(b"half")
    assert checked(store, lambda: None) == StoreChecked(3, 2, ())
    assert draft.exists()
