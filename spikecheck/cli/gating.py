"""The steps of `spikecheck gate`: read its options, run the gate, and write the results."""

import os
import sys
from collections.abc import Mapping
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

import rich_click as click

from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.cli.gate_request import GateRequest
from spikecheck.core.errors import SpikecheckError, lacks_memory
from spikecheck.core.events import Observer
from spikecheck.core.import_path import named
from spikecheck.core.scorecard import Decision, OptimizerSpec, Scorecard, Scores
from spikecheck.core.setting import OPTIMIZERS
from spikecheck.gate.baseline import baseline_of, fitting
from spikecheck.gate.comparison import can_name, too_few
from spikecheck.gate.plan import gate_outlook
from spikecheck.gate.run import GateRun, announced, scores
from spikecheck.gate.suite import Suite
from spikecheck.gate.workload_suite import WorkloadSuite
from spikecheck.lab.laboratory import Laboratory
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
    if request.rows_of_baseline and request.suite.named and not options["quiet"]:
        print_error(f"rows as in {request.baseline}: {', '.join(request.suite.rows)}", "dim")
    if isinstance(request.suite, WorkloadSuite):
        with watcher(console(stderr=True), quiet=options["quiet"]) as observe, redirect_stdout(sys.stderr):
            return held_on_workload(request, request.suite, options["lab_options"], observe)
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


def held_on_workload(
    request: GateRequest, suite: WorkloadSuite, options: LabOptions, observe: Observer
) -> Scorecard | None:
    """Run the gate on a workload and return its scorecard, or write the requested baseline and return None."""
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
    baseline = baseline_of(
        contestant,
        found,
        request.suite,
        reason=request.options["reason"],
        command=command_line(),
        environment=environment,
    )
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
