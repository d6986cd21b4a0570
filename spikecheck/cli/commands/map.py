"""`spikecheck map`: map where a claim holds, over two axes."""

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
    seeds_from,
)
from spikecheck.cli.params import condition, maps
from spikecheck.session.lab_options import LabOptions


@click.command("map")
@claim_option(required=True)
@click.option(
    "--x",
    metavar="AXIS[=V1,V2,…]",
    help="Horizontal axis: a condition, or cutoff. Default values: the claim's ladder.",
)
@click.option(
    "--y", metavar="AXIS[=V1,V2,…]", help="Vertical axis. Without --x and --y: the maps defined by the claim."
)
@click.option(
    "--at", "changes", multiple=True, metavar="AXIS=VALUE", help="Change a condition of all cells. Repeatable."
)
@click.option(
    "--seeds",
    type=seeds_from(1),
    default=32,
    show_default=True,
    help="Number of seeds for each cell.",
)
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
    help="Draw the map. Repeatable. Several maps are numbered: FILE-1.png, FILE-2.png, …",
)
@click.option("--quiet", is_flag=True, help="Print no progress and no map; only write the files.")
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
    """Map where a claim holds over two axes: each cell shows its share of seeds, or its average, with an interval.

    A map decides nothing. Exits 0 when it is complete, 3 if the budget is spent before, 130 if interrupted. Finished runs are
    kept, and the same command resumes from them.
    """
    from spikecheck.harness.maps import grid
    from spikecheck.report import json_file, map_files
    from spikecheck.report.live import watcher
    from spikecheck.report.terminal import render_map

    claim = context.one_claim(claim_id, claims_paths)
    at = dict(condition(text) for text in changes)
    grids = [grid(claim, wanted, at) for wanted in maps(claim, x, y)]
    file = Path(json_path) if json_path not in (None, "-") else None
    if file is not None:
        json_file.check(file)
    map_files.check(figures, len(grids))
    with watcher(console(stderr=True), quiet=quiet) as observe:
        from spikecheck.session import verify as session  # imports torch

        lab = context.laboratory(lab_options, observe)
        with closing(lab):
            scopes = session.survey_each(claim, lab, grids, seeds, seed, observe)
    mapped = session.build_map(claim, scopes, lab, seed)
    try:
        if file is not None:
            json_file.write(mapped, file)
        map_files.write(mapped, figures)
    finally:  # print the map even if a file could not be written
        with tolerate_closed_pipe():
            if json_path == "-":
                click.echo(json_file.text(mapped).encode(), nl=False)
            if not quiet:
                render_map(mapped, console(stderr=json_path == "-"))
    return 0
