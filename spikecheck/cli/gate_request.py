"""A requested gate, read from the command line, from pyproject.toml and from the baseline, in this order of precedence."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from spikecheck.cli.gate_rates import numbers_of, tuned_range
from spikecheck.cli.options import LARGEST_SEED, MOST_SEEDS
from spikecheck.core.errors import UsageError
from spikecheck.core.scorecard import Baseline, OptimizerSpec
from spikecheck.gate.baseline import rows_of
from spikecheck.gate.config import conditions, table
from spikecheck.gate.suite import ROWS, SEEDS, Suite, contestant, own_suite
from spikecheck.gate.workload_suite import WORKLOAD_ROWS, WorkloadSuite, workload_suite
from spikecheck.report import json_file


@dataclass(frozen=True)
class GateRequest:
    """Two optimizers, or one and a baseline, and what both are trained on."""

    candidate: OptimizerSpec
    reference: OptimizerSpec | None
    """None if the candidate is compared with a baseline, or a baseline is written."""
    baseline: Path | None
    """The file to compare with, or to write."""
    suite: Suite | WorkloadSuite
    options: Mapping[str, Any]
    """The options of the command line, by their names there."""
    rows_of_baseline: bool = False
    """Whether the rows are the baseline's, since none were named."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Read the request from the command's options and pyproject.toml.

        Raises:
            UsageError: an option is missing or does not fit the others.
        """
        project = table(Path.cwd())
        given = {name: value for name, value in options.items() if value not in (None, ())}
        optimizer = given.get("optimizer", project.get("optimizer"))
        if optimizer is None:
            raise UsageError("--optimizer: no candidate; give MODULE:CLASS, or optimizer in [tool.spikecheck]")
        compared = _compared_with(given, project)
        baseline = Path(compared["baseline"]) if "baseline" in compared else None
        known = read_baseline(baseline) if "against" not in compared and not options["update_baseline"] else None
        tune = tuned_range(given, project, known)
        candidate = contestant(optimizer, numbers_of(given, project, "set", "numbers", tune))
        reference = _reference(given, project, compared, candidate, tune)
        if options["update_baseline"]:
            _check_update(given, baseline)
        else:
            _check_one_reference(reference, baseline)
        rows = _rows(given, project)
        suite = suite_of(
            _conditions(given, project, options["changes"]) | ({} if tune is None else {"tune": tune}),
            given.get("seeds", project.get("seeds")),
            given.get("root", project.get("seed")),
            known,
            rows,
        )
        return cls(candidate, reference, baseline, suite, options, rows is None and known is not None)


def _compared_with(given: Mapping[str, Any], project: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where the reference or the baseline is named; one on the command line overrides both of pyproject.toml."""
    return given if {"against", "baseline"} & given.keys() else project


def _reference(
    given: Mapping[str, Any],
    project: Mapping[str, Any],
    compared: Mapping[str, Any],
    candidate: OptimizerSpec,
    tune: str | None,
) -> OptimizerSpec | None:
    """The reference optimizer, if there is one."""
    if "against" not in compared:
        return None
    own = numbers_of(given, project, "against-set", "other_numbers", tune)
    return contestant(compared["against"], {"lr": candidate.lr} | own)


def _check_one_reference(reference: OptimizerSpec | None, baseline: Path | None) -> None:
    if (reference is None) == (baseline is None):
        raise UsageError(
            "--against, --baseline: give exactly one of them, here or in [tool.spikecheck]; it is the reference"
        )


def _check_update(given: Mapping[str, Any], baseline: Path | None) -> None:
    if os.environ.get("CI"):
        raise UsageError(
            "--update-baseline: a baseline is not written in CI ($CI is set); write it on your machine and commit it"
        )
    if baseline is None:
        raise UsageError("--update-baseline: no file is given; add --baseline FILE, such as reports/baseline.json")
    if baseline.is_file() and not json_file.may_be_replaced(baseline):
        raise UsageError(f"--baseline {baseline}: is another file and would be lost; name a baseline or a new file")
    if not str(given.get("reason", "")).strip():
        raise UsageError("--update-baseline: no reason is given; add --reason TEXT, which reviewers will read")


def read_baseline(path: Path | None) -> Baseline | None:
    """The baseline in a file; None without a file.

    Raises:
        BaselineError: it cannot be read.
    """
    return None if path is None else json_file.read_baseline(path)


def _rows(given: Mapping[str, Any], project: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The requested rows; None if none are named."""
    text = given.get("rows", project.get("rows"))
    return None if text is None else rows_in(text)


def rows_in(text: str) -> tuple[str, ...]:
    """The names of rows in a text with commas.

    Raises:
        UsageError: there is none.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        known = dict.fromkeys((*ROWS, *WORKLOAD_ROWS))
        raise UsageError(f"--rows {text!r}: names no row; give some of: {', '.join(known)}")
    return names


def suite_of(
    conditions: Mapping[str, Any],
    seeds: int | None,
    root: int | None,
    known: Baseline | None,
    rows: tuple[str, ...] | None = None,
) -> Suite | WorkloadSuite:
    """The requested suite; options that are not given come from the baseline `known`, if there is one."""
    if known is not None:
        conditions = {**known.conditions, **conditions}
        seeds = known.seeds if seeds is None else seeds
        root = known.root if root is None else root
        rows = rows_of(known) if rows is None else rows
    suite = workload_suite if "workload" in conditions else own_suite
    if suite is own_suite and "tune" in conditions:
        raise UsageError(
            f"--tune {conditions['tune']}: only trainings of --workload are tuned; add --workload gpt or one of your own, or "
            "give the rate with --set lr=0.01"
        )
    number, first = SEEDS if seeds is None else seeds, 0 if root is None else root
    _check_number("seeds", number, 2, MOST_SEEDS)
    _check_number("seed", first, 0, LARGEST_SEED)
    return suite(conditions, number, first, rows or ())


def _check_number(name: str, value: Any, least: int, most: int) -> None:
    """Check what the command line, pyproject.toml or a test gave.

    Raises:
        UsageError: it is no whole number, or out of range.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{name}={value!r}: give a whole number, {least} to {most:,}")


def _conditions(given: Mapping[str, Any], project: Mapping[str, Any], changes: tuple[str, ...]) -> dict[str, Any]:
    """The conditions that differ from the suite's own settings."""
    chosen = dict(project.get("conditions", {}))
    if "problem" in given and "dataset" in given:
        raise UsageError(f"--problem {given['problem']}, --dataset {given['dataset']}: give one of them")
    if any(change.partition("=")[0].strip() == "tune" for change in changes):
        raise UsageError("--at tune=…: is no condition; use --tune lr=1e-4..1e-1")
    for name in ("problem", "model"):
        if (value := given.get(name, project.get(name))) is not None:
            chosen[name] = value
    if (workload := given.get("workload", project.get("workload"))) is not None:
        _check_alone(workload, {**project, **given})
        return conditions(changes, {**chosen, "workload": workload})
    if "dataset" in given or ("dataset" in project and "problem" not in given):
        chosen["problem"] = given.get("dataset", project.get("dataset"))
    return conditions(changes, chosen)


def _check_alone(workload: str, given: Mapping[str, Any]) -> None:
    for name in ("problem", "model", "dataset"):
        if name in given:
            raise UsageError(f"--workload {workload}, --{name} {given[name]}: a workload has its own; leave out one")
