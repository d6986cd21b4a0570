"""Baselines: scores kept in a text file next to the code. Only an explicit command writes one, and one that does not fit is
refused."""

import hashlib
import json
from pathlib import Path

from spikecheck.core.errors import BaselineError
from spikecheck.core.scorecard import Baseline, OptimizerSpec, Scores
from spikecheck.gate.suite import Suite
from spikecheck.gate.workload_suite import WorkloadSuite


def baseline_of(
    contestant: OptimizerSpec,
    scores: Scores,
    suite: Suite | WorkloadSuite,
    reason: str,
    command: str,
    environment: dict[str, str | int | float],
) -> Baseline:
    """An optimizer's scores, with the suite, seeds and environment they were measured in."""
    baseline = Baseline(
        reason=reason,
        command=command,
        environment=environment,
        contestant=contestant,
        suite=suite.digest,
        seeds=suite.seeds,
        root=suite.root,
        places=suite.places(contestant),
        conditions=dict(suite.conditions),
        scores=scores,
        digest="",
    )
    return baseline.model_copy(update={"digest": _digest(baseline)})


def _digest(baseline: Baseline) -> str:
    fields = baseline.model_dump(mode="json", by_alias=True, exclude={"digest"})
    if not baseline.scores.curves:  # older baselines have none, and their digest knows nothing of them
        del fields["scores"]["curves"]
    text = json.dumps(fields, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fitting(
    baseline: Baseline, path: Path, suite: Suite | WorkloadSuite, environment: dict[str, str | int | float]
) -> Baseline:
    """The baseline, if the current suite can be compared with it.

    Raises:
        BaselineError: it has other settings, seeds or measures, or was made on another kind of device.
    """
    update = f"if that is intended, write it again: --update-baseline --baseline {path} --reason TEXT"
    if baseline.digest != _digest(baseline):
        raise BaselineError(f"{path}: has been changed since it was written; {update}")
    now = {"seeds": suite.seeds, "root of the seeds": suite.root}
    for name, then in {"seeds": baseline.seeds, "root of the seeds": baseline.root}.items():
        if then != now[name]:
            raise BaselineError(f"{path}: has {name} {then}, this gate {now[name]}; {update}")
    theirs, ours = {place.name for place in baseline.places}, set(suite.settings)
    if theirs != ours:
        differing = ", ".join(sorted(theirs ^ ours))
        raise BaselineError(f"{path}: has other settings than this gate ({differing}); {update}")
    if baseline.suite != suite.digest:
        raise BaselineError(f"{path}: its settings or measures have changed since it was written; {update}")
    _whole(baseline, path, update, suite)
    kind, was = (str(where.get("device", "")).split(" ")[0] for where in (environment, baseline.environment))
    if kind != was:
        raise BaselineError(
            f"{path}: was made on {was}, this is {kind}, where rounding differs; keep one baseline for each device"
        )
    return baseline


def _whole(baseline: Baseline, path: Path, update: str, suite: Suite | WorkloadSuite) -> None:
    """Refuse a baseline in which a row, a setting or a seed's number is missing: a missing number can never get worse."""
    for measure in suite.measures:
        blocks = baseline.scores.values.get(measure.name)
        if blocks is None:
            raise BaselineError(f"{path}: has no row {measure.name!r}; {update}")
        for place in baseline.places:
            values = blocks.get(place.name, ())
            present = len(values) if measure.may_lack else sum(value is not None for value in values)
            if present != baseline.seeds:
                raise BaselineError(
                    f"{path}: row {measure.name!r} has {present} of {baseline.seeds} seeds in {place.name!r}; {update}"
                )
            strange = [value for value in values if measure.law == "count" and value not in (0.0, 1.0, None)]
            if strange:
                raise BaselineError(
                    f"{path}: row {measure.name!r} has {strange[0]} in {place.name!r}, but counts 0 or 1; {update}"
                )
