"""A gate's scorecard as a person, a pull request and a dashboard read it. Pure functions of the scorecard."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikecheck.core.scorecard import Change, Contestant, Row, Scorecard
from spikecheck.report.inert import inert

_SIGNS = {Change.BETTER: ("▼", "v"), Change.WORSE: ("▲", "^"), Change.SAME: ("=", "="), Change.UNDECIDED: ("?", "?")}
_STYLES = {
    Change.BETTER: "bold green",
    Change.WORSE: "bold red",
    Change.SAME: "green",
    Change.UNDECIDED: "yellow",
}
_WIDE = 100
_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"})


def render_scorecard(card: Scorecard, console: Console) -> None:
    """Print the verdict, then the rows, the worse ones first."""
    ascii_only = not (console.encoding or "").lower().startswith("utf")
    console.print(_verdict(card), soft_wrap=True)
    console.print(Text(f"candidate  {contestant_says(card.candidate)}"), soft_wrap=True, highlight=False)
    console.print(
        Text(f"reference  {contestant_says(card.reference)} ({inert(card.against)})"), soft_wrap=True, highlight=False
    )
    console.print(_table(card.rows, ascii_only=ascii_only, wide=console.width >= _WIDE))
    for line in card.not_compared:
        console.print(Text(f"not compared: {inert(line)}", style="yellow"), highlight=False)
    for line in closing(card):
        console.print(Text(line, style="dim"), highlight=False)


def closing(card: Scorecard) -> list[str]:
    """What the figures are, in words."""
    places = ", ".join(inert(place.name) for place in card.places)
    trained = f"{len(card.places) * card.seeds} trainings each: {places}; {card.seeds} seeds, root {card.root}"
    rule = (
        "Smaller is better. A row is worse if it surely is by more than its margin (sign-flip test, Holm: no false alarm "
        f"in {100 * (1 - card.alpha):g} % of gates), and the same if its whole interval lies within the margin."
    )
    return [trained, rule, f"{card.runs_trained:,} runs trained, {card.runs_reused:,} reused, {card.seconds:.0f} s"]


def contestant_says(contestant: Contestant) -> str:
    """An optimizer with its numbers."""
    numbers = [("lr", contestant.lr), *contestant.options, *contestant.conditions.items()]
    return inert(f"{contestant.optimizer} ({', '.join(f'{name}={value}' for name, value in numbers)})")


def scorecard_markdown(card: Scorecard) -> str:
    """For a pull request or a step summary: failures first."""
    pair = f"Candidate {_plain(contestant_says(card.candidate))} against {_plain(contestant_says(card.reference))}"
    rows = [
        f"| {_SIGNS[row.change][0]} | {_plain(inert(row.title))} ({_plain(row.unit)}) "
        f"| {row.candidate:.3g} | {row.reference:.3g} "
        f"| {row.difference:+.3g} | {row.low:+.3g} to {row.high:+.3g} | {row.margin:g} | {_word(row)} |"
        for row in _shown(card.rows)
    ]
    lines = [
        f"### {'✅' if card.passed else '❌'} spikecheck gate: {_plain(_verdict(card).plain)}",
        "",
        f"{pair} ({_plain(inert(card.against))}).",
        "",
        "| | row | candidate | reference | difference | 95 % interval | margin | verdict |",
        "|---|---|---:|---:|---:|---|---:|---|",
        *rows,
        "",
        *(f"Not compared: {_plain(inert(line))}\n" for line in card.not_compared),
        *(f"{_plain(line)}\n" for line in closing(card)),
        f"`{_code(inert(card.command))}`",
        "",
    ]
    return "\n".join(lines)


def scorecard_junit(card: Scorecard) -> str:
    """One test case a row, so that a dashboard names the row that failed."""
    failing = [row for row in card.rows if row.fails]
    suite = ET.Element(
        "testsuite", name="spikecheck gate", tests=str(len(card.rows)), failures=str(len(failing)), errors="0"
    )
    for row in card.rows:
        case = ET.SubElement(suite, "testcase", classname="spikecheck.gate", name=inert(row.title))
        if row.fails:
            ET.SubElement(case, "failure", message=inert(row_says(row)))
        ET.SubElement(case, "system-out").text = inert(row_says(row))
    root = ET.Element("testsuites")
    root.append(suite)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def row_says(row: Row) -> str:
    """A row in one line."""
    return (
        f"{row.title}: {_word(row)}, {row.candidate:.3g} against {row.reference:.3g} ({row.unit}), "
        f"difference {row.difference:+.3g}, interval {row.low:+.3g} to {row.high:+.3g}, margin {row.margin:g}"
    )


def failing_rows(card: Scorecard) -> list[str]:
    """The rows for which the gate fails, a line each."""
    return [row_says(row) for row in _shown(card.rows) if row.fails]


def annotations(card: Scorecard) -> list[str]:
    """GitHub's workflow commands, one a row that fails."""
    return [f"::error title=spikecheck gate::{_escaped(said)}" for said in failing_rows(card)]


def _verdict(card: Scorecard) -> Text:
    worse = [inert(row.title) for row in _shown(card.rows) if row.fails]
    if worse:
        return Text(f"REGRESSION: worse in {', '.join(worse)}", style="bold red")
    counts = {change: sum(row.change is change for row in _shown(card.rows)) for change in Change}
    said = ", ".join(f"{count} {change}" for change, count in counts.items() if count)
    return Text(f"no regression: {said}", style="bold green")


def _table(rows: Sequence[Row], *, ascii_only: bool, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("row", no_wrap=True)
    for name in ("candidate", "reference", "change") if wide else ("change",):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("interval", no_wrap=True)
    if wide:
        table.add_column("margin", justify="right")
        table.add_column("unit", style="dim")
    table.add_column("verdict", no_wrap=True)
    for row in _shown(rows):
        sign = _SIGNS[row.change][1 if ascii_only else 0]
        cells = [
            inert(row.title),
            *([f"{row.candidate:.3g}", f"{row.reference:.3g}"] if wide else []),
            f"{row.difference:+.2g}",
            f"{row.low:+.2g} to {row.high:+.2g}",
            *([f"{row.margin:g}", inert(row.unit)] if wide else []),
        ]
        table.add_row(*cells, Text(f"{sign} {_word(row)}", style=_STYLES[row.change]))
    return table


def _shown(rows: Sequence[Row]) -> list[Row]:
    """The worse first, otherwise as they come; of single settings only what is decided otherwise than over all of them."""
    over_all = {row.name: row.change for row in rows if not row.where}
    decided = (Change.WORSE, Change.BETTER)
    told = [
        row for row in rows if not row.where or (row.change in decided and row.change is not over_all.get(row.name))
    ]
    return sorted(told, key=lambda row: not row.fails)


def _word(row: Row) -> str:
    """A row that raises no alarm only says which way it went."""
    if row.alarms:
        return str(row.change)
    return {Change.BETTER: "smaller", Change.WORSE: "larger"}.get(row.change, str(row.change))


def _plain(text: str) -> str:
    return text.translate(_SPECIAL)


def _code(text: str) -> str:
    return text.replace("`", "'")


def _escaped(text: str) -> str:
    return inert(text).replace("%", "%25")
