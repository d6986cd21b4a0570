"""The laboratory on real trainings: companions don't matter, replays are exact, forks go on, nothing is trained twice."""

import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from spikecheck.core.errors import BudgetSpent, Interrupted, StoreError
from spikecheck.core.events import Event, RunsRead, StoreTrouble, TileAdvanced, TileStored
from spikecheck.core.intervention import Continue, FreezeOutside, LowerRate
from spikecheck.core.probe import SharpnessTrace
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.core.setting import Setting
from spikecheck.lab.batching import padded, size_of, tile_size, tiles
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry

SPIKING = Setting(steps=700)
SHORT = Setting(width=7, points=9, steps=60)


def runs(setting: Setting, seeds: range | list[int], **kwargs: object) -> dict[int, Run]:
    probe = kwargs.pop("probe", None)
    lab = kwargs.pop("lab", None) or Laboratory(**kwargs)  # type: ignore[arg-type]
    found = lab.runs([Recipe(setting=setting, seed=seed, probe=probe) for seed in seeds])  # type: ignore[attr-defined]
    return {recipe.seed: run for recipe, run in found.items()}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_companions_and_places_do_not_matter(optimizer: str, dtype: str) -> None:
    setting = SHORT.but(optimizer=optimizer, dtype=dtype, lr=0.05)
    together = runs(setting, list(range(64)))
    alone = runs(setting, [17])
    elsewhere = runs(setting, [*range(100, 140), 17, *range(200, 210)])
    for other in (alone, elsewhere):
        assert np.array_equal(together[17].loss, other[17].loss)
        assert np.array_equal(together[17].snapshots["end"].params, other[17].snapshots["end"].params)


def test_members_of_one_tile_may_differ_in_rate_target_and_initialisation() -> None:
    lab = Laboratory()
    settings = [SHORT, SHORT.but(lr=0.02), SHORT.but(target="sin 2x"), SHORT.but(init_scale=0.5)]
    mixed = lab.runs([Recipe(setting=s, seed=3) for s in settings])
    for setting in settings:
        assert np.array_equal(mixed[Recipe(setting=setting, seed=3)].loss, runs(setting, [3])[3].loss)


def test_a_plain_loop_of_torch_trains_the_same() -> None:
    import math

    import torch

    run = runs(SHORT.but(steps=20), [4])[4]
    first = torch.from_numpy(run.snapshots["start"].params.copy()).requires_grad_()
    x = torch.linspace(-2 * math.pi, 2 * math.pi, 9, dtype=torch.float64)[:, None]
    sgd = torch.optim.SGD([first], lr=0.1)
    snapshot = run.snapshots["start"]
    hidden = torch.from_numpy(snapshot.input_weights.copy())
    assert torch.equal(first[:7], hidden[:, 0])  # flat order: input weights, biases, output weights
    losses = []
    for _ in range(21):
        sgd.zero_grad()
        w, b, a = first[:7], first[7:14], first[14:]
        loss = ((torch.tanh(x * w + b) @ a - torch.sin(x[:, 0])) ** 2).mean()
        losses.append(float(loss.detach()))
        loss.backward()
        sgd.step()
    np.testing.assert_allclose(run.loss, losses, rtol=1e-10)


