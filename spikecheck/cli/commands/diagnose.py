"""`spikecheck diagnose`: the loss spikes of a log that somebody else wrote, or why a workload spiked."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.loading import loading
from spikecheck.cli.options import SEED, WholeNumber, given_options, lab_options, steps_from
from spikecheck.core.errors import UsageError
from spikecheck.report.page import Page

if TYPE_CHECKING:
    from spikecheck.watch.diagnosis import Diagnosis

_OF_A_LOG = ("log", "loss", "step", "quiet")
"""The parameters that mean something without a workload."""


@click.command()
@click.argument("log", type=click.Path(path_type=Path), required=False)
@click.option("--loss", metavar="NAME", help="The log's column with the training loss (default: loss, train_loss, …).")
@click.option(
    "--step",
    metavar="NAME",
    help="The log's column with the step (default: step, global_step, …; else rows are numbered).",
)
@click.option(
    "--workload",
    metavar="NAME|MODULE:FUNCTION",
    help="Find out why this training spiked, by forks: gpt, modular, resnet, mlp, sines, or your own. "
    "With LOG: at the log's first spike.",
)
@click.option(
    "--states",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="With --workload and the LOG of spikecheck.Watch.of: explain from the states that it kept, without training again.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="The workload's seed.")
@click.option("--steps", type=steps_from(1), help="Steps that the workload is trained.  [default: 500]")
@click.option(
    "--at", "changes", multiple=True, metavar="OPTION=VALUE", help="size, batch, …, of the workload. Repeatable."
)
@click.option("--optimizer", metavar="MODULE:CLASS", help="In place of the workload's own, or a name such as adam.")
@click.option("--set", "numbers", multiple=True, metavar="NAME=VALUE", help="lr, betas, …: its arguments. Repeatable.")
@click.option("--at-step", type=WholeNumber(min=0), metavar="N", help="The spike at this step, not the first.")
@click.option("--arm", "own_arms", multiple=True, metavar="MODULE:FUNCTION", help="An arm of your own. Repeatable.")
@lab_options(budget=True)
@click.option("--json", "json_path", metavar="FILE", help="Write the answer as JSON; - for standard output.")
@click.option("--markdown", "markdown_path", metavar="FILE.md", help="Write the answer as Markdown.")
@click.option("--html", "html_path", metavar="FILE.html", help="Write the answer as a web page.")
@click.option("--quiet", is_flag=True, help="No progress, no answer; only the exit code and the files.")
def diagnose(log: Path | None, loss: str | None, step: str | None, **options: Any) -> int:
    """Spikes in a training's log: how high, what moved first, whether they recur, and what the log cannot tell.

    LOG is a CSV file, JSON lines, lines such as "step 12 loss 2.5", a Trainer's trainer_state.json, or a folder of
    TensorBoard events.

    With --workload: why the training spiked, from forks of it in which one thing at a time is changed. Exits 0 if a cause is
    found, 3 if none is.
    """
    if options["states"] is not None:
        with loading(console(stderr=True), quiet=options["quiet"]):
            from spikecheck.cli.diagnosing import run_afterwards

        return run_afterwards(options, log)
    _check_used(log, options["workload"])
    diagnosis = None if log is None else _read(log, loss, step)
    if options["workload"] is not None:
        with loading(console(stderr=True), quiet=options["quiet"]):
            from spikecheck.cli.diagnosing import run_why

        return run_why(options, diagnosis)
    if diagnosis is not None and not options["quiet"]:
        from spikecheck.report.diagnosis_page import render_diagnosis

        with tolerate_closed_pipe():
            render_diagnosis(diagnosis, Page(console()))
    return 0


def _check_used(log: Path | None, workload: str | None) -> None:
    """Refuse options that this call would ignore: a log alone is not trained, and without a log there are no columns."""
    if log is None and workload is None:
        raise UsageError("no log is given; add LOG, or --workload NAME to train one")
    for name, option in given_options().items():
        if workload is None and name not in _OF_A_LOG:
            raise UsageError(f"{option}: belongs to --workload; give that as well")
        if log is None and name in ("loss", "step"):
            raise UsageError(f"{option}: names a column of LOG; give LOG as well")


def _read(log: Path, loss: str | None, step: str | None) -> "Diagnosis":
    from spikecheck.watch.columns import LOSS_NAMES, named_column, read_columns, step_column
    from spikecheck.watch.diagnosis import diagnose as diagnose_log

    read = read_columns(log, diverged=True)
    return diagnose_log(read, named_column(read, loss, LOSS_NAMES, "--loss"), step_column(read, step))
