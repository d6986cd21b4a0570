"""The buffer of a series' end, against a plain list."""

from hypothesis import example, given
from hypothesis import strategies as st

from spikecheck.watch.tail import Tail

ACTIONS = st.lists(st.one_of(st.floats(-9, 9), st.integers(0, 7)), max_size=80)


@given(st.integers(1, 6), ACTIONS)
@example(3, [float(number) for number in range(40)])
@example(2, [*map(float, range(9)), 1, *map(float, range(9)), 2, 5.0])
def test_it_keeps_the_last_numbers_whatever_is_added_and_dropped(kept: int, actions: list[float | int]) -> None:
    """A float is appended; an integer drops so many."""
    tail, oracle = Tail(kept), list[float]()
    for action in actions:
        if isinstance(action, float):
            tail.append(action)
            oracle = [*oracle, action]
        else:
            tail.drop(action)
            oracle = oracle[: len(oracle) - min(action, kept, len(oracle))]
        shown = tail.last(kept).tolist()
        assert len(shown) == len(tail)
        assert shown == oracle[len(oracle) - len(shown) :]
        assert tail.last(2).tolist() == shown[-2:]


@given(st.integers(1, 6), st.lists(st.floats(-9, 9), max_size=80), st.lists(st.floats(-9, 9), max_size=8))
@example(2, [1.0, 2.0, 3.0], [4.0])
def test_nothing_from_before_it_was_cleared_comes_back(kept: int, before: list[float], after: list[float]) -> None:
    """Regression: of what was dropped, as much as was in the buffer took its place."""
    tail = Tail(kept)
    for number in before:
        tail.append(number)
    tail.clear()
    for number in after:
        tail.append(number)
    assert len(tail) == len(tail.last(kept)) == min(len(after), kept)
    assert tail.last(kept).tolist() == after[-kept:]
