"""Alarms and spikes are counted as they were planted."""

import numpy as np

from studies.adam_alarms import Alarms, counted, crossings, third_in_a_row


def test_alarms_before_an_onset_are_true_and_all_others_false() -> None:
    loss = np.ones(1_000)
    loss[500:510] = 10.0
    assert counted(np.array([100, 399, 400, 480, 500, 501]), loss) == Alarms(6, 3, 1, 1)


def test_a_stretch_above_one_is_one_alarm() -> None:
    warning = np.array([0.5, 1.2, 1.3, 0.9, 1.1, 1.1, 1.1, 1.1, 0.2, 1.5])
    np.testing.assert_array_equal(crossings(warning), [1, 4, 9])
    np.testing.assert_array_equal(third_in_a_row(warning), [6])
