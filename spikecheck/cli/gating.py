"""The steps of `spikecheck gate`: read its options, run the gate, and write the results."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import rich_click as click

from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.cli.gate_rates import numbers_of, tuned_range
from spikecheck.cli.options import LARGEST_SEED, MOST_SEEDS
from spikecheck.core.errors import SettingError, SpikecheckError, UsageError, lacks_memory
from spikecheck.core.events import Observer, ignore
from spikecheck.core.import_path import named
from spikecheck.core.scorecard import Baseline, Decision, OptimizerSpec, Scorecard, Scores
from spikecheck.core.setting import OPTIMIZERS
from spikecheck.gate.baseline import baseline_of, fitting
from spikecheck.gate.comparison import can_name, too_few
from spikecheck.gate.config import conditions, table
from spikecheck.gate.plan import gate_outlook
from spikecheck.gate.run import GateRun, announced, scores
from spikecheck.gate.suite import ROWS, SEEDS, Suite, contestant, own_suite
from spikecheck.gate.workload_suite import SAME_RULE_ROWS, WORKLOAD_ROWS, WorkloadSuite, workload_suite
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store_address import opened
from spikecheck.report import atomic_write, json_file
from spikecheck.report.gate_plan import render_gate_plan
from spikecheck.report.live import watcher
from spikecheck.report.scorecard import (
    annotations,
    refusal_annotation,
    refusal_junit,
    refusal_markdown,
    render_scorecard,
    scorecard_junit,
    scorecard_markdown,
)
from spikecheck.session.command_line import command_line
from spikecheck.session.lab_options import LabOptions
from spikecheck.session.laboratory import laboratory
from spikecheck.session.verify import environment_of
from spikecheck.session.workload_gate import workload_gate

_CODES = {Decision.PASSED: 0, Decision.REGRESSED: 1, Decision.NOT_DECIDED: 3}
_FILES = {"markdown_path": "--markdown", "junit_path": "--junit", "html_path": "--html"}


@dataclass(frozen=True)
class GateRequest:
    """A requested gate: the options of the command line, which override pyproject.toml."""

    candidate: OptimizerSpec
    reference: OptimizerSpec | None
    baseline: Path | None
    suite: Suite | WorkloadSuite
    options: Mapping[str, Any]

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
        known = _read(baseline) if "against" not in compared and not options["update_baseline"] else None
        tune = tuned_range(given, project, known)
        candidate = contestant(optimizer, numbers_of(given, project, "set", "numbers", tune))
        reference = _reference(given, project, compared, candidate, tune)
        if options["update_baseline"]:
            _check_update(given, baseline)
        elif (reference is None) == (baseline is None):
            raise UsageError(
                "--against, --baseline: give exactly one of them, here or in [tool.spikecheck]; it is the reference"
            )
        suite = _suite(
            _conditions(given, project, options["changes"]) | ({} if tune is None else {"tune": tune}),
            given.get("seeds", project.get("seeds")),
            given.get("root", project.get("seed")),
            known,
            _rows(given, project),
        )
        return cls(candidate, reference, baseline, suite, options)


def run_gate(options: Mapping[str, Any]) -> int:
    """Run the gate or write the baseline, report the result, and return the exit code.

    Raises:
        SpikecheckError: the gate cannot be run; files, step summary and annotation then contain the reason.
    """
    _check_files(options)
    try:
        request = GateRequest.of(options)
        if options["only_planned"]:
            return _plan(request)
        card = _held(request)
    except SpikecheckError as error:
        _tell_refusal(str(error), options)
        raise
    except KeyboardInterrupt:  # between two trainings; during one, the trainer says more
        _tell_refusal("interrupted", options)
        raise
    except (MemoryError, RuntimeError) as error:  # memory that ran out elsewhere than in a tile
        if lacks_memory(error):
            _tell_refusal("out of memory", options)
        raise
    if card is None:
        return 0
    _tell(card, options)
    return _CODES[card.decision]


def _held(request: GateRequest) -> Scorecard | None:
    """Run the gate and return its scorecard, or write the requested baseline and return None."""
    options = request.options
    size = len(request.suite.settings), request.suite.seeds
    if not options["update_baseline"] and not can_name(*size):
        print_error(f"warning: {too_few(*size)}; the gate cannot pass", "yellow")
    if isinstance(request.suite, WorkloadSuite):
        with watcher(console(stderr=True), quiet=options["quiet"]) as observe, redirect_stdout(sys.stderr):
            return _held_on_workload(request, request.suite, options["lab_options"], observe)
    with (
        watcher(console(stderr=True), quiet=options["quiet"]) as observe,
        closing(laboratory(options["lab_options"], observe)) as lab,
    ):
        contestants = [request.candidate, *([request.reference] if request.reference is not None else [])]
        assert isinstance(request.suite, Suite)
        observe(announced(contestants, request.suite, lab))
        with redirect_stdout(sys.stderr):  # an optimizer's own prints must not mix with --json -
            if not options["update_baseline"]:
                return judge(request, lab, observe)
            _update(request, lab, observe)
    return None


def _held_on_workload(
    request: GateRequest, suite: WorkloadSuite, options: LabOptions, observe: Observer
) -> Scorecard | None:
    """As `_held`, of a workload."""
    gate = workload_gate(request.candidate, suite, options, command_line(), observe)
    if request.reference is not None:
        return gate.against(request.reference)
    assert request.baseline is not None
    if not request.options.get("update_baseline"):
        baseline = fitting(json_file.read_baseline(request.baseline), request.baseline, suite, gate.environment)
        return gate.against_baseline(baseline, str(request.baseline))
    atomic_write.check(request.baseline, "--baseline")
    contestant, found = gate.baseline_scores()
    _write_baseline(request, request.baseline, contestant, found, gate.environment)
    return None


def judge(request: GateRequest, lab: Laboratory, observe: Observer) -> Scorecard:
    """Compare the candidate with its reference.

    Raises:
        BaselineError: the baseline does not fit the suite.
        SettingError: an optimizer cannot be used.
    """
    assert isinstance(request.suite, Suite)
    run = GateRun(request.candidate, request.suite, lab, command_line(), environment_of(lab), observe)
    if request.reference is not None:
        return run.against(request.reference)
    assert request.baseline is not None
    baseline = fitting(json_file.read_baseline(request.baseline), request.baseline, request.suite, run.environment)
    return run.against_baseline(baseline, str(request.baseline))


def gate_in_test(
    optimizer: str | Callable[..., Any],
    numbers: Mapping[str, Any],
    against: str | Callable[..., Any] | None,
    against_set: Mapping[str, Any] | None,
    baseline: str | Path | None,
    conditions: Mapping[str, Any] | None,
    seeds: int | None,
    seed: int | None,
    folder: str,
) -> Scorecard:
    """Run a gate for the pytest fixture, without a command line; `folder` is that of stored runs.

    Raises:
        SpikecheckError: as in `judge`, or an optimizer given as an object cannot be imported by its name.
    """
    if (against is None) == (baseline is None):
        raise UsageError("against, baseline: give exactly one of them; it is the reference")
    candidate = contestant(path_of(optimizer), numbers)
    reference = None
    if against is not None:
        reference = contestant(path_of(against), {"lr": candidate.lr, **(against_set or {})})
    kept = None if baseline is None else Path(baseline)
    suite = _suite(conditions or {}, seeds, seed, _read(kept))
    request = GateRequest(candidate, reference, kept, suite, {})
    if isinstance(suite, WorkloadSuite):
        if suite.tune is not None:
            raise UsageError(
                f"lr={candidate.lr:g}: the rates of this gate are tuned; hold it with spikecheck gate --tune"
            )
        card = _held_on_workload(request, suite, LabOptions(store=folder), ignore)
        assert card is not None
        return card
    return judge(request, Laboratory(opened(folder)), ignore)


def path_of(optimizer: str | Callable[..., Any]) -> str:
    """MODULE:NAME of an object; text is returned unchanged.

    Raises:
        SettingError: importing the name does not give the object.
    """
    if isinstance(optimizer, str):
        return optimizer
    path = f"{optimizer.__module__}:{optimizer.__qualname__}"
    if "<" in path or named("optimizer", path) is not optimizer:
        raise SettingError(f"optimizer {path}: cannot be imported by this name; define it at the top of a module")
    return path


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


def _check_update(given: Mapping[str, Any], baseline: Path | None) -> None:
    if os.environ.get("CI"):
        raise UsageError(
            "--update-baseline: a baseline is not written in CI ($CI is set); write it on your machine and commit it"
        )
    if baseline is None:
        raise UsageError("--update-baseline: no file is given; add --baseline FILE, such as reports/baseline.json")
    if not str(given.get("reason", "")).strip():
        raise UsageError("--update-baseline: no reason is given; add --reason TEXT, which reviewers will read")


def _read(path: Path | None) -> Baseline | None:
    return None if path is None else json_file.read_baseline(path)


def _rows(given: Mapping[str, Any], project: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The requested rows; None if none are named."""
    text = given.get("rows", project.get("rows"))
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        known = dict.fromkeys((*ROWS, *WORKLOAD_ROWS, *SAME_RULE_ROWS))
        raise UsageError(f"--rows {text!r}: names no row; give some of: {', '.join(known)}")
    return names


