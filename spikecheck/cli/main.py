"""The command line: parse, build a laboratory, call, render.

Imports of torch, scipy and hypothesis stand inside the commands that need them, so that `list`, `explain` and `--help`
answer at once.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import rich_click as click

from spikecheck import __version__
from spikecheck.cli import context, output
from spikecheck.cli.commands.doctor import doctor
from spikecheck.cli.commands.reports import compare, merge, recheck, report
from spikecheck.cli.commands.selftest import selftest
from spikecheck.cli.commands.show import show
from spikecheck.cli.commands.store import store
from spikecheck.cli.console import complain, console, never_fail_to_encode, while_read
from spikecheck.cli.exit import leave, press_again, told
from spikecheck.cli.options import (
    device_option,
    executor_option,
    optimizer_options,
    paths_option,
    seed_option,
    store_options,
)
from spikecheck.cli.output import report_options
from spikecheck.cli.params import condition, maps, seconds
from spikecheck.cli.params import shard as shard_of
from spikecheck.core.errors import (
    ClusterLost,
    Interrupted,
    NothingSelected,
)
from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import exit_code
from spikecheck.harness.discover import select
from spikecheck.report.explain import render_explanation, render_list

if TYPE_CHECKING:
    from spikecheck.harness.claim import Claim
    from spikecheck.harness.plan import Plan
    from spikecheck.lab.laboratory import Device

PROFILES = ("quick", "ci", "full")


def main() -> NoReturn:
    """Run the command line and leave with an exit code; a user's mistake is one line, never a traceback."""
    never_fail_to_encode()
    press_again()
    try:
        code = cli.main(prog_name="spikecheck", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        code = told(error)
    leave(code if isinstance(code, int) else 0)


@click.group()
@click.version_option(__version__)
def cli() -> None:
    """Claims about loss spikes in training, as executable checks.

    Start with: spikecheck verify --claim condensation
    """


@cli.command("list")
@paths_option
def list_command(claims_paths: Sequence[Path]) -> None:
    """All claims: id, kind and statement."""
    found = context.all_claims(claims_paths)
    if not found.claims:
        raise NothingSelected("no claim was found; give a folder of claim files with --claims-path")
    with while_read():
        render_list([(claim.id, claim.kind, claim.says) for claim in found.claims.values()], console())


@cli.command()
@click.argument("claim_id", metavar="ID")
@paths_option
def explain(claim_id: str, claims_paths: Sequence[Path]) -> None:
    """What a claim says, where it is said to hold, and what would refute it."""
    with while_read():
        render_explanation(context.one_claim(claim_id, claims_paths).explain(), console())


@cli.command()
@click.option(
    "--claim", "patterns", multiple=True, metavar="ID", help="Claim or shell pattern. Repeatable; default all."
)
@click.option("--profile", type=click.Choice(PROFILES), default="quick", show_default=True, help="How much to train.")
@optimizer_options
@seed_option
@click.option("--budget", metavar="TIME", help="Stop after so long, such as 60s or 5m; what was trained is kept.")
@device_option
@executor_option
@paths_option
@report_options
@store_options
@click.option("--quiet", is_flag=True, help="No progress, no report; only the exit code, and the JSON if asked for.")
@click.option("--strict", is_flag=True, help="A tendency that stops holding somewhere counts as failed.")
@click.option(
    "--shard", metavar="I/N", help="Only the I-th of N parts of the claims; `spikecheck merge` joins the reports."
)
@click.option("--plan", "only_planned", is_flag=True, help="Say what would be trained, and train nothing.")
def verify(
    patterns: Sequence[str],
    profile: str,
    optimizer: str | None,
    numbers: Sequence[str],
    seed: int,
    budget: str | None,
    device: "Device",
    executor: str,
    claims_paths: Sequence[Path],
    store: str | None,
    no_store: bool,
    quiet: bool,
    strict: bool,
    shard: str | None,
    only_planned: bool,
    **files: str | None,
) -> int:
    """Train, judge, and try to refute.

    Exits 0 if every claim passes, 1 if one fails, 3 if none fails but one stays open, 130 when interrupted.
    """
    from spikecheck.harness.plan import plan_of
    from spikecheck.report.live import watcher
    from spikecheck.session.shards import part_of

    deadline = None if budget is None else time.monotonic() + seconds(budget, "--budget")
    output.check(files)
    found = context.all_claims(claims_paths)
    claims, left_out = context.about_optimizer(select(found, patterns), optimizer, numbers)
    if shard is not None:
        claims = part_of(claims, plan_of(profile, seed), *shard_of(shard))
    if only_planned:
        return _planned(claims, plan_of(profile, seed))
    with watcher(console(stderr=True), quiet=quiet) as observe:
        from spikecheck.session import verify as session  # brings torch: seconds in which something should be seen

        lab = context.laboratory(store, no_store, device, observe, deadline, executor)
        with closing(lab):
            verdicts, failed, stopped = session.verify_each(claims, lab, plan_of(profile, seed), observe)
    complete = stopped is None
    report = session.build_report(
        verdicts,
        {**found.unreadable, **failed},
        lab,
        profile,
        seed,
        complete=complete,
        strict=strict,
        left_out=left_out,
        shard=shard or "",
    )
    output.tell(report, files, quiet=quiet, strict=strict)
    if isinstance(stopped, ClusterLost):
        complain(str(stopped))
    return 130 if isinstance(stopped, Interrupted) else exit_code(report, strict=strict)


@cli.command("map")
@click.option("--claim", "claim_id", required=True, metavar="ID", help="The claim.")
@click.option(
    "--x", metavar="AXIS[=V1,V2,…]", help="Across: a condition, or cutoff; default values: the claim's ladder."
)
@click.option("--y", metavar="AXIS[=V1,V2,…]", help="Up; without --x and --y: the maps that the claim names itself.")
@click.option("--at", "changes", multiple=True, metavar="AXIS=VALUE", help="A condition of all cells. Repeatable.")
@click.option("--seeds", type=click.IntRange(min=1), default=32, show_default=True, help="How many seeds a cell.")
@seed_option
@click.option("--budget", metavar="TIME", help="Stop after so long, such as 60s or 5m; what was trained is kept.")
@device_option
@executor_option
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
@store_options
@click.option("--quiet", is_flag=True, help="No progress, no map; only the files asked for.")
def map_command(
    claim_id: str,
    x: str | None,
    y: str | None,
    changes: Sequence[str],
    seeds: int,
    seed: int,
    budget: str | None,
    device: "Device",
    executor: str,
    claims_paths: Sequence[Path],
    json_path: str | None,
    figures: Sequence[Path],
    store: str | None,
    no_store: bool,
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

    deadline = None if budget is None else time.monotonic() + seconds(budget, "--budget")
    claim = context.one_claim(claim_id, claims_paths)
    at = dict(condition(text) for text in changes)
    grids = [grid(claim, asked, at) for asked in maps(claim, x, y)]
    file = Path(json_path) if json_path not in (None, "-") else None
    if file is not None:
        json_file.check(file)
    map_files.check(figures, len(grids))
    with watcher(console(stderr=True), quiet=quiet) as observe:
        from spikecheck.session import verify as session  # as above

        lab = context.laboratory(store, no_store, device, observe, deadline, executor)
        with closing(lab):
            scopes = session.survey_each(claim, lab, grids, seeds, seed, observe)
    found = session.build_map(claim, scopes, lab, seed)
    try:
        if file is not None:
            json_file.write(found, file)
        map_files.write(found, figures)
    finally:  # as above
        with while_read():
            if json_path == "-":
                click.echo(json_file.text(found).encode(), nl=False)
            if not quiet:
                render_map(found, console(stderr=json_path == "-"))
    return 0


@cli.command()
@click.argument("claim_id", metavar="CLAIM")
@optimizer_options
@click.option("--at", "changes", multiple=True, metavar="AXIS=VALUE", help="A condition that differs. Repeatable.")
@seed_option
@click.option("--seeds", type=click.IntRange(min=1), default=64, show_default=True, help="How many seeds.")
@device_option
@executor_option
@paths_option
@store_options
@click.option("--quiet", is_flag=True, help="No progress.")
def replay(
    claim_id: str,
    optimizer: str | None,
    numbers: Sequence[str],
    changes: Sequence[str],
    seed: int,
    seeds: int,
    device: "Device",
    executor: str,
    claims_paths: Sequence[Path],
    store: str | None,
    no_store: bool,
    quiet: bool,
) -> int:
    """Judge a claim at one setting, as a report's counterexample says. Exits 0 if that gives an answer, else 3."""
    from spikecheck.harness.plan import fresh_seeds
    from spikecheck.harness.verify import replay as judge_again
    from spikecheck.report.live import watcher
    from spikecheck.report.terminal import render_judgement

    (claim,), _ = context.about_optimizer([context.one_claim(claim_id, claims_paths)], optimizer, numbers)
    reference = claim.domain.reference
    setting = context.changed(reference, changes)
    with watcher(console(stderr=True), quiet=quiet) as observe:
        from spikecheck.session import verify as session  # as above

        lab = context.laboratory(store, no_store, device, observe, None, executor)
        with closing(lab):
            asked = fresh_seeds(seed, setting, seeds)
            session.announce(claim, {setting: asked}, lab, observe)
            judgement = judge_again(claim, lab, setting, asked)
            trace = session.picture_of(claim, lab, judgement)
    with while_read():
        render_judgement(judgement, claim.id, reference, console(), trace, claim.predicts)
    return 0 if judgement.outcome in (Outcome.HOLDS, Outcome.FAILS) else 3


@cli.command()
@click.option("--optimizer", metavar="MODULE:CLASS", help="The candidate, or a name of spikecheck's own such as adam.")
@click.option("--set", "numbers", multiple=True, metavar="NAME=VALUE", help="lr, betas, …: its arguments. Repeatable.")
@click.option("--against", metavar="NAME", help="The reference, trained beside it: MODULE:CLASS or a name.")
@click.option(
    "--against-set", "other_numbers", multiple=True, metavar="NAME=VALUE", help="The reference's arguments. Repeatable."
)
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="The reference: scores kept in a file."
)
@click.option("--update-baseline", is_flag=True, help="Train the candidate and write its scores to --baseline.")
@click.option("--reason", metavar="TEXT", help="Why the baseline is written anew; kept in it.")
@click.option("--model", metavar="MODULE:FACTORY", help="Train your own nn.Module: one setting in place of the suite.")
@click.option("--problem", metavar="MODULE:FACTORY", help="Train on your own data: one setting in place of the suite.")
@click.option(
    "--dataset",
    metavar="NAME",
    help="digits, few-digits, mnist1d, mnist, fashion-mnist or cifar10: one setting in place of the suite.",
)
@click.option(
    "--at",
    "changes",
    multiple=True,
    metavar="CONDITION=VALUE",
    help="batch, steps, schedule, clip, …, in all settings.",
)
@click.option(
    "--rows",
    metavar="NAME,…",
    help="Look at these alone. Without early edge, late edge no product with the Hessian is made.",
)
@click.option("--seeds", type=click.IntRange(min=2), help="Trainings a setting.  [default: 16, or the baseline's]")
@click.option("--seed", "root", type=click.IntRange(min=0), help="Root of all seeds.  [default: 0, or the baseline's]")
@click.option("--plan", "only_planned", is_flag=True, help="Say what would be trained and what that could find.")
@click.option("--budget", metavar="TIME", help="Stop after so long, such as 60s or 5m; what was trained is kept.")
@device_option
@executor_option
@click.option("--json", "json_path", metavar="FILE", help="Write the scorecard as JSON; - for standard output.")
@click.option("--markdown", "markdown_path", metavar="FILE.md", help="Write the scorecard as Markdown.")
@click.option("--junit", "junit_path", metavar="FILE.xml", help="Write the scorecard as JUnit XML.")
@store_options
@click.option("--quiet", is_flag=True, help="No progress, no scorecard; only the exit code and the files asked for.")
def gate(**options: Any) -> int:
    """Did an optimizer become less stable? Trains it and its reference on the same settings and seeds.

    Exits 0 if no row of the scorecard is worse, 1 if one is, 3 where that is not decided or the budget is spent before, 4 when
    the baseline is missing or does not fit. What is not given here is taken from [tool.spikecheck] in pyproject.toml.
    """
    from spikecheck.cli.commands.gate import run_gate

    return run_gate(options)


def _planned(claims: Sequence["Claim"], plan: "Plan") -> int:
    """Say what would be trained."""
    from spikecheck.harness.cost_model import outlook
    from spikecheck.report.outlook_page import render_outlook

    with while_read():
        render_outlook(outlook(claims, plan), console())
    return 0


for command in (compare, doctor, merge, recheck, report, selftest, show, store):
    cli.add_command(command)
