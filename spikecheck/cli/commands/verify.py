"""`spikecheck verify`: verify claims."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from spikecheck.cli import context, output
from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.cli.options import (
    claims_options,
    lab_options,
    optimizer_options,
    paths_option,
    seed_option,
    seeds_from,
    steps_from,
)
from spikecheck.cli.output import report_options
from spikecheck.cli.params import shard as shard_of
from spikecheck.core.errors import ClusterLost, Interrupted
from spikecheck.core.verdict import exit_code
from spikecheck.harness.discover import select
from spikecheck.session.lab_options import LabOptions

if TYPE_CHECKING:
    from spikecheck.harness.claim import Claim
    from spikecheck.harness.plan import Plan

PROFILES = ("quick", "ci", "full")


@click.command()
@claims_options
@click.option("--profile", type=click.Choice(PROFILES), default="quick", show_default=True, help="How much to train.")
@click.option(
    "--workload",
    metavar="NAME|MODULE:FUNCTION",
    help="gpt, modular, resnet, mlp, sines, or a training of your own: verify the claims that apply to it.",
)
@click.option(
    "--at", "changes", multiple=True, metavar="OPTION=VALUE", help="An option of the workload, such as size=small."
)
@click.option("--steps", type=steps_from(20), help="Steps of the workload.  [default: 500]")
@click.option("--seeds", type=seeds_from(2), help="Trainings of the workload.  [default: 16]")
@optimizer_options
@seed_option
@lab_options(budget=True)
@paths_option
@report_options
@click.option(
    "--quiet", is_flag=True, help="Print no progress and no report; only write the files and set the exit code."
)
@click.option("--strict", is_flag=True, help="Fail a tendency with a confirmed counterexample too.")
@click.option(
    "--shard", metavar="I/N", help="Verify only part I of N of the claims; `spikecheck merge` joins the reports."
)
@click.option("--plan", "only_planned", is_flag=True, help="Show what would be trained, and train nothing.")
def verify(
    patterns: Sequence[str],
    profile: str,
    workload: str | None,
    changes: Sequence[str],
    steps: int | None,
    seeds: int | None,
    optimizer: str | None,
    numbers: Sequence[str],
    seed: int,
    lab_options: LabOptions,
    claims_paths: Sequence[Path],
    quiet: bool,
    strict: bool,
    shard: str | None,
    only_planned: bool,
    **files: str | None,
) -> int:
    """Verify claims: train, judge, and search for counterexamples.

    Exits 0 if every claim passes, 1 if one fails, 3 if none fails but one is not decided, 130 if interrupted.
    """
    from spikecheck.cli.workload_verifying import check_not_given, verify_workload
    from spikecheck.harness.plan import plan_of
    from spikecheck.report.live import watcher

    output.check(files)
    if only_planned:
        output.check_none(files)
    chosen: dict[str, Any] = {"changes": changes, "steps": steps, "seeds": seeds}
    if workload is not None:
        chosen |= {"optimizer": optimizer, "numbers": numbers, "seed": seed}
        chosen |= {"quiet": quiet, "strict": strict, "only_planned": only_planned}
        return verify_workload(workload, patterns, claims_paths, chosen, lab_options, files=files)
    check_not_given(chosen)
    discovered = context.all_claims(claims_paths)
    claims, left_out = context.about_optimizer(select(discovered, patterns), optimizer, numbers)
    if shard is not None:
        from spikecheck.session.shards import part_of  # imports torch, as does nothing before progress is shown

        claims = part_of(claims, plan_of(profile, seed), *shard_of(shard))
    if only_planned:
        return _planned(claims, plan_of(profile, seed))
    with watcher(console(stderr=True), quiet=quiet) as observe:
        from spikecheck.session import verify as session  # imports torch, for seconds in which progress is shown

        lab = context.laboratory(lab_options, observe)
        with closing(lab):
            verdicts, failed, stopped = session.verify_each(claims, lab, plan_of(profile, seed), observe)
    complete = stopped is None
    report = session.build_report(
        verdicts,
        {**discovered.unreadable, **failed},
        lab,
        profile,
        seed,
        complete=complete,
        strict=strict,
        left_out=left_out,
        shard=shard or "",
    )
    output.write_reports(report, files, quiet=quiet, strict=strict)
    if isinstance(stopped, ClusterLost | Interrupted):
        print_error(str(stopped))
    return 130 if isinstance(stopped, Interrupted) else exit_code(report, strict=strict)


def _planned(claims: Sequence["Claim"], plan: "Plan") -> int:
    """Print what would be trained."""
    from spikecheck.harness.cost_model import outlook
    from spikecheck.report.outlook_page import render_outlook

    with tolerate_closed_pipe():
        render_outlook(outlook(claims, plan), console())
    return 0
