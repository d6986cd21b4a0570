"""Small trials made by hand, for effects whose answers can be worked out on paper."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from spikecheck.core.run import Array, Ended, Run, Snapshot
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike
from spikecheck.harness.claim import Trial

SETTING = Setting(lr=0.1, steps=100, points=8, interval=2.0)
SPIKE = Spike(trough=30, onset=40, peak=50, recovery=70, height=9.0)


def weights(inputs: Any, outputs: Any = None) -> Snapshot:
    """Input weights [W, D + 1] with output weights of 1."""
    rows = np.asarray(inputs, dtype=np.float64)
    leaving = np.ones((len(rows), 1)) if outputs is None else np.asarray(outputs, dtype=np.float64)
    return Snapshot(0, np.concatenate([rows.ravel(), leaving.ravel()]), rows, leaving)


def run(
    loss: Any = (1.0, 0.5),
    *,
    setting: Setting = SETTING,
    spiked: bool = False,
    begins: int = 0,
    records: Mapping[str, Mapping[str, Array]] | None = None,
    **snapshots: Snapshot,
) -> Run:
    """A run with these losses, and the one spike above where it spiked."""
    seen = (SPIKE,) if spiked else ()
    values = np.asarray(loss, dtype=np.float64)
    return Run(setting, 3, begins, values, Ended("completed", len(values) - 1), seen, snapshots, records or {})


def trial(trunk: Run | None = None, *, setting: Any = SETTING, other: Any = None, **arms: Any) -> Trial:
    """A trial of seed 3; without a trunk its own run is that too."""
    return Trial(setting, 3, trunk or next(iter(arms.values())), arms, other=other)


def recorded(
    kind: str, *, setting: Any = SETTING, spiked: Any = False, losses: Any = (1.0, 0.5), **arrays: Any
) -> Trial:
    """A trial of one run, `run`, with one record of these arrays, and with `losses` of its own."""
    record = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    return trial(setting=setting, run=run(losses, setting=setting, spiked=spiked, records={kind: record}))
