"""`spikecheck map`: where a claim holds, over two axes."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import rich_click as click

from spikecheck.cli import context
from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.options import (
    claim_option,
    lab_options,
    paths_option,
    seed_option,
)
from spikecheck.cli.params import condition, maps
from spikecheck.session.lab_options import LabOptions


@click.command("map")
@claim_option(required=True)
@click.option(
    "--x", metavar="AXIS[=V1,V2,…]", help="Across: a condition, or cutoff; default values: the claim's ladder."
)
@click.option("--y", metavar="AXIS[=V1,V2,…]", help="Up; without --x and --y: the maps that the claim names itself.")
@click.option("--at", "changes", multiple=True, metavar="AXIS=VALUE", help="A condition of all cells. Repeatable.")
@click.option("--seeds", type=click.IntRange(min=1), default=32, show_default=True, help="How many seeds a cell.")
@seed_option
@lab_options(budget=True)
@paths_option
@click.option("--json", "json_path", metavar="FILE", help="Write the maps as JSON; - for standard output.")
@click.option(
    "--figure",
    "figures",
    multiple=True,
    metavar="FILE.png|.svg",
    type=click.Path(path_type=Path),
    help="Draw the map. Repeatable. Of several maps each gets its number: FILE-1.png, FILE-2.png, …",
)
@click.option("--quiet", is_flag=True, help="No progress, no map; only the files asked for.")
def map_command(
    claim_id: str,
    x: str | None,
    y: str | None,
    changes: Sequence[str],
    seeds: int,
    seed: int,
    lab_options: LabOptions,
    claims_paths: Sequence[Path],
    json_path: str | None,
    figures: Sequence[Path],
    quiet: bool,
) -> int:
    """Where a claim holds, over two ladders: in every cell its share of seeds, or the average that decides, with an interval.

    A map decides nothing: exits 0 once it is drawn, 3 when the budget is spent before, 130 when interrupted. What was
    trained is kept, and the same command goes on from there.
    """
    from spikecheck.harness.maps import grid
    from spikecheck.report import json_file, map_files
    from spikecheck.report.live import watcher
    from spikecheck.report.terminal import render_map

    claim = context.one_claim(claim_id, claims_paths)
    at = dict(condition(text) for text in changes)
    grids = [grid(claim, asked, at) for asked in maps(claim, x, y)]
    file = Path(json_path) if json_path not in (None, "-") else None
    if file is not None:
        json_file.check(file)
    map_files.check(figures, len(grids))
    with watcher(console(stderr=True), quiet=quiet) as observe:
        from spikecheck.session import verify as session  # brings torch

        lab = context.laboratory(lab_options, observe)
        with closing(lab):
            scopes = session.survey_each(claim, lab, grids, seeds, seed, observe)
    found = session.build_map(claim, scopes, lab, seed)
    try:
        if file is not None:
            json_file.write(found, file)
        map_files.write(found, figures)
    finally:  # whoever reads the screen has the map nevertheless
        with tolerate_closed_pipe():
            if json_path == "-":
                click.echo(json_file.text(found).encode(), nl=False)
            if not quiet:
                render_map(found, console(stderr=json_path == "-"))
    return 0
