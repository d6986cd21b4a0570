"""What a gate would train, and which differences it could find."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikecheck.core.gate_outlook import Finds, GateOutlook, TuningOutlook
from spikecheck.core.scorecard import SuiteSetting, WorkloadPlace
from spikecheck.report.phrases import plural
from spikecheck.report.sanitize import inert


def render_gate_plan(outlook: GateOutlook, console: Console) -> None:
    """Print the settings, then the smallest differences that the gate would find."""
    if outlook.warning:
        console.print(Text(f"warning: {outlook.warning}", style="yellow"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("setting")
    for name in ("trainings a side", "steps", "batch"):
        table.add_column(name, justify="right")
    for place in outlook.places:
        steps, batch = _of(place)
        table.add_row(Text(inert(place.name)), str(outlook.seeds), f"{steps:,}", batch)
    console.print(table)
    if outlook.tuning is not None:
        console.print(Text(_tuning_says(outlook.tuning, outlook.seeds * len(outlook.places))), highlight=False)
    for one in outlook.finds:
        console.print(Text(_says(one)), highlight=False)
    console.print(
        Text(
            "Found: with 80 % power, at the level that the first row is tested at. More --seeds find smaller differences.",
            style="dim",
        )
    )


def _tuning_says(tuning: TuningOutlook, compared: int) -> str:
    """How many trainings each side takes, and which."""
    searched = tuning.rates * tuning.seeds
    whole = searched + compared + tuning.around
    return (
        f"{inert(tuning.range)}: up to {whole:,} trainings a side: {searched:,} to find its best rate ({tuning.rates} rates "
        f"on {plural(tuning.seeds, 'seed')} of their own), {compared:,} there, and up to {tuning.around:,} at rates around it."
    )


def _of(place: SuiteSetting | WorkloadPlace) -> tuple[int, str]:
    """Number of steps, and points a step as text."""
    if isinstance(place, WorkloadPlace):
        return place.steps, "its own"
    return place.setting.steps, "all" if place.setting.batch is None else str(place.setting.batch)


def _says(finds: Finds) -> str:
    trainings = plural(finds.trainings, "training")
    spiking = (
        "no count of spiking trainings is large enough"
        if finds.spiking is None
        else f"{finds.spiking} of {trainings} that spike where none of the reference's does are named"
    )
    return (
        f"{finds.where}: a mean is found to be worse from {finds.spreads:.1f} standard deviations of a pair's difference "
        f"beyond its margin; {spiking}."
    )
