"""What processes tell one another at a look: two of them as threads that share a store, as processes do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import nan
from typing import Any

import pytest
import torch
from torch._C._distributed_c10d import HashStore

from spikecheck.watch import ranks
from spikecheck.watch.ranks import Apart, Joint, Ranks


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> list[Ranks]:
    """The two processes of one training, which met at a store; nobody waits longer than a second."""
    store = HashStore()
    monkeypatch.setattr(ranks, "_store", lambda: store)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    for name in ("_TO_BEGIN", "_WITHIN", "_TO_END"):
        monkeypatch.setattr(ranks, name, timedelta(seconds=1))
    return [of_rank(monkeypatch, rank) for rank in (0, 1)]


def of_rank(monkeypatch: pytest.MonkeyPatch, rank: int) -> Ranks:
    """A Watch's connection to the others, as this process makes it."""
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: rank)
    return Ranks()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call gives, or the error that it raises."""
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
        return [future.exception() or future.result() for future in futures]


def test_alone_a_process_hears_its_own_numbers() -> None:
    one = Ranks()
    assert not one.together
    one.begin(3, 1.0)
    assert one.joint([1.0, nan]).same == [True, True]
    assert one.mean(4.0) == 4.0
    assert one.last([1.0]) is None


def test_two_hear_the_means_of_both_and_which_numbers_are_the_same(both: list[Ranks]) -> None:
    zero, one = both
    assert zero.together and one.together
    for _ in range(2):  # a second exchange has a place of its own
        heard = at_once(lambda: zero.joint([1.0, 2.0, nan]), lambda: one.joint([1.0, 5.0, nan]))
        assert heard[0] == heard[1] or repr(heard[0]) == repr(heard[1])
        assert isinstance(heard[0], Joint)
        assert list(heard[0].same) == [True, False, True]
        assert list(heard[0].means)[:2] == [1.0, 3.5]
    assert at_once(lambda: zero.mean(2.0), lambda: one.mean(4.0)) == [3.0, 3.0]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [((5, 0.5), (5, 0.5), True), ((5, 0.5), (6, 0.5), False), ((5, 0.5), (5, 0.7), False)],
)
def test_a_look_is_begun_by_both_at_one_step_and_with_the_same_figures_or_by_each_alone(
    both: list[Ranks], first: tuple[int, float], second: tuple[int, float], together: bool
) -> None:
    at_once(lambda: both[0].begin(*first), lambda: both[1].begin(*second))
    assert [one.together for one in both] == [together, together]


def test_who_gives_another_count_of_numbers_ends_the_exchange_for_both(both: list[Ranks]) -> None:
    heard = at_once(lambda: both[0].joint([1.0]), lambda: both[1].joint([1.0, 2.0]))
    assert all(isinstance(one, Apart) for one in heard)
    assert not any(one.together for one in both)


def test_who_waits_for_one_that_never_comes_goes_on_alone(both: list[Ranks]) -> None:
    with pytest.raises(Apart, match="did not come"):
        both[0].joint([1.0])
    assert not both[0].together
    assert both[0].joint([1.0]).means == [1.0]


def test_who_parts_lets_the_other_know_without_a_wait(both: list[Ranks]) -> None:
    both[1].part("its closure raised")
    with pytest.raises(Apart, match="watches no more"):
        both[0].joint([1.0])
    assert not any(one.together for one in both)


def test_where_a_process_never_watched_the_other_is_alone_from_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    store = HashStore()
    monkeypatch.setattr(ranks, "_store", lambda: store)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    one = Ranks()
    one.begin(0)
    assert not one.together


@pytest.mark.parametrize(("second", "expected"), [([2.0, 4.0], [1.5, 3.0]), ([2.0], None)])
def test_the_last_losses_are_joined_where_both_end_after_as_many(
    both: list[Ranks], second: list[float], expected: list[float] | None
) -> None:
    heard = at_once(lambda: both[0].last([1.0, 2.0]), lambda: both[1].last(second))
    assert heard == [expected, None]
    assert not any(one.together for one in both)


@pytest.mark.parametrize("ends", [Ranks.last, lambda alone, losses: alone.begin(1, *losses)])
def test_after_one_that_watched_alone_the_next_two_find_one_another(
    both: list[Ranks], ends: Callable[[Ranks, list[float]], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: they were matched by how many Watches each process had made."""
    for one in both:
        one.part("")
    alone = of_rank(monkeypatch, 0)
    assert ends(alone, [1.0]) is None
    assert not alone.together
    zero, one = (of_rank(monkeypatch, rank) for rank in (0, 1))
    at_once(lambda: zero.begin(1), lambda: one.begin(1))
    assert zero.together and one.together
    assert at_once(lambda: zero.mean(2.0), lambda: one.mean(4.0)) == [3.0, 3.0]
