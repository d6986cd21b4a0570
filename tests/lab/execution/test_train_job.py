"""Memory that does not suffice: an accelerator's tile is trained by halves. There is none here, so the lack is planted."""

import weakref
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from spikecheck.core.errors import BudgetSpent, UsageError
from spikecheck.core.events import Event, TileAdvanced, WorkPlanned
from spikecheck.core.intervention import Continue, Exchange
from spikecheck.core.probe import Probe, SharpnessTrace
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab import batching
from spikecheck.lab.execution import train_job as place
from spikecheck.lab.execution.order import Job
from spikecheck.lab.execution.train_job import train_job
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.train_batch import train_tile
from spikecheck.lab.trained import Trained
from spikecheck.training.loop import Tick

SHORT = Setting(width=5, points=9, steps=120)
FULL = "CUDA out of memory. Tried to allocate 2.00 GiB."


def nothing_told(member_steps: int) -> None: ...


def recipes(count: int, setting: Setting = SHORT, probe: Probe | None = None) -> list[Recipe]:
    return [Recipe(setting=setting, seed=seed, probe=probe) for seed in range(count)]


class Room:
    """Trains here, as on a device that has room for `members`; `tried` are the sizes that came."""

    def __init__(self, members: int, error: type[Exception] = torch.OutOfMemoryError, said: str = FULL) -> None:
        self.members, self.error, self.said = members, error, said
        self.tried: list[int] = []

    def __call__(
        self,
        tile: Sequence[Recipe],
        parents: Sequence[Trained],
        device: str,
        tick: Tick,
        partners: Sequence[Trained] = (),
        size: int | None = None,
    ) -> list[Trained]:
        assert size is not None
        self.tried.append(size)
        if size > self.members:
            tick(100 * size)  # it comes when some of the work is done
            raise self.error(self.said)
        return train_tile(tile, parents, "cpu", tick, partners, size)


def planted(monkeypatch: pytest.MonkeyPatch, room: Room) -> Room:
    monkeypatch.setattr(place, "train_tile", room)
    return room


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU taken for a device of 16 GiB."""
    monkeypatch.setattr("spikecheck.lab.device.memory_of", lambda device: 16)


@pytest.mark.usefixtures("accelerator")
@pytest.mark.parametrize(
    ("setting", "probe", "first"),  # an exchange asks for two trainings a seed
    [
        (SHORT, None, 256),
        (SHORT, SharpnessTrace(), 256),
        (SHORT.but(intervention=Continue(horizon=20, at="end")), None, 256),
        (SHORT.but(intervention=Exchange(horizon=5, other=(("lr", 0.05),))), None, 512),
    ],
)
def test_halves_give_what_tiles_of_their_size_give(
    setting: Setting, probe: Probe | None, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forks with what they start from, exchanges with their partners too."""
    asked = recipes(150, setting, probe)
    room = planted(monkeypatch, Room(64))
    halved = Laboratory(None, "cpu").runs(asked)
    halvings = [size for size in (512, 256, 128) if size <= first]
    assert room.tried[: len(halvings) + 3] == [*halvings, 64, 64, 64]
    monkeypatch.setattr(batching, "LARGEST_OF_ALL", 64)
    room = planted(monkeypatch, Room(64))
    undisturbed = Laboratory(None, "cpu").runs(asked)
    assert set(room.tried) == {64}
    assert list(halved) == list(undisturbed) == asked
    for recipe in asked:
        assert np.array_equal(halved[recipe].loss, undisturbed[recipe].loss)
        assert np.array_equal(halved[recipe].snapshots["end"].params, undisturbed[recipe].snapshots["end"].params)
        assert halved[recipe].records.keys() == undisturbed[recipe].records.keys()


