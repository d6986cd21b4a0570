"""Values on a command line: what is read, and one line for what cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.cli.params import condition, seconds, shard, size
from spikecheck.core.errors import UnknownName, UsageError


@given(st.integers(1, 10_000), st.sampled_from(["s", "m", "h", "d"]))
def test_times_are_their_number_of_seconds(count: int, unit: str) -> None:
    of = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
    assert seconds(f" {count}{unit} ", "--budget") == count * of[unit]


@given(st.integers(0, 10_000), st.sampled_from("KMGT"), st.sampled_from(["", "B", "iB", "b"]))
def test_sizes_are_powers_of_1024(count: int, unit: str, rest: str) -> None:
    assert size(f"{count}{unit}{rest}", "--keep") == count << 10 * ("KMGT".index(unit) + 1)


@given(st.integers(1, 50), st.integers(1, 50))
def test_a_shard_is_a_part_of_the_whole(part: int, parts: int) -> None:
    if part <= parts:
        assert shard(f"{part}/{parts}") == (part, parts)
    else:
        with pytest.raises(UsageError, match="--shard"):
            shard(f"{part}/{parts}")


@pytest.mark.parametrize("text", ["", "0", "-3s", "5 years", "1e3", "nan", "٣s"])
def test_a_time_that_is_none_names_option_and_value(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        seconds(text, "--budget")
    assert str(caught.value) == f"--budget {text!r}: give a time such as 90s, 5m, 1h or 30d"


@pytest.mark.parametrize("text", ["", "-1GiB", "much", "1PB", "1..5M"])
def test_a_size_that_is_none_names_option_and_value(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        size(text, "--keep")
    assert str(caught.value) == f"--keep {text!r}: give a size such as 500MiB or 2GiB"


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "1/0", "a/b", "-1/4"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="give I/N"):
        shard(text)


def test_a_condition_is_a_settings_own() -> None:
    assert condition("target=sin x = y") == ("target", "sin x = y")
    with pytest.raises(UnknownName, match="did you mean: width"):
        condition("widht=3")
    with pytest.raises(UsageError, match="give AXIS=VALUE"):
        condition("lr")
