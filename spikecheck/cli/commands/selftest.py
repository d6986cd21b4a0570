"""`spikecheck selftest`: how often the harness errs, in worlds whose truth is planted."""

import rich_click as click
from rich.progress import Progress

from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.cli.options import seed_option
from spikecheck.core.count import Count
from spikecheck.report.page import Page
from spikecheck.report.selftest_page import render_counts


@click.command()
@click.option("--rounds", type=click.IntRange(min=20), default=200, show_default=True, help="Verdicts a world.")
@click.option(
    "--profile", type=click.Choice(("quick", "ci", "full")), default="ci", show_default=True, help="Whose verdicts."
)
@seed_option
def selftest(rounds: int, profile: str, seed: int) -> int:
    """How often verdicts and gates err, and how often they find what is there: nothing is trained, the truth is planted.

    Exits 0 if every promise was kept, 1 if an error came so often that a kept promise would show it once in a thousand times,
    130 when interrupted.
    """
    try:
        counts = _counts(rounds, profile, seed)
    except KeyboardInterrupt:
        print_error("interrupted; nothing is kept of a self-test, run it again")
        return 130
    with tolerate_closed_pipe():
        render_counts(counts, Page(console()))
    return int(any(count.broken for count in counts))


def _counts(rounds: int, profile: str, seed: int) -> list[Count]:
    from spikecheck.gate import selftest as gates
    from spikecheck.harness import selftest as verdicts
    from spikecheck.harness.plan import plan_of

    plan = plan_of(profile, seed)
    total = rounds * (len(verdicts.WORLDS) + len(gates.WORLDS))
    log = console(stderr=True)
    with Progress(console=log, transient=True, disable=not log.is_terminal) as progress:
        task = progress.add_task("self-test", total=total)

        def ticked() -> None:
            progress.advance(task)
            done = int(progress.tasks[task].completed)
            if done % rounds == 0 and progress.disable:  # in a log a bar is nothing to see
                print_error(f"self-test: {done:,} of {total:,}", style="")

        return [
            *verdicts.verdicts_counted(plan, rounds, ticked, verdicts.WORLDS),
            *gates.gates_counted(rounds, seed, ticked),
        ]
