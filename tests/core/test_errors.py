"""The tree of exceptions is the documented one; names that are close are offered; every allocator's refusal is known."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core import errors
from spikecheck.core.errors import SpikecheckError, UnknownName, lacks_memory, what_stays

NAMES = st.lists(st.text("abcdefgh-", min_size=1, max_size=8), min_size=1, max_size=6, unique=True)


def parents(text: str) -> dict[str, str]:
    """The parent of every exception in the drawn tree; a level is four characters wide."""
    above: dict[int, str] = {}
    found: dict[str, str] = {}
    for line in text.splitlines():
        drawn = re.match(r"((?:[│ ] {3})*)(?:[├└]── )?([A-Z]\w+)(?:$|  )", line)
        if drawn and ("──" in line or line == "SpikecheckError"):
            level = len(drawn[1]) // 4 + ("──" in line)
            above[level] = drawn[2]
            if level:
                found[drawn[2]] = above[level - 1]
    return found


def test_the_tree_in_the_docstring_is_that_of_the_classes() -> None:
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, SpikecheckError)]
    bases = {one.__name__: one.__bases__[0].__name__ for one in classes if one is not SpikecheckError}
    assert parents(str(errors.__doc__)) == bases


def test_a_name_with_a_slip_is_answered_by_the_one_that_was_meant() -> None:
    error = UnknownName("optimizer", "adm", ["rmsprop", "adam", "gd"])
    assert str(error) == "no optimizer is called 'adm'; did you mean: adam"
    assert error.near == ("adam",)


def test_a_name_like_no_other_is_answered_by_all_in_order() -> None:
    error = UnknownName("profile", "zzzzz", ["quick", "ci", "full"])
    assert str(error) == "no profile is called 'zzzzz'; known: ci, full, quick"
    assert error.near == ()
    assert str(UnknownName("claim", "any", [])) == "no claim is called 'any'; known: none"


@given(NAMES, st.data())
def test_one_letter_too_many_never_hides_a_name(names: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))
    assert name in str(UnknownName("claim", f"{name}x", names))


def test_memory_that_no_allocator_has_is_told_from_other_errors() -> None:
    with pytest.raises(MemoryError) as numpys:
        np.empty(2**50, dtype=np.uint8)
    with pytest.raises(RuntimeError) as torchs:
        torch.empty(2**50, dtype=torch.float64)
    with pytest.raises(RuntimeError) as shapes:
        torch.ones(2) @ torch.ones(3)
    assert [lacks_memory(one.value) for one in (numpys, torchs, shapes)] == [True, True, False]
    assert lacks_memory(MemoryError())


def test_nothing_is_said_to_be_kept_without_a_store() -> None:
    assert "run again" in what_stays(stored=True)
    assert "run again" not in what_stays(stored=False)


def test_a_name_that_is_known_twice_is_listed_once() -> None:
    assert str(UnknownName("option", "x", ["size", "steps", "steps"])).endswith("known: size, steps")