def test_what_is_stored_is_not_trained_again_and_replays_bit_for_bit(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = Laboratory(store)
    before = runs(SHORT, range(5), lab=first)
    second = Laboratory(store)
    after = runs(SHORT, range(5), lab=second)
    assert (first.runs_trained, second.runs_trained, second.runs_reused) == (5, 0, 5)
    fresh = runs(SHORT, range(5))
    for seed in range(5):
        assert np.array_equal(before[seed].loss, after[seed].loss)
        assert np.array_equal(before[seed].loss, fresh[seed].loss)


def test_a_damaged_record_is_trained_again_and_said_so(tmp_path: Path) -> None:
    runs(SHORT, [0, 1], lab=Laboratory(Store(tmp_path)))
    path = next(iter(tmp_path.glob("runs/*/*.safetensors")))
    path.write_bytes(path.read_bytes()[:-9])
    told: list[Event] = []
    lab = Laboratory(Store(tmp_path), observe=told.append)
    assert len(runs(SHORT, [0, 1], lab=lab)) == 2
    assert lab.runs_trained == 1
    assert any(isinstance(event, StoreTrouble) and "trained again" in event.message for event in told)


def test_a_store_that_fills_up_costs_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    told: list[Event] = []
    lab = Laboratory(Store(tmp_path), observe=told.append)

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert len(runs(SHORT, range(3), lab=lab)) == 3
    assert sum(isinstance(event, StoreTrouble) for event in told) == 1


def test_a_store_that_fills_up_halfway_makes_nothing_be_trained_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: what had been stored before, and had left memory since, was trained again when it was read back."""
    store, written = Store(tmp_path), Store.put

    def two(self: Store, digest: str, entry: Entry) -> None:
        if len(list(tmp_path.glob("runs/*/*"))) >= 2:
            raise StoreError("full")
        written(self, digest, entry)

    monkeypatch.setattr(Store, "put", two)
    monkeypatch.setattr("spikecheck.lab.run_cache.MEMORY", 0)
    lab = Laboratory(store)
    blocks = [[Recipe(setting=SHORT.but(lr=lr), seed=seed) for seed in range(3)] for lr in (0.1, 0.05)]
    assert [len(found) for found in lab.each(blocks)] == [3, 3]
    assert lab.runs_trained == 6
    assert not lab.stores


def test_a_calm_twin_is_calmer_and_a_frozen_one_moves_along_one_direction() -> None:
    lab = Laboratory()
    free = runs(SPIKING.but(intervention=Continue(horizon=100)), range(8), lab=lab)
    calm = runs(SPIKING.but(intervention=LowerRate(factor=0.25, horizon=100)), range(8), lab=lab)
    assert free
    for seed, run in free.items():
        assert len(calm[seed].loss) == 401
        assert calm[seed].loss.max() < run.loss.max()
    frozen = runs(SPIKING.but(intervention=FreezeOutside(at="onset", horizon=20)), range(8), lab=lab)
    moved = [run.snapshots["end"].params - run.snapshots["start"].params for run in frozen.values()]
    longer = runs(SPIKING.but(intervention=FreezeOutside(at="onset", horizon=25)), range(8), lab=lab)
    also = [run.snapshots["end"].params - run.snapshots["start"].params for run in longer.values()]
    for a, b in zip(moved, also, strict=True):
        assert abs(a @ b) == pytest.approx(np.linalg.norm(a) * np.linalg.norm(b), rel=1e-9)


def test_a_trace_shows_the_sharpness_at_every_checkpoint() -> None:
    run = runs(SHORT.but(steps=200), [0], probe=SharpnessTrace())[0]
    assert list(run.records["sharpness"]["steps"]) == [0, 50, 100, 150]


def test_what_is_forgotten_comes_back_from_the_store_and_without_one_nothing_is(tmp_path: Path) -> None:
    stored, alone = Laboratory(Store(tmp_path)), Laboratory()
    for lab in (stored, alone):
        first = runs(SHORT, range(3), lab=lab)
        lab.forget()
        again = runs(SHORT, range(3), lab=lab)
        assert lab.runs_trained == 3
        assert all(np.array_equal(first[seed].loss, again[seed].loss) for seed in first)
    assert again[0] is first[0]


def test_a_deadline_stops_between_ticks_and_keeps_finished_tiles(tmp_path: Path) -> None:
    lab = Laboratory(Store(tmp_path), deadline=time.monotonic() - 1)
    with pytest.raises(BudgetSpent):
        runs(SHORT, range(3), lab=lab)
    assert isinstance(lab.stopped, BudgetSpent)


def test_ctrl_c_keeps_every_finished_tile(tmp_path: Path) -> None:
    seen = 0

    def press(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, TileAdvanced)
        if seen > 1:
            raise KeyboardInterrupt

    setting = SHORT.but(steps=100)
    lab = Laboratory(Store(tmp_path), observe=press)
    with pytest.raises(Interrupted):
        runs(setting, range(80), lab=lab)
    assert Store(tmp_path).info().entries == tile_size(setting)


def test_tiles_hold_one_signature_each_and_lose_nothing() -> None:
    recipes = [
        Recipe(setting=Setting(width=w, lr=lr), seed=s) for w in (20, 200) for lr in (0.1, 0.2) for s in range(50)
    ]
    laid = tiles(recipes)
    assert {r for tile in laid for r in tile} == set(recipes)
    for tile in laid:
        assert len({r.setting.signature for r in tile}) == 1
        assert len(tile) <= size_of(tile[0]) == len(padded(tile))


def test_blocks_are_trained_in_one_go_and_counted_once(tmp_path: Path) -> None:
    """With a store they are read back from it, without one they are the same; asked again, all of them are reused."""
    blocks = [[Recipe(setting=Setting(width=3, steps=30, lr=lr), seed=seed) for seed in range(3)] for lr in (0.1, 0.05)]
    told: list[Event] = []
    storing = Laboratory(Store(tmp_path), observe=told.append)
    plain, again = Laboratory(), Laboratory(Store(tmp_path))
    expected = plain.runs([recipe for block in blocks for recipe in block])
    for lab in (plain, storing, again):
        found = list(lab.each(blocks))
        assert [list(block) for block in found] == blocks
        assert all(np.array_equal(run.loss, expected[recipe].loss) for block in found for recipe, run in block.items())
    assert (storing.runs_trained, storing.runs_reused) == (6, 0)
    assert (again.runs_trained, again.runs_reused) == (0, 6)
    assert (
        len([event for event in told if isinstance(event, TileStored)]) == 1
    )  # one tile: the settings differ in lr alone


def test_spikes_of_runs_that_were_trained_before_are_counted_once(tmp_path: Path) -> None:
    """Regression: `0 spikes found` where 47 of 64 reused runs spiked."""
    recipes = [Recipe(setting=Setting(width=10, steps=400, lr=0.2), seed=seed) for seed in range(4)]
    found = Laboratory(Store(tmp_path)).runs(recipes)
    spikes = sum(len(run.spikes) for run in found.values())
    assert spikes > 0
    told: list[Event] = []
    again = Laboratory(Store(tmp_path), observe=told.append)
    again.runs(recipes[:2])
    list(again.each([recipes]))
    assert sum(event.spikes for event in told if isinstance(event, RunsRead)) == spikes
    fresh: list[Event] = []
    Laboratory(Store(tmp_path / "other"), observe=fresh.append).runs(recipes)
    assert sum(event.spikes or 0 for event in fresh if isinstance(event, TileStored)) == spikes
    assert not any(isinstance(event, RunsRead) for event in fresh)


def test_a_block_that_is_damaged_before_it_is_read_is_trained_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    block = [Recipe(setting=Setting(width=3, steps=30), seed=seed) for seed in range(2)]
    Laboratory(store).runs(block)
    (file, _) = sorted((tmp_path / "runs").glob("??/*"))
    file.write_bytes(b"nothing")
    troubles: list[Event] = []
    lab = Laboratory(store, observe=troubles.append)
    (found,) = lab.each([block])
    assert list(found) == block
    assert lab.runs_trained == 1
    assert any(isinstance(event, StoreTrouble) for event in troubles)


def test_what_a_fork_starts_from_is_trained_again_where_the_store_has_dropped_it_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is too small, or that somebody empties, costs time and no answer."""
    forked = [Recipe(setting=SHORT.but(intervention=Continue(horizon=20, at="end")), seed=seed) for seed in range(3)]
    expected = Laboratory().runs(forked)
    monkeypatch.setattr("spikecheck.lab.run_cache.MEMORY", 0)
    monkeypatch.setattr(Store, "get", lambda store, digest: None)
    lab = Laboratory(Store(tmp_path))
    found = lab.runs(forked)
    assert all(np.array_equal(found[recipe].loss, expected[recipe].loss) for recipe in forked)
    assert lab.runs_trained == 3 + 3 + 3


def test_an_interrupt_that_a_callback_swallows_is_not_lost() -> None:
    """Regression: Ctrl-C during a callback of the garbage collector's was printed and forgotten, and training went on."""
    lost: list[str] = []

    def swallows(*_: object) -> None:
        if not lost:
            lost.append("once")
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    lab = Laboratory(observe=swallows)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted):
        lab.runs([Recipe(setting=Setting(width=3, steps=500), seed=0)])
    assert lost
    assert signal.getsignal(signal.SIGINT) is before
