"""States in files: they come back to the bit, whole or not at all, and run nothing."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from spikecheck.core.errors import CorruptEntry, StoreError, UsageError
from spikecheck.watch import checkpoint as module
from spikecheck.watch.checkpoint import load_checkpoint, save_checkpoint
from spikecheck.watch.training import Training
from workloads.gpt import gpt
from workloads.mlp import mlp
from workloads.resnet import resnet


@pytest.mark.parametrize("workload", [gpt, mlp, resnet])
def test_a_training_goes_on_from_a_file(workload: Any, tmp_path: Path) -> None:
    training = workload(None, 0, "cpu")
    losses = training.run(3)
    save_checkpoint(tmp_path / "deep" / "state", training.snapshot(), losses=losses)
    wanted = training.run(3)
    other = workload(None, 0, "cpu")
    found = load_checkpoint(tmp_path / "deep" / "state")
    assert found is not None
    other.restore(found.snapshot)
    assert found.about == {"losses": losses}
    assert other.run(3) == wanted
    assert other.steps == 6


def test_no_file_is_no_checkpoint(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "none") is None


@pytest.mark.parametrize("cut", [0, 10, 40, 2_000, -1])
def test_a_file_that_was_cut_or_changed_is_refused(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "state"
    save_checkpoint(path, mlp(None, 0, "cpu").snapshot())
    raw = bytearray(path.read_bytes())
    path.write_bytes(raw[:cut])
    with pytest.raises(CorruptEntry, match="checksum does not fit; delete it"):
        load_checkpoint(path)
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(CorruptEntry, match="checksum"):
        load_checkpoint(path)


class Planted:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("it was run",))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_forged_file_runs_nothing(tmp_path: Path, zipped: bool) -> None:
    import hashlib
    import io

    buffer = io.BytesIO()
    if zipped:
        torch.save({"format": module._FORMAT, "values": Planted()}, buffer)
    else:
        buffer.write(pickle.dumps(Planted()))
    content = buffer.getvalue()
    (tmp_path / "state").write_bytes(hashlib.sha256(content).digest() + content)
    with pytest.raises(CorruptEntry, match="cannot be read"):
        load_checkpoint(tmp_path / "state")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = mlp(None, 0, "cpu")
    path = tmp_path / "state"
    save_checkpoint(path, training.snapshot(), mark=1)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="No space left on device; free space"):
        save_checkpoint(path, training.snapshot(), mark=2)
    found = load_checkpoint(path)
    assert found is not None and found.about == {"mark": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


class Odd:
    """Its state is a set."""

    def state_dict(self) -> dict[str, Any]:
        return {"seen": {1, 2}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        assert state["seen"] == {1, 2}


def test_what_a_file_cannot_keep_is_named(tmp_path: Path) -> None:
    training = Training(step=float, batches=[1], state={"odd": Odd()})
    training.restore(training.snapshot())
    with pytest.raises(UsageError, match=r"state\['odd'\]\['state'\]\['seen'\]: holds a set"):
        save_checkpoint(tmp_path / "state", training.snapshot())