@pytest.mark.parametrize("count", [1, 31, 32, 33, 100])
def test_every_recipe_is_answered_once_and_in_order(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    room = planted(monkeypatch, Room(32))
    asked = recipes(count)
    found = train_job(Job(tuple(asked), (), size=128), "cuda", nothing_told)
    assert [trained.run.seed for trained in found] == [recipe.seed for recipe in asked]
    assert room.tried == [128, 64, *[32] * -(-count // 32)]


def test_what_a_half_has_finished_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    room = planted(monkeypatch, Room(64))

    class Shrinking(list[int]):
        def append(self, size: int) -> None:
            super().append(size)
            room.members = 64 if len(self) < 3 else 16

    room.tried = Shrinking()
    found = train_job(Job(tuple(recipes(100)), (), size=128), "cuda", nothing_told)
    assert room.tried == [128, 64, 64, 32, 16, 16, 16]
    assert [trained.run.seed for trained in found] == list(range(100))


@pytest.mark.parametrize(
    ("setting", "probe", "fewest"),
    [
        (SHORT, None, 8),
        (Setting(problem="mnist1d", model="conv", points=20, width=2, steps=1), None, 2),
        (SHORT, SharpnessTrace(alone=True), 1),
    ],
)
def test_below_the_smallest_tile_it_is_said_what_to_do(
    setting: Setting, probe: Probe | None, fewest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = planted(monkeypatch, Room(0))
    asked = Job((Recipe(setting=setting, seed=0, probe=probe),), (), size=8 if fewest > 1 else 1)
    with pytest.raises(UsageError) as told:
        train_job(asked, "cuda", nothing_told)
    assert room.tried[-1] == fewest
    size = f"problem={setting.problem}, model={setting.model}, width={setting.width}, depth=1, points={setting.points}"
    assert str(told.value) == (
        f"device='cuda': out of memory with {fewest} members, the fewest that train together, of {size}; "
        "use a smaller width or fewer points, or --device cpu"
    )
    assert str(told.value.__cause__) == FULL


@pytest.mark.parametrize(
    "said", ["CUDA error: out of memory", "MPS backend out of memory (...)", "CUBLAS_STATUS_ALLOC_FAILED"]
)
def test_a_lack_of_memory_that_has_no_class_of_its_own_is_seen(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    room = planted(monkeypatch, Room(8, RuntimeError, said))
    assert len(train_job(Job(tuple(recipes(3)), (), size=16), "cuda", nothing_told)) == 3
    assert room.tried == [16, 8]
    with pytest.raises(RuntimeError, match=r"memory|ALLOC"):  # a tile of the CPU has one size, that of its digest
        train_job(Job(tuple(recipes(3)), (), size=16), "cpu", nothing_told)


def test_any_other_error_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    room = planted(monkeypatch, Room(8, RuntimeError, "mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        train_job(Job(tuple(recipes(3)), (), size=16), "cuda", nothing_told)
    assert room.tried == [16]


def test_what_the_larger_tile_held_is_free_before_the_smaller_one_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error holds the frames it came through, and they their tensors."""
    held: list[weakref.ref[torch.Tensor]] = []

    def greedy(*_: object) -> list[Trained]:
        assert all(tensor() is None for tensor in held)
        large = torch.zeros(1_000)
        held.append(weakref.ref(large))
        raise torch.OutOfMemoryError(FULL)

    monkeypatch.setattr(place, "train_tile", greedy)
    with pytest.raises(UsageError):
        train_job(Job(tuple(recipes(3)), (), size=64), "cuda", nothing_told)
    assert len(held) == 4


@pytest.mark.usefixtures("accelerator")
def test_steps_that_are_made_again_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Event] = []
    planted(monkeypatch, Room(64))
    Laboratory(None, "cpu", told.append).runs(recipes(150))
    planned = sum(event.member_steps for event in told if isinstance(event, WorkPlanned))
    assert sum(event.member_steps for event in told if isinstance(event, TileAdvanced)) == planned == 256 * 120


def test_a_halved_tile_still_stops_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, Room(8))

    def over(member_steps: int) -> None:
        if not member_steps:
            raise BudgetSpent("over")

    with pytest.raises(BudgetSpent):
        train_job(Job(tuple(recipes(3)), (), size=16), "cuda", over)
