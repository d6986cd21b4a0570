"""What a claim says and how it is judged, for a reader who has not seen it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from spikecheck.core.explanation import Explanation
from spikecheck.report.inert import inert


def render_explanation(claim: Explanation, console: Console) -> None:
    """Print everything there is to know about a claim before it is verified."""
    console.print(Text.assemble((claim.id, "bold"), f"  ({claim.kind})"), highlight=False)
    _section(console, "", [f'"{claim.says}"', claim.where])
    _section(console, "reference setting", [_pairs(claim.reference)])
    _section(console, "domain (reference first)", [f"{name}: {_row(rungs)}" for name, rungs in claim.axes.items()])
    _section(console, "judged beside it", [f"{name}: {_pairs(changes)}" for name, changes in claim.beside.items()])
    _section(console, "arms", [f"{name}: {said}" for name, said in claim.arms])
    _section(console, "effect, per seed", [f"{claim.measure} [{claim.unit}]"])
    _section(console, "prediction", [claim.rule])
    _section(console, "negative control (must fail by the same rule)", [claim.control])
    _section(console, "definitions", [f"{name}: {said}" for name, said in claim.definitions.items()])
    _section(console, "source", [claim.source])


def render_list(rows: Sequence[tuple[str, str, str]], console: Console) -> None:
    """One line a claim: id, kind, statement; cut to the terminal's width, whole when piped."""
    widest = max(len(name) for name, _, _ in rows)
    for name, kind, says in rows:
        line = Text.assemble((f"{inert(name):<{widest}}", "bold"), f"  {kind:<8}  ", inert(says))
        if console.is_terminal:
            line.truncate(console.width, overflow="ellipsis")
        console.print(line, soft_wrap=True, highlight=False)


def _section(console: Console, title: str, lines: Sequence[str]) -> None:
    if not any(lines):
        return
    if title:
        console.print(Text(title, style="bold cyan"), highlight=False)
    for line in lines:
        console.print(Padding(Text(inert(line)), (0, 0, 0, 2)), highlight=False)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _row(rungs: Sequence[Any]) -> str:
    return ", ".join(str(rung) for rung in rungs)
