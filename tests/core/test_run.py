"""A run: whether it diverged, and whether it spikes."""

from dataclasses import replace

import numpy as np

from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike

RUN = Run(Setting(steps=1), 0, 0, np.array([1.0, 0.5]), Ended("completed", 1))


def test_a_run_diverges_by_how_it_ended_and_not_by_its_length() -> None:
    assert not RUN.diverged
    assert replace(RUN, ended=Ended("diverged", 1)).diverged
    assert not replace(RUN, loss=np.ones(1)).diverged


def test_a_run_with_any_spike_has_one() -> None:
    assert not RUN.has_spike
    spike = Spike(trough=0, onset=1, peak=1, recovery=None, height=3.0)
    assert replace(RUN, spikes=(spike,)).has_spike


def test_runs_are_told_apart_by_identity() -> None:
    """Arrays have no single truth value, so two runs with equal arrays must not be compared by them."""
    assert RUN == RUN  # noqa: PLR0124
    assert replace(RUN) != RUN
    assert len({RUN, replace(RUN)}) == 2
