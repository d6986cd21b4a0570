"""`spikecheck replay`: judge one setting."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import rich_click as click

from spikecheck.cli import context
from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.options import (
    claim_option,
    lab_options,
    optimizer_options,
    paths_option,
    seed_option,
)
from spikecheck.core.judgement import Outcome
from spikecheck.session.lab_options import LabOptions


@click.command()
@claim_option(required=True)
@optimizer_options
@click.option("--at", "changes", multiple=True, metavar="AXIS=VALUE", help="Change a condition. Repeatable.")
@seed_option
@click.option("--seeds", type=click.IntRange(min=1), default=64, show_default=True, help="Number of seeds.")
@lab_options(budget=False)
@paths_option
@click.option("--quiet", is_flag=True, help="Print no progress.")
def replay(
    claim_id: str,
    optimizer: str | None,
    numbers: Sequence[str],
    changes: Sequence[str],
    seed: int,
    seeds: int,
    lab_options: LabOptions,
    claims_paths: Sequence[Path],
    quiet: bool,
) -> int:
    """Judge a claim at one setting, such as a report's counterexample.

    Exits 0 if the claim holds or fails there, 3 if it is undecided.
    """
    from spikecheck.harness.plan import fresh_seeds
    from spikecheck.harness.verify import replay as judge_again
    from spikecheck.report.live import watcher
    from spikecheck.report.terminal import render_judgement

    (claim,), _ = context.about_optimizer([context.one_claim(claim_id, claims_paths)], optimizer, numbers)
    reference = claim.domain.reference
    setting = context.changed(reference, changes)
    with watcher(console(stderr=True), quiet=quiet) as observe:
        from spikecheck.session import verify as session  # imports torch

        lab = context.laboratory(lab_options, observe)
        with closing(lab):
            fresh = fresh_seeds(seed, setting, seeds)
            session.announce(claim, {setting: fresh}, lab, observe)
            judgement = judge_again(claim, lab, setting, fresh)
            trace = session.picture_of(claim, lab, judgement)
    with tolerate_closed_pipe():
        render_judgement(judgement, claim.id, reference, console(), trace, claim.predicts)
    return 0 if judgement.outcome in (Outcome.HOLDS, Outcome.FAILS) else 3
