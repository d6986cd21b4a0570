"""The definition of a spike: its range, and that the sentence printed with a verdict has its numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError
from spikecheck.core.spike import NoisySpikeDefinition, SpikeDefinition


@pytest.mark.parametrize("changes", [{"factor": 1.0}, {"settle": 0}, {"lead": -1}, {"factor": float("inf")}])
def test_a_definition_by_which_every_loss_or_none_would_spike_is_refused(changes: dict[str, float]) -> None:
    (name,) = changes
    with pytest.raises(SettingError, match=f"^{name}="):
        SpikeDefinition.model_validate(changes)


@given(st.integers(11, 99), st.integers(100, 199), st.integers(200, 299))
def test_the_sentence_has_every_number_in_its_place(tenths: int, settle: int, lead: int) -> None:
    said = SpikeDefinition(factor=tenths / 10, settle=settle, lead=lead).says()
    onset, recovery, twins = said.split(";")
    assert f"exceeds {tenths / 10:g} x" in onset
    assert f"for {settle} steps" in recovery
    assert f"{lead} steps before" in twins


def test_of_a_noisy_loss_no_number_is_told_that_its_detector_does_not_use() -> None:
    said = NoisySpikeDefinition(factor=7.5, settle=333, lead=444).says()
    assert not any(number in said for number in ("7.5", "333", "444"))
