"""What was trained last stays in memory, up to a limit."""

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.memory_cache import Recent
from spikecheck.lab.run_codec import size_in_memory
from spikecheck.lab.trained import Trained


def trained(count: int) -> list[Trained]:
    recipes = [Recipe(setting=Setting(width=3, steps=20), seed=seed) for seed in range(count)]
    runs = Laboratory().runs(recipes)
    return [Trained(runs[recipe]) for recipe in recipes]


def test_the_least_recently_used_are_forgotten_first() -> None:
    some = trained(3)
    room = Recent(2 * size_in_memory(some[0].run, None))
    for name, one in zip("abc", some, strict=True):
        room.add(name, one)
        assert room.get("a") is some[0]  # used again and again, so the second goes
    assert [name in room for name in "abc"] == [True, False, True]
    room.add("c", some[1])  # in the place of what was known under that name
    assert room.get("c") is some[1]
    assert "a" in room
    room.clear()
    assert "a" not in room


def test_without_a_limit_nothing_is_forgotten() -> None:
    some = trained(3)
    room = Recent(None)
    for name, one in zip("abc", some, strict=True):
        room.add(name, one)
    assert all(room.get(name) is one for name, one in zip("abc", some, strict=True))
