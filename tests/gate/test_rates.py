"""Ranges of learning rates: what is read, which rates are tried, and which one is best."""

import math
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError, UsageError
from spikecheck.gate.rates import RateRange

numbers = st.one_of(
    st.floats().map(str),
    st.integers().map(str),
    st.sampled_from(["1e-4", "1e-1", "", "nan", "1e400", "-0", "x", "1_0", "٣"]),
)
texts = st.one_of(
    st.text(),
    st.builds("{}={}..{}".format, st.sampled_from(["lr", " lr ", "beta2", ""]), numbers, numbers),
    st.builds("lr={}..{},{}".format, numbers, numbers, st.text()),
)


@given(texts)
def test_any_text_is_a_range_or_a_message_in_one_line(text: str) -> None:
    said, span = "", None
    try:
        span = RateRange.of(text)
    except UsageError as error:
        said = str(error)
    assert (span is None) == said.startswith("--tune ")
    assert "\n" not in said
    if span is not None:
        rates = span.coarse()
        assert 0 < span.low < span.high < math.inf
        assert list(rates) == sorted(set(rates))
        assert (rates[0], rates[-1]) == (span.low, span.high)
        assert all(later / earlier < 10**0.76 for earlier, later in pairwise(rates))


@pytest.mark.parametrize(("text", "message"), [
    ("lr", "give a range of rates, such as --tune lr=1e-4..1e-1"),
    ("lr=0.1", "give a range of rates"),
    ("lr=1e-3...1e-1", "--tune 'lr=1e-3...1e-1': give a range of rates, such as --tune lr=1e-4..1e-1"),
    ("lr=1e-3...1", "give a range of rates"),
    ("lr=1e-3....1e-1", "give a range of rates"),
    ("lr=1e-3..1e-2..1e-1", "'1e-2..1e-1' is no number"),
    ("beta2=.9..0.9999", "only lr is tuned"),
    ("lr=1e-1..1e-4", "the range is reversed or empty; give the smaller rate first"),
    ("lr=-1e-4..1e-1", "'-1e-4' is no rate; give finite numbers greater than 0"),
    ("lr=0..1e-1", "'0' is no rate"),
    ("lr=1e-4..inf", "'inf' is no rate"),
    ("lr=1e-4..one", "'one' is no number"),
    ("lr=1e-3..1e-3", "the range is reversed or empty"),
    ("lr=1e-3..2e-3", "spans 0.3 decades; give 1 to 12"),
    ("lr=1e-3..9.99e-3", "decades; give 1 to 12"),
    ("lr=1e-9..1.1e3", "spans 12 decades; give 1 to 12"),
    ("lr=1e-9..1e6", "spans 15 decades; give 1 to 12"),
    ("lr=x..1e-1", "--tune 'lr=x..1e-1': 'x' is no number"),
    ("lr=1e-3..y", "--tune 'lr=1e-3..y': 'y' is no number"),
    ("lr=1e-4..1e-1,beta2=.9..1", "'1e-1,beta2=.9..1' is no number"),
])  # fmt: skip
def test_what_cannot_be_read_is_said_with_its_remedy(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=".") as raised:
        RateRange.of(text)
    assert message in str(raised.value)


@pytest.mark.parametrize("text", ["lr=0.002..0.02", "lr=1e-3..1e-2", "lr=1e-9..1e3"])
def test_one_to_twelve_decades_are_a_range_whatever_rounding_makes_of_them(text: str) -> None:
    assert str(RateRange.of(text)) == str(RateRange(*map(float, text.removeprefix("lr=").split(".."))))


@given(st.floats(-3.5, -1.5))
def test_the_lowest_point_of_a_parabola_is_found_within_a_gap(lowest: float) -> None:
    """The last gaps are an eighth of a decade: the true best rate is no further away than the best one tried."""
    tried: list[float] = []

    def losses(rates: tuple[float, ...]) -> Mapping[float, float]:
        tried.extend(rates)
        return {rate: (math.log10(rate) - lowest) ** 2 for rate in rates}

    span = RateRange(1e-4, 1e-1)
    known = span.best(losses, "candidate")
    assert abs(math.log10(next(iter(known))) - lowest) <= 1 / 8 / 2 + 1e-3
    assert len(tried) == len(set(tried)) == span.trainings == len(known) == 11


def test_a_wider_range_tries_the_same_rates_again() -> None:
    assert set(RateRange(1e-4, 1e-1).coarse()) <= set(RateRange(1e-5, 1e-1).coarse())


@pytest.mark.parametrize(("slope", "end"), [(1.0, "lr=1e-05..0.1"), (-1.0, "lr=0.0001..1")])
def test_a_best_rate_at_an_end_is_said_with_a_wider_range(slope: float, end: str) -> None:
    with pytest.raises(SettingError, match="of the reference, .*is an end of the range") as raised:
        RateRange(1e-4, 1e-1).best(lambda rates: {rate: slope * rate for rate in rates}, "reference")
    assert f"give --tune {end} (" in str(raised.value)


def test_an_end_that_turns_out_best_among_the_rates_between_is_said_of_the_same_side() -> None:
    """The second round finds that the first one's best was none: the losses of a round may differ from those before."""
    rounds = iter([{1e-2: 0.0}, {1e-1: -1.0}])

    def losses(rates: tuple[float, ...]) -> Mapping[float, float]:
        return dict.fromkeys(rates, 1.0) | next(rounds)

    with pytest.raises(SettingError, match="of the reference, "):
        RateRange(1e-3, 1e-1).best(losses, "reference")


def test_a_range_in_which_all_diverge_is_said() -> None:
    with pytest.raises(
        SettingError, match="every training of the candidate diverges; give smaller rates: --tune lr=0.001..1"
    ):
        RateRange(1.0, 100.0).best(lambda rates: dict.fromkeys(rates, 6.0), "candidate")
