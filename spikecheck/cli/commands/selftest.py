"""`spikecheck selftest`: measure how often the harness errs, in simulated worlds whose truth is known."""

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import rich_click as click

from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.cli.options import WholeNumber, seed_option
from spikecheck.report.counting import counting
from spikecheck.report.page import Page
from spikecheck.report.selftest_page import render_counts

if TYPE_CHECKING:
    from spikecheck.stats.counts import Count  # brings scipy

_A_GATE = 0.25
"""Time of a simulated gate over that of a simulated verdict, about, seen with 20 rounds of each world."""


@click.command()
@click.option(
    "--rounds",
    type=WholeNumber(min=20, max=1_000_000),
    default=200,
    show_default=True,
    help="Verdicts for each world.",
)
@click.option(
    "--profile",
    type=click.Choice(("quick", "ci", "full")),
    default="ci",
    show_default=True,
    help="The profile to test.",
)
@seed_option
def selftest(rounds: int, profile: str, seed: int) -> int:
    """Measure how often verdicts and gates are wrong, and how often they find a true effect, on simulated data.

    Nothing is trained. Exits 0 if every promised error rate is kept, 1 if an error is so frequent that a kept promise would
    show it once in a thousand times, 130 if interrupted.
    """
    try:
        counts = _counts(rounds, profile, seed)
    except KeyboardInterrupt:
        print_error("interrupted; a self-test keeps no results, run it again")
        return 130
    with tolerate_closed_pipe():
        render_counts(counts, Page(console()))
    return int(any(one.broken for one in counts))


def _counts(rounds: int, profile: str, seed: int) -> list["Count"]:
    with counting(console(stderr=True)) as progress:
        task = progress.add_task("self-test", total=None)  # shown while scipy is imported
        from spikecheck.gate import selftest as gates
        from spikecheck.harness import selftest as verdicts
        from spikecheck.harness.plan import plan_of

        total = rounds * (len(verdicts.WORLDS) + len(gates.WORLDS))
        progress.update(task, total=rounds * (len(verdicts.WORLDS) + _A_GATE * len(gates.WORLDS)))
        done = count(1)

        def ticked(work: float = 1.0) -> None:
            progress.advance(task, work)
            so_far = next(done)
            if so_far % rounds == 0 and progress.disable:  # a log shows no progress bar
                print_error(f"self-test: {so_far:,} of {total:,}", style="")

        return [
            *verdicts.verdicts_counted(plan_of(profile, seed), rounds, ticked, verdicts.WORLDS),
            *gates.gates_counted(rounds, seed, partial(ticked, _A_GATE)),
        ]
