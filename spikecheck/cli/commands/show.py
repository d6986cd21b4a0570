"""`spikecheck show`: one spike, step by step."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from spikecheck.cli import context
from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.options import SEED, claim_option, lab_options, paths_option
from spikecheck.core.errors import UsageError
from spikecheck.core.events import Busy, ClaimStarted, Observer, StageStarted
from spikecheck.core.portrait import Portrait
from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.core.work import Expected
from spikecheck.harness.paper_settings import SETTING_A
from spikecheck.report import portrait_files
from spikecheck.report.live import watcher
from spikecheck.report.portrait_page import render_portrait
from spikecheck.session.lab_options import LabOptions

if TYPE_CHECKING:
    from spikecheck.lab.laboratory import Laboratory


@click.command()
@claim_option(required=False)
@click.option("--at", "changes", multiple=True, metavar="AXIS=VALUE", help="Change a condition. Repeatable.")
@click.option("--problem", metavar="MODULE:FACTORY", help="Your own data, or a built-in problem.")
@click.option("--model", metavar="MODULE:FACTORY", help="Your own nn.Module, or a built-in model.")
@click.option("--optimizer", metavar="MODULE:CLASS", help="Train with this optimizer, or with a built-in one by name.")
@click.option(
    "--set", "numbers", multiple=True, metavar="NAME=VALUE", help="The optimizer's arguments: lr, betas, … Repeatable."
)
@click.option("--seed", type=SEED, help="The training's seed. Default: the first seed that spikes.")
@click.option("--figure", "figures", multiple=True, metavar="FILE", help="Draw FILE.png or FILE.svg. Repeatable.")
@click.option("--animate", metavar="FILE", help="Animate the fitted function through the spike: FILE.gif or FILE.mp4.")
@lab_options(budget=False)
@paths_option
@click.option("--quiet", is_flag=True, help="Print nothing; write the files only.")
def show(
    claim_id: str | None,
    changes: Sequence[str],
    problem: str | None,
    model: str | None,
    optimizer: str | None,
    numbers: Sequence[str],
    seed: int | None,
    figures: Sequence[str],
    animate: str | None,
    lab_options: LabOptions,
    claims_paths: Sequence[Path],
    quiet: bool,
) -> int:
    """Show one loss spike step by step: loss, sharpness, eigendirections, input weights, and twins that part before it.

    The training is a claim's reference setting, or the paper's setting A where no claim is given.
    """
    _check_files(figures, animate)
    given = context.optimizer_numbers(optimizer, numbers)
    claim = None if claim_id is None else context.one_claim(claim_id, claims_paths)
    definition = claim.definition if claim else SpikeDefinition()
    with watcher(console(stderr=True), quiet=quiet) as observe:
        _enter(observe, "loading torch", waiting=True)
        reference = context.with_optimizer(claim.domain.reference if claim else SETTING_A, optimizer, given)
        own = {name: value for name, value in {"problem": problem, "model": model}.items() if value is not None}
        setting = context.changed(reference.but(**own), changes)
        if animate is not None:
            _check_curve(setting, animate)
        with closing(context.laboratory(lab_options, observe)) as lab:
            portrait = _portrait(lab, setting, seed, definition, observe)
        _write(portrait, figures, animate, observe)
    with tolerate_closed_pipe():
        if not quiet:
            render_portrait(portrait, console())
    return 0


def _check_files(figures: Sequence[str], animate: str | None) -> None:
    for figure in figures:
        portrait_files.check_figure(Path(figure))
    if animate is not None:
        portrait_files.check_animation(Path(animate))


def _check_curve(setting: Setting, animate: str) -> None:
    from spikecheck.harness.spike_portrait import has_curve

    if not has_curve(setting):
        raise UsageError(f"--animate {animate}: only a network of one input and one output has a curve to show")


def _portrait(
    lab: "Laboratory", setting: Setting, seed: int | None, definition: SpikeDefinition, observe: Observer
) -> Portrait:
    from spikecheck.harness import spike_portrait

    expected = spike_portrait.expected_work(setting, seed, definition, lab.is_stored)
    observe(ClaimStarted("show", 1, 1, (("show", Expected(expected)),)))
    tried = spike_portrait.SEEDS if seed is None else 1
    observe(StageStarted("show", "training, to find a seed that spikes", 1, tried))
    spiking = spike_portrait.spiking_seed(lab, setting, definition, seed)
    _enter(observe, f"measuring the spike of seed {spiking} step by step, and training its twins")
    return spike_portrait.portray(lab, setting, spiking, definition)


def _write(portrait: Portrait, figures: Sequence[str], animate: str | None, observe: Observer) -> None:
    """Draw the files; matplotlib is imported here, where something has been on the screen for long."""
    if figures:
        _enter(observe, "drawing", waiting=True)
        from spikecheck.report.portrait_figure import write

        for figure in figures:
            write(portrait, Path(figure))
    if animate is not None:
        _enter(observe, "animating", waiting=True)
        from spikecheck.report.portrait_animation import animate as animated

        animated(portrait, Path(animate))


def _enter(observe: Observer, stage: str, *, waiting: bool = False) -> None:
    """Announce a stage; while `waiting` nothing is trained, and no estimate of the time left counts it."""
    observe(StageStarted("show", stage, 1, 0))
    if waiting:
        observe(Busy(stage))
