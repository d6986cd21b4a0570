"""Where a tile may have any size, its members' bits are those that they have in a tile of the usual one."""

import shutil
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from spikecheck.core.intervention import Continue, FreezeOutside, Hold, Inject, Retune
from spikecheck.core.probe import Anatomy, Balance, Directions, Probe, SharpnessTrace, Trail
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab import batching
from spikecheck.lab.batching import filled_size, size_of
from spikecheck.lab.execution.order import Job
from spikecheck.lab.execution.train_job import train_job
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.run_codec import encode
from spikecheck.objective import compiles
from spikecheck.tensors.compiler import compiler

GD = Setting(width=20, points=9, interval=2.0, gamma=0.5, lr=0.05, steps=100)
ADAM = GD.but(optimizer="adam", lr=0.02)
HELD = GD.but(intervention=Hold(at="end", horizon=20, every=5))
KINDS: tuple[tuple[Setting, Probe | None], ...] = (
    (GD.but(output_bias=True), None),
    (ADAM.but(schedule="cosine"), None),
    (GD.but(gradient_noise=0.01, clip=1.0), None),
    (GD.but(activation="relu"), Trail()),
    (GD.but(activation="gelu", width=21), Trail()),
    (GD.but(width=70), SharpnessTrace()),
    (GD.but(dtype="float32"), SharpnessTrace()),
    (GD, Directions()),
    (HELD, None),
    (HELD.but(dtype="float32", width=15), None),
    (HELD, Balance()),
    (GD.but(intervention=Continue(at="end", horizon=15)), Anatomy(outputs=True)),
    (GD.but(width=50, intervention=FreezeOutside(at="end", horizon=15)), Anatomy()),
    (GD.but(intervention=Inject(at="end", horizon=15, rank=2, rise=2.0, factor=1.0)), Anatomy(pairs=3)),
    (ADAM.but(intervention=Retune(at="end", horizon=15, numbers=(("beta2", 0.9),))), Anatomy()),
)


@pytest.fixture(autouse=True, scope="module")
def compiled_and_on_one_thread() -> Iterator[None]:
    if shutil.which("g++") is None:
        pytest.skip("no C++ compiler")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIKECHECK_COMPILE", "1")
        patch.setattr(compiles, "SHALLOW_FROM", 100)
        compiler.cache_clear()
        torch.set_num_threads(1)
        yield
    compiler.cache_clear()


@pytest.mark.parametrize(("setting", "probe"), KINDS)
def test_a_members_bits_are_the_same_in_a_smaller_tile(setting: Setting, probe: Probe | None) -> None:
    recipes = tuple(Recipe(setting=setting, seed=seed, probe=probe) for seed in range(12))
    parents = tuple(recipe.parent() for recipe in recipes)
    lab = Laboratory(device="cpu")
    lab.runs(parents)
    begun = tuple(lab._start(parent) for parent in parents) if parents != recipes else ()
    some = slice(3, 6)

    def trained(chosen: slice, size: int) -> list[dict[str, np.ndarray]]:
        job = Job(recipes[chosen], begun[chosen], size=size)
        return [
            dict(encode(one.run, one.checkpoints).arrays) for one in train_job(job, "cpu", lambda member_steps: None)
        ]

    usual, small = trained(slice(None), size_of(recipes[0])), trained(some, filled_size(recipes[some]))
    assert filled_size(recipes[some]) == 8 < size_of(recipes[0])
    for there, here in zip(usual[some], small, strict=True):
        assert there.keys() == here.keys()
        assert all(np.array_equal(there[name], here[name]) for name in there)


def test_only_where_machine_code_of_our_own_computes_every_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    def size(probe: Probe | None = None, **changes: object) -> int:
        return filled_size([Recipe(setting=GD.but(**changes), seed=0, probe=probe)])

    assert size() == size(optimizer="adam") == 8
    assert size(SharpnessTrace(every_step=True)) == 32
    assert size(steps=99) == size(batch=3) == size(optimizer="torch.optim:SGD", momentum=None) == 32
    monkeypatch.setattr(batching, "compiler", lambda: "")
    assert size() == 32
