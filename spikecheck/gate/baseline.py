"""Baselines: scores kept in a text file next to the code. Only an explicit command writes one, and one that does not fit is
refused."""

import hashlib
import json
from pathlib import Path
from shlex import quote

from spikecheck.core.errors import BaselineError
from spikecheck.core.scorecard import Baseline, OptimizerSpec, Scores
from spikecheck.gate.suite import ROWS, Suite
from spikecheck.gate.workload_suite import (
    FINAL,
    ROWS_WITHOUT_FIRST_STEPS,
    TUNED_MEASURES,
    WORKLOAD_ROWS,
    WorkloadSuite,
)


def baseline_of(
    contestant: OptimizerSpec,
    scores: Scores,
    suite: Suite | WorkloadSuite,
    *,
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
        rows=suite.rows if suite.named else (),
        scores=scores,
        digest="",
    )
    return baseline.model_copy(update={"digest": _digest(baseline)})


def _digest(baseline: Baseline) -> str:
    fields = baseline.model_dump(mode="json", by_alias=True, exclude={"digest"})
    if not baseline.scores.curves:  # older baselines have none, and their digest knows nothing of them
        del fields["scores"]["curves"]
    if baseline.rows is None:  # likewise
        del fields["rows"]
    text = json.dumps(fields, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fitting(
    baseline: Baseline, path: Path, suite: Suite | WorkloadSuite, environment: dict[str, str | int | float]
) -> Baseline:
    """The baseline, if the current suite can be compared with it.

    Raises:
        BaselineError: it has other settings, seeds or measures, or was made on another kind of device.
    """
    update = f"if that is intended, write it again: --update-baseline --baseline {quote(str(path))} --reason TEXT"
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
    if baseline.suite not in _digests(baseline, suite):
        raise BaselineError(f"{path}: its settings or measures have changed since it was written; {update}")
    _whole(baseline, path, update, suite)
    kind, was = (str(where.get("device", "")).split(" ")[0] for where in (environment, baseline.environment))
    if kind != was:
        raise BaselineError(
            f"{path}: was made on {was}, this is {kind}, where rounding differs; keep one baseline for each device"
        )
    return baseline


def rows_of(baseline: Baseline) -> tuple[str, ...]:
    """The rows that were named when it was written; empty where none were.

    Older baselines do not say so: where all rows of that time have numbers, none were named. The final loss is always there.
    """
    if baseline.rows is not None:
        return baseline.rows
    of_workload = "workload" in baseline.conditions
    there = tuple(row for row in (WORKLOAD_ROWS if of_workload else ROWS) if row in baseline.scores.values)
    expected = set(ROWS_WITHOUT_FIRST_STEPS if of_workload else ROWS)
    if "tune" not in baseline.conditions:
        expected -= {measure.name for measure in TUNED_MEASURES}
    return () if expected == set(there) else there


def _digests(baseline: Baseline, suite: Suite | WorkloadSuite) -> set[str]:
    """The digests that fit: an older baseline of a workload has one that depends on its rows as they were named."""
    if baseline.rows is not None or isinstance(suite, Suite):
        return {suite.digest}
    there = rows_of(baseline)
    named = (ROWS_WITHOUT_FIRST_STEPS, suite.rows, there, tuple(row for row in there if row != FINAL))
    return {suite.digest_with(rows) for rows in named}


def _whole(baseline: Baseline, path: Path, update: str, suite: Suite | WorkloadSuite) -> None:
    """Refuse a baseline in which a row, a setting or a seed's number is missing: a missing number can never get worse.

    A description that is missing is no reason: it is named among the rows that are not compared.
    """
    there = baseline.scores.values
    for measure in (*suite.measures, *(suite.cost if suite.named else ())):
        if measure.name not in there and measure.alarms:
            raise BaselineError(f"{path}: has no row {measure.name!r} (it has: {', '.join(there)}); {update}")
    for measure in suite.measures:
        for place in baseline.places if measure.name in there else ():
            values = there[measure.name].get(place.name, ())
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