def _suite(
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
    suite, whole = (workload_suite, WORKLOAD_ROWS) if "workload" in conditions else (own_suite, ROWS)
    if suite is own_suite and "tune" in conditions:
        raise UsageError(
            f"--tune {conditions['tune']}: only trainings of --workload are tuned; add --workload gpt or one of your own, or "
            "give the rate with --set lr=0.01"
        )
    kept = whole if known is None else tuple(row for row in (*whole, *SAME_RULE_ROWS) if row in known.scores.values)
    number, first = SEEDS if seeds is None else seeds, 0 if root is None else root
    _check_number("seeds", number, 2, MOST_SEEDS)
    _check_number("seed", first, 0, LARGEST_SEED)
    return suite(conditions, number, first, rows or kept)


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


def _append_to_step_summary(text: str) -> None:
    """Append to GitHub's step summary, if there is one; a failed write is only a warning."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if not summary:
        return
    try:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        print_error(f"warning: GITHUB_STEP_SUMMARY={summary}: cannot be written: {error.strerror}", "yellow")


def _update(request: GateRequest, lab: Laboratory, observe: Observer) -> None:
    assert request.baseline is not None
    assert isinstance(request.suite, Suite)
    atomic_write.check(request.baseline, "--baseline")
    found = scores(request.candidate, request.suite, lab, observe)
    _write_baseline(request, request.baseline, request.candidate, found, environment_of(lab))


def _write_baseline(
    request: GateRequest,
    path: Path,
    contestant: OptimizerSpec,
    found: Scores,
    environment: dict[str, str | int | float],
) -> None:
    baseline = baseline_of(contestant, found, request.suite, request.options["reason"], command_line(), environment)
    atomic_write.write(json_file.text(baseline).encode(), path, "--baseline")
    print_error(f"written: {path}; commit it with the change that it belongs to", "green")


def _check_files(options: Mapping[str, Any]) -> None:
    if options["json_path"] not in (None, "-"):
        json_file.check(Path(options["json_path"]))
    for name, option in _FILES.items():
        if options[name] is not None:
            atomic_write.check(Path(options[name]), option)


def _tell_refusal(reason: str, options: Mapping[str, Any]) -> None:
    """Write the reason why a gate could not run to its files, so that readers of files do not take it as not requested."""
    if options["junit_path"] is not None:
        atomic_write.write(refusal_junit(reason).encode(), Path(options["junit_path"]), "--junit")
    if options["markdown_path"] is not None:
        atomic_write.write(refusal_markdown(reason).encode(), Path(options["markdown_path"]), "--markdown")
    if options["html_path"] is not None:
        from spikecheck.report.scorecard_page import refusal_html  # brings matplotlib, a second

        atomic_write.write(refusal_html(reason).encode(), Path(options["html_path"]), "--html")
    _append_to_step_summary(refusal_markdown(reason))
    if os.environ.get("GITHUB_ACTIONS"):
        click.echo(refusal_annotation(reason), err=options["json_path"] == "-")


def _plan(request: GateRequest) -> int:
    """Print what would be trained and which differences it could detect; train nothing.

    Raises:
        SettingError: an optimizer cannot be imported; then the gate could not run.
    """
    for one in (request.candidate, *([request.reference] if request.reference is not None else [])):
        if one.optimizer not in OPTIMIZERS:
            named("optimizer", one.optimizer)
    with tolerate_closed_pipe():
        render_gate_plan(gate_outlook(request.candidate, request.suite), console())
    return 0


def _tell(card: Scorecard, options: Mapping[str, Any]) -> None:
    """Write the files, then GitHub's step summary, then the terminal, then GitHub's annotations."""
    if options["json_path"] not in (None, "-"):
        json_file.write(card, Path(options["json_path"]))
    if options["html_path"] is not None:
        from spikecheck.report.scorecard_page import scorecard_html  # as above

        atomic_write.write(scorecard_html(card).encode(), Path(options["html_path"]), "--html")
    for name, made in {"markdown_path": scorecard_markdown, "junit_path": scorecard_junit}.items():
        if options[name] is not None:
            atomic_write.write(made(card).encode(), Path(options[name]), _FILES[name])
    _append_to_step_summary(scorecard_markdown(card))
    with tolerate_closed_pipe():
        if options["json_path"] == "-":
            click.echo(json_file.text(card).encode(), nl=False)
        if not options["quiet"]:
            render_scorecard(card, console(stderr=options["json_path"] == "-"))
    if os.environ.get("GITHUB_ACTIONS"):
        for line in annotations(card):
            click.echo(line, err=options["json_path"] == "-")
