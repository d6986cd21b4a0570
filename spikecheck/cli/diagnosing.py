"""The steps of `spikecheck diagnose --workload`: find the cause, write the files, print the answer."""

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import rich_click as click

from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.cli.exit import INTERRUPTED
from spikecheck.core.errors import UsageError
from spikecheck.core.why import Answer, Outcome
from spikecheck.report import atomic_write, json_file
from spikecheck.report.live import watcher
from spikecheck.report.page import Page
from spikecheck.report.why_markdown import why_markdown
from spikecheck.report.why_page import render_why
from spikecheck.session.why import why
from spikecheck.watch.diagnosis import Diagnosis

_FILES = {"json_path": "--json", "markdown_path": "--markdown", "html_path": "--html"}


def run_why(options: Mapping[str, Any], log: Diagnosis | None) -> int:
    """Explain a workload's spike, by default the log's first one.

    Args:
        options: of the command line, by their names there.
        log: the diagnosis of the log that was given, if one was.

    Returns:
        The exit code: 0 if a cause is named, 3 if none is, 130 after Ctrl-C.

    Raises:
        SpikecheckError: the workload, its optimizer, the log or an output file cannot be used.
    """
    if log is not None and options["at_step"] is None:
        options = {**options, "at_step": _spike_of(log)}
    return _run(options)


def run_afterwards(options: Mapping[str, Any], log: Path | None) -> int:
    """As `run_why`, from the states that a watched training left."""
    for name, value in (("LOG", log), ("--workload", options["workload"])):
        if value is None:
            raise UsageError(f"--states {options['states']}: needs {name}; give LOG, --states and --workload together")
    return _run({**options, "log": log})


def _run(options: Mapping[str, Any]) -> int:
    for name, option in _FILES.items():
        if options[name] not in (None, "-"):
            atomic_write.check(Path(options[name]), option)
    with watcher(console(stderr=True), quiet=options["quiet"]) as observe, redirect_stdout(sys.stderr):
        answer, interrupted = why(options, options["lab_options"], observe)
    _tell(answer, options)
    if interrupted:
        print_error("interrupted; finished forks are kept, and the same command continues from there")
        return INTERRUPTED
    return 0 if answer.outcome is Outcome.CAUSE else 3


def _spike_of(log: Diagnosis) -> int:
    """The step of the log's first spike."""
    if not log.spikes:
        raise UsageError("LOG: has no loss spike; leave it out, or name a step with --at-step N")
    return log.spikes[0].spike.onset


def _tell(answer: Answer, options: Mapping[str, Any]) -> None:
    """Write the files, then the terminal."""
    if options["json_path"] not in (None, "-"):
        json_file.write(answer, Path(options["json_path"]))
    if options["markdown_path"] is not None:
        atomic_write.write(why_markdown(answer).encode(), Path(options["markdown_path"]), "--markdown")
    if options["html_path"] is not None:
        from spikecheck.report.why_html import why_html  # brings matplotlib, a second

        atomic_write.write(why_html(answer).encode(), Path(options["html_path"]), "--html")
    with tolerate_closed_pipe():
        if options["json_path"] == "-":
            click.echo(json_file.text(answer).encode(), nl=False)
        if not options["quiet"]:
            render_why(answer, Page(console(stderr=options["json_path"] == "-")))
