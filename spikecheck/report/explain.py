"""The description of a claim in the terminal: what it says and how it is judged."""

from collections.abc import Iterable, Mapping, Sequence
from shlex import join
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikecheck.core.explanation import Explanation
from spikecheck.core.replay_lines import finding
from spikecheck.report.page import Page
from spikecheck.report.sanitize import inert


def render_explanation(claim: Explanation, console: Console) -> None:
    """Print a claim: its source, settings, arms, effect, rule and controls."""
    page = Page(console)
    page.say(Text.assemble((inert(claim.id), "bold"), f", a {claim.kind}: {_MEANS.get(claim.kind, '')}"))
    page.say(inert(claim.says), "italic", indent=2)
    page.say(inert(claim.where), "dim", indent=2)
    _section(page, "In the source's own words", [f'"{claim.quotes}"' if claim.quotes else ""])
    _section(page, "Reading: what those words ask for", [claim.reading])
    _section(page, "Reference setting: does it replicate here?", [_pairs(claim.reference)])
    _section(page, "Domain: where does it hold among these values? (the reference's first)", _ladders(claim.axes))
    _section(page, "Judged besides", [f"{name}: {_pairs(changes)}" for name, changes in claim.beside.items()])
    _section(page, "Arms: what is trained for every seed", [f"{name}: {said}" for name, said in claim.arms])
    _section(page, "Effect: what is measured in every seed", [f"{claim.measure} [{claim.unit}]"])
    _section(page, "Prediction: when the claim holds", [claim.rule])
    _section(page, "Negative control: what the claim must surely exceed, by the same rule", claim.control)
    _section(page, "Further negative controls: must not hold either", claim.also_not)
    _section(page, "Positive control: must hold by the same rule, or a failure counts for nothing", claim.positive)
    said = ((name, text.removeprefix(f"{name}: ")) for name, text in claim.definitions.items())
    _section(page, "Definitions", [f"{name}: {text}" for name, text in said])
    _section(page, "What this check cannot tell", [claim.cannot_tell])
    _section(page, "Source", [claim.source])
    page.blank()
    words = ["spikecheck", "verify", "--claim", *finding(claim.id, claim.folder), *claim.workload]
    page.say(f"Verify it with: {inert(join(words))}", "dim")


def render_list(rows: Sequence[tuple[str, str, str]], console: Console) -> None:
    """Print id, kind and statement of each row: a table on a terminal, one unwrapped line a claim when piped."""
    if not console.is_terminal:
        _plain_list(rows, console)
        return
    table = Table.grid(padding=(0, 2))
    for name, kind, says in rows:
        table.add_row(Text(inert(name), style="bold"), Text(kind), Text(inert(says)))
    console.print(table)


_MEANS = {
    "law": "passes when it replicates and is refuted nowhere in its domain",
    "tendency": "passes when it replicates; where it stops holding is its edge",
}


def _plain_list(rows: Sequence[tuple[str, str, str]], console: Console) -> None:
    widest = max(len(inert(name)) for name, _, _ in rows)
    for name, kind, says in rows:
        line = Text(f"{inert(name):<{widest}}  {kind:<8}  {inert(says)}")
        console.print(line, soft_wrap=True, highlight=False)


def _section(page: Page, title: str, lines: Iterable[str]) -> None:
    shown = [inert(line) for line in lines if line]
    if not shown:
        return
    page.blank()
    page.say(title, "bold cyan")
    for line in shown:
        page.say(line, indent=2)


def _ladders(axes: Mapping[str, Sequence[Any]]) -> list[str]:
    return [f"{name}: {', '.join(map(str, rungs))}" for name, rungs in axes.items()]


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={'none' if value is None else value}" for name, value in values.items())
