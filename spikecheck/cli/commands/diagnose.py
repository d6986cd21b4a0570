"""`spikecheck diagnose`: the loss spikes of a log that somebody else wrote."""

from importlib import import_module
from pathlib import Path

import rich_click as click

from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.report.page import Page


@click.command()
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--loss", metavar="NAME", help="The column that holds the training loss (default: loss, train_loss, …).")
@click.option("--step", metavar="NAME", help="The column that holds the step (default: step, global_step, …).")
def diagnose(log: Path, loss: str | None, step: str | None) -> int:
    """Spikes in a training's log: how high, what moved first, whether they recur, and what the log cannot tell.

    LOG is a CSV file, JSON lines, a Trainer's trainer_state.json, or a folder of TensorBoard events.
    """
    columns = import_module("spikecheck.watch.columns")
    read = columns.read_columns(log)
    of_loss = columns.named_column(read, loss, columns.LOSS_NAMES, "--loss")
    of_step = columns.named_column(read, step, columns.STEP_NAMES, "--step")
    diagnosis = import_module("spikecheck.watch.diagnosis").diagnose(read, of_loss, of_step)
    with tolerate_closed_pipe():
        import_module("spikecheck.report.diagnosis_page").render_diagnosis(diagnosis, Page(console()))
    return 0
