"""`spikecheck show`: a spike from near."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import rich_click as click

from spikecheck.cli import context
from spikecheck.cli.console import console, while_read
from spikecheck.cli.options import claim_option, lab_options, paths_option
from spikecheck.core.errors import UsageError
from spikecheck.core.events import ClaimStarted, StageStarted
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.paper_settings import SETTING_A
from spikecheck.report.live import watcher
from spikecheck.report.portrait_page import render_portrait
from spikecheck.session.lab_options import LabOptions


@click.command()
@claim_option(required=False)
@click.option("--at", "changes", multiple=True, metavar="AXIS=VALUE", help="A condition that differs. Repeatable.")
@click.option("--seed", type=click.IntRange(min=0), help="The training's seed; default: the first that spikes.")
@click.option(
    "--figure", "figures", multiple=True, metavar="FILE", help="Draw it into FILE.png or FILE.svg. Repeatable."
)
@click.option("--animate", metavar="FILE", help="The fit through the spike, as FILE.gif or FILE.mp4.")
@lab_options(budget=False)
@paths_option
@click.option("--quiet", is_flag=True, help="Nothing on the screen; only the files asked for.")
def show(
    claim_id: str | None,
    changes: Sequence[str],
    seed: int | None,
    figures: Sequence[str],
    animate: str | None,
    lab_options: LabOptions,
    claims_paths: Sequence[Path],
    quiet: bool,
) -> int:
    """A loss spike from near, at a claim's setting or, without a claim, at the paper's."""
    from spikecheck.report import portrait_figure as drawing  # brings matplotlib

    for figure in figures:
        drawing.check_figure(Path(figure))
    if animate is not None:
        drawing.check_animation(Path(animate))
    claim = None if claim_id is None else context.one_claim(claim_id, claims_paths)
    setting = context.changed(claim.domain.reference if claim else SETTING_A, changes)
    definition = claim.definition if claim else SpikeDefinition()
    with watcher(console(stderr=True), quiet=quiet) as observe:
        from spikecheck.harness import spike_portrait as portray  # brings torch

        if animate is not None and not portray.has_curve(setting):
            raise UsageError(f"--animate {animate}: only a network of one input and one output has a curve to show")
        with closing(context.laboratory(lab_options, observe)) as lab:
            expected = portray.expected_seconds(setting, seed, definition, lab.is_stored)
            observe(ClaimStarted("show", 1, 1, (("show", expected),)))
            observe(StageStarted("show", "looking for a spike", 1, portray.SEEDS))
            found = portray.spiking_seed(lab, setting, definition, seed)
            observe(StageStarted("show", "looking at it", 1, 0))
            portrait = portray.portray(lab, setting, found, definition)
    for figure in figures:
        drawing.write(portrait, Path(figure))
    if animate is not None:
        with console(stderr=True).status("animating"):
            drawing.animate(portrait, Path(animate))
    with while_read():
        if not quiet:
            render_portrait(portrait, console())
    return 0
