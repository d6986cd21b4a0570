"""What all measurements share; what a single kind does is tested in the file of that probe."""

from dataclasses import replace

import numpy as np

from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.lab.probes.measurement import recorded_runs
from spikecheck.lab.trained import Trained

RUN = Run(Setting(steps=1), 0, 0, np.array([1.0, 0.5]), Ended("completed", 1))


def test_records_go_to_their_parents_and_padding_members_are_dropped() -> None:
    parents = [Trained(replace(RUN, seed=seed)) for seed in range(3)]
    records = [{"kind": {"values": np.full(1, float(seed))}} for seed in range(2)]
    runs = recorded_runs(parents, records)
    assert [(run.seed, run.records) for run in runs] == list(enumerate(records))
    assert RUN.records == {}
