"""The typical run of a claim, for a figure: the seed with the median effect, with its loss and sharpness."""

import numpy as np

from spikecheck.core.probe import SharpnessTrace
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array, Run
from spikecheck.core.verdict import Trace
from spikecheck.harness.claim import Claim
from spikecheck.harness.evidence import Evidence, Trainer
from spikecheck.harness.run_spikes import spikes_of
from spikecheck.optimizers.thresholds import threshold_of

_COLUMNS = 300
_AROUND = 3.0
"""The figure ends at this multiple of the first spike's recovery step."""


def typical_trace(claim: Claim, lab: Trainer, evidence: Evidence | None) -> Trace | None:
    """The typical run's trace; None if no seed applied or the laboratory does not record the sharpness."""
    if evidence is None or not evidence.applicable:
        return None
    scored = [(score, seed) for score, seed in zip(evidence.scores, evidence.seeds, strict=True) if score is not None]
    _, seed = sorted(scored)[len(scored) // 2]
    recipe = Recipe(setting=evidence.setting, seed=seed, probe=SharpnessTrace(alone=True))
    run = lab.runs([recipe]).get(recipe)
    return _trace(claim, run) if run is not None and "sharpness" in run.records else None


def _trace(claim: Claim, run: Run) -> Trace:
    run_spikes = spikes_of(run, claim.definition)
    first = run_spikes[0] if run_spikes else None
    stop = len(run.loss)
    if claim.detects_spikes and first is not None and first.recovery is not None:
        stop = min(stop, int(_AROUND * first.recovery))
    steps = _thinned(run.loss[:stop])
    record = run.records["sharpness"]
    shown = (record["steps"] < stop) & _meaningful(run, record["steps"])
    return Trace(
        seed=run.seed,
        steps=tuple(int(step) for step in steps),
        loss=tuple(float(run.loss[step]) for step in steps),
        sharpness_steps=tuple(int(step) for step in record["steps"][shown]),
        sharpness=tuple(float(value) for value in record["sharpness"][shown, 0]),
        threshold=threshold_of(run.setting),
        lr=run.setting.lr,
        onset=first.onset if first else None,
        peak=first.peak if first else None,
        recovery=first.recovery if first else None,
    )


def _meaningful(run: Run, steps: Array) -> np.ndarray:
    """Mask of the checkpoints with a meaningful sharpness: before the first update a preconditioner is eps, far too small."""
    preconditioned = run.setting.beta2 is not None
    return np.asarray(steps > 0) if preconditioned else np.ones(len(steps), dtype=bool)


def _thinned(loss: Array) -> Array:
    """The steps of the smallest and the largest loss in each column of the figure, so that no peak is lost."""
    columns = np.array_split(np.arange(len(loss)), min(_COLUMNS, len(loss)))
    kept = {int(column[pick(loss[column])]) for column in columns for pick in (np.argmin, np.argmax)}
    return np.array(sorted(kept))
