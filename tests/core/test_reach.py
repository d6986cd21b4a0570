"""Counts of a sample of the domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError
from spikecheck.core.reach import Reach


def reach(settings: int, triggered: int, holds: int) -> Reach:
    return Reach(settings=settings, of=100, seeds=16, holds=holds, triggered=triggered, low=0.0, high=1.0)


def test_the_share_is_of_the_settings_that_triggered() -> None:
    assert reach(24, 8, 6).share == 0.75
    assert reach(24, 8, 6).untriggered == 16
    assert reach(24, 0, 0).share is None


@given(st.data())
def test_a_share_is_one_and_all_settings_are_counted(data: st.DataObject) -> None:
    settings = data.draw(st.integers(1, 50))
    triggered = data.draw(st.integers(1, settings))
    found = reach(settings, triggered, data.draw(st.integers(0, triggered)))
    assert found.share is not None and 0.0 <= found.share <= 1.0
    assert found.share * found.triggered == pytest.approx(found.holds)
    assert found.untriggered + found.triggered == settings


@pytest.mark.parametrize(("counts", "name"), [((24, 8, 9), "holds"), ((24, 25, 9), "triggered")])
def test_more_settings_than_there_are_are_refused(counts: tuple[int, int, int], name: str) -> None:
    with pytest.raises(SettingError, match=rf"{name}: is \d+, more than"):
        reach(*counts)
