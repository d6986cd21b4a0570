"""Which trainings are compiled where there is a compiler."""

import pytest

from spikecheck.core.setting import Setting
from spikecheck.objective.compiles import MODULE_FROM, SHALLOW_FROM, should_compile
from spikecheck.objective.objective import build_objective
from spikecheck.tensors.compiler import compiler


def test_only_long_trainings_of_what_is_known_are_compiled() -> None:
    long = Setting(steps=SHALLOW_FROM)
    assert should_compile(long)
    for other in (
        long.but(steps=SHALLOW_FROM - 1),
        long.but(depth=2),
        long.but(problem="mnist1d"),
        long.but(model="linear"),
    ):
        assert not should_compile(other)


def test_only_long_trainings_of_whole_batches_are_traced() -> None:
    own = Setting(model="somewhere:model", steps=MODULE_FROM)
    assert should_compile(own)
    assert not should_compile(own.but(steps=MODULE_FROM - 1))
    assert not should_compile(own.but(batch=4))


@pytest.mark.skipif(not compiler(), reason="torch finds no C++ compiler here")
@pytest.mark.parametrize("changes", [{}, {"steps": SHALLOW_FROM - 1}, {"depth": 2}, {"model": "linear"}])
def test_an_objective_goes_by_it(changes: dict[str, object]) -> None:
    setting = Setting(steps=SHALLOW_FROM).but(**changes)
    assert build_objective([setting]).multiplies == should_compile(setting) == (not changes)
