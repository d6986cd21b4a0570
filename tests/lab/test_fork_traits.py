"""What planning knows of forks, compared with what they do when they are carried out."""

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest

from spikecheck.core.intervention import (
    Continue,
    Exchange,
    Fork,
    FreezeOutside,
    Hold,
    Inject,
    Intervention,
    Jitter,
    LowerRate,
    Retune,
)
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.lab.fork_traits import fork_step, fork_traits
from spikecheck.lab.forks import Departure, departure
from spikecheck.measures.spikes import first_onset

FORKS: list[Any] = [
    Continue(horizon=9),
    LowerRate(horizon=9, factor=0.5),
    FreezeOutside(horizon=9),
    Jitter(horizon=9, noise=1e-3),
    Hold(horizon=9),
    Inject(horizon=9, rank=3, rise=5.0),
    Exchange(other=(("init_scale", 2.0),)),
    Retune(horizon=9, numbers=(("lr", 0.01),)),
]
SPIKED = np.concatenate([np.geomspace(1.0, 1e-3, 400), np.geomspace(1e-3, 1.0, 20), np.geomspace(1.0, 1e-4, 200)])
PARENT = Run(Setting(steps=1), 0, 0, SPIKED, Ended("completed", len(SPIKED) - 1))


def overrides(intervention: Fork, method: str) -> bool:
    return getattr(type(departure(intervention)), method) is not getattr(Departure, method)


@pytest.mark.parametrize("fork", FORKS, ids=lambda fork: fork.kind)
def test_updates_are_plain_unless_their_gradients_or_their_directions_are_changed(fork: Any) -> None:
    changed = overrides(fork, "gradients") or overrides(fork, "direction")
    # An exchange makes no update of its own.
    assert fork_traits(fork).plain_updates == (not changed and not isinstance(fork, Exchange))
    assert fork_traits(fork).pairs == (3 if isinstance(fork, Inject) else 0)
    assert fork_traits(fork).adds_noise == isinstance(fork, Jitter)


def test_every_kind_has_traits() -> None:
    kinds, *_ = get_args(Intervention)
    assert {type(fork) for fork in FORKS} == set(get_args(kinds))


@pytest.mark.parametrize("at", ["before_onset", "onset", "end"])
def test_a_fork_leaves_its_parent_there(at: str) -> None:
    fork = Continue.model_validate({"at": at, "horizon": 3})
    recipe = Recipe(setting=Setting(intervention=fork), seed=0)
    onset = first_onset(SPIKED, fork.definition)
    assert onset is not None
    expected = {"before_onset": onset - fork.definition.lead, "onset": onset, "end": len(SPIKED) - 1}[at]
    assert fork_step(recipe, PARENT) == expected
    flat = replace(PARENT, loss=np.geomspace(1.0, 0.1, 600), ended=Ended("completed", 599))
    assert fork_step(recipe, flat) == (599 if at == "end" else None)
    if at == "end":
        assert fork_step(recipe, replace(PARENT, ended=Ended("diverged", 619))) is None
