"""`spikecheck gate`: did an optimizer become less stable?"""

from pathlib import Path
from typing import Any

import rich_click as click

from spikecheck.cli.console import console
from spikecheck.cli.loading import loading
from spikecheck.cli.options import SEED, lab_options, seeds_from


@click.command()
@click.option("--optimizer", metavar="MODULE:CLASS", help="The candidate, or a name of spikecheck's own such as adam.")
@click.option("--set", "numbers", multiple=True, metavar="NAME=VALUE", help="lr, betas, …: its arguments. Repeatable.")
@click.option("--against", metavar="NAME", help="The reference, trained on the same seeds: MODULE:CLASS or a name.")
@click.option(
    "--against-set", "other_numbers", multiple=True, metavar="NAME=VALUE", help="The reference's arguments. Repeatable."
)
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="The reference: scores kept in a file."
)
@click.option("--update-baseline", is_flag=True, help="Train the candidate and write its scores to --baseline.")
@click.option("--reason", metavar="TEXT", help="Why the baseline is replaced; stored in it.")
@click.option("--model", metavar="MODULE:FACTORY", help="Train your own nn.Module: one setting in place of the suite.")
@click.option("--problem", metavar="MODULE:FACTORY", help="Train on your own data: one setting in place of the suite.")
@click.option(
    "--dataset",
    metavar="NAME",
    help="digits, few-digits, mnist1d, mnist, fashion-mnist or cifar10: one setting in place of the suite.",
)
@click.option(
    "--workload",
    metavar="NAME|MODULE:FUNCTION",
    help="gpt, modular, resnet, mlp, or a training of your own, in place of the suite; --at steps=…, size=…, for it.",
)
@click.option(
    "--tune",
    metavar="lr=LOW..HIGH",
    help="With --workload: find each side's own best rate on seeds of its own, and compare there, in place of --set lr.",
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
    help="Compare these rows only. Without early edge and late edge no Hessian product is computed. The row first steps can "
    "fail only if it is named here.  [default: all, or the baseline's]",
)
@click.option("--seeds", type=seeds_from(2), help="Trainings a setting.  [default: 16, or the baseline's]")
@click.option("--seed", "root", type=SEED, help="Root of all seeds.  [default: 0, or the baseline's]")
@click.option("--plan", "only_planned", is_flag=True, help="Say what would be trained and what that could find.")
@lab_options(budget=True)
@click.option("--json", "json_path", metavar="FILE", help="Write the scorecard as JSON; - for standard output.")
@click.option("--markdown", "markdown_path", metavar="FILE.md", help="Write the scorecard as Markdown.")
@click.option("--html", "html_path", metavar="FILE.html", help="Write the scorecard as a web page, with loss curves.")
@click.option("--junit", "junit_path", metavar="FILE.xml", help="Write the scorecard as JUnit XML.")
@click.option("--quiet", is_flag=True, help="No progress, no scorecard; only the exit code and the requested files.")
def gate(**options: Any) -> int:
    """Did an optimizer become less stable? Trains it and its reference on the same settings and seeds.

    Exits 0 if no row of the scorecard is worse, 1 if one is, 3 where that is not decided or the budget is spent before, 4 when
    the baseline is missing or does not fit. What is not given here is taken from [tool.spikecheck] in pyproject.toml.
    """
    with loading(console(stderr=True), quiet=options["quiet"]):
        from spikecheck.cli.gating import run_gate

    return run_gate(options)
