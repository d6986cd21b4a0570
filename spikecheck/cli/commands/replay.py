"""`spikecheck replay`: judge one setting, and compare with what a report recorded there."""

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
    seeds_from,
    steps_from,
)
from spikecheck.cli.replaying import ReplayRequest, by_options, by_report, exit_code, refuse_options_beside_a_report
from spikecheck.cli.workload_replaying import refuse_report, refuse_steps, replay_on_workload
from spikecheck.session.lab_options import LabOptions

SEEDS = 64
"""The default."""


@click.command()
@claim_option(required=False)
@optimizer_options
@click.option("--at", "changes", multiple=True, metavar="AXIS=VALUE", help="Change a condition. Repeatable.")
@seed_option
@click.option(
    "--workload",
    metavar="NAME|MODULE:FUNCTION",
    help="Judge the claim on gpt, modular, resnet, mlp, sines, or a training of your own, as verify --workload does.",
)
@click.option("--steps", type=steps_from(1), metavar="N", help="With --workload: of each training.  [default: 500]")
@click.option("--seeds", type=seeds_from(1), help="Number of seeds.  [default: 64, or 16 of a workload]")
@click.option("--gave", metavar="RECORDED", help="What a report's line recorded: say whether it reproduces.")
@click.option(
    "--report",
    "file",
    type=click.Path(path_type=Path),
    metavar="REPORT.json",
    help="Judge this report's counterexample again: say whether it reproduces, and what differs from then.",
)
@lab_options(budget=False)
@paths_option
@click.option("--quiet", is_flag=True, help="Print no progress.")
def replay(
    claim_id: str | None,
    optimizer: str | None,
    numbers: Sequence[str],
    changes: Sequence[str],
    seed: int,
    workload: str | None,
    steps: int | None,
    seeds: int | None,
    gave: str | None,
    file: Path | None,
    lab_options: LabOptions,
    claims_paths: Sequence[Path],
    quiet: bool,
) -> int:
    """Judge a claim at one setting, such as a report's counterexample.

    Exits 0 if the claim holds or fails there, 3 if it is undecided. With --gave or --report it exits 1 if the recorded
    result is not reproduced.
    """
    if workload is not None:
        refuse_report(workload, file)
        chosen = {"optimizer": optimizer, "numbers": numbers, "changes": changes, "steps": steps}
        chosen |= {"seed": seed, "seeds": seeds}
        return replay_on_workload(workload, claim_id, claims_paths, chosen, lab_options, gave=gave, quiet=quiet)
    refuse_steps(steps)
    if file is None:
        request = by_options(
            claim_id, claims_paths, (optimizer, numbers), changes=changes, seeds=(seed, seeds or SEEDS), gave=gave
        )
    else:
        refuse_options_beside_a_report()
        request = by_report(file, claim_id, claims_paths)
    return _judge(request, lab_options, quiet=quiet)


def _judge(request: ReplayRequest, options: LabOptions, *, quiet: bool) -> int:
    from spikecheck.report.live import watcher
    from spikecheck.report.replayed import render_reproduction
    from spikecheck.report.terminal import render_judgement

    claim, reference = request.claim, request.claim.domain.reference
    with watcher(console(stderr=True), quiet=quiet) as observe:
        # Both import torch, for seconds in which progress is shown.
        from spikecheck.harness.verify import replay as judge_again
        from spikecheck.session import verify as session

        lab = context.laboratory(options, observe)
        with closing(lab):
            session.announce(claim, {request.setting: request.seeds}, lab, observe)
            judgement = judge_again(claim, lab, request.setting, request.seeds)
            trace = session.picture_of(claim, lab, judgement)
            reproduction = request.compared(judgement, session.environment_of(lab))
    with tolerate_closed_pipe():
        render_judgement(judgement, claim.id, reference, console(), typical=trace, predicts=claim.predicts)
        if reproduction is not None:
            render_reproduction(reproduction, claim.id, console())
    return exit_code(judgement, reproduction)
