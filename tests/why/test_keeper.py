"""States kept in files while a workload is trained for the first time."""

from pathlib import Path

import pytest

from spikecheck.why import keeper as keeper_module
from spikecheck.why.keeper import Keeper
from spikecheck.why.states import States
from tests.why.planted_spikes import planted


@pytest.mark.parametrize(
    ("plant", "at", "expected"),
    [
        ("nothing", None, [768, 1024]),
        ("batches", None, [256]),
        ("nothing", 700, [256, 512]),
        ("batches", 1_100, [768, 1024]),
    ],
)
def test_the_last_two_states_before_the_spike_are_kept(
    plant: str, at: int | None, expected: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "_SHARE", 0)  # however slowly this disk writes
    training, losses = planted(None, 0, "cpu", plant=plant), [0.0][:0]
    keeper = Keeper(States(tmp_path, "run"), at)
    for _ in range(18):
        losses += training.run(64)
        keeper(training, losses)
    assert sorted(int(file.stem.rpartition("-")[2]) for file in tmp_path.glob("*.pt")) == expected
