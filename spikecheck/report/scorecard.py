"""A gate's scorecard for the terminal, for a pull request and for dashboards. Pure functions of the scorecard."""

from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikecheck.core.scorecard import FIRST_STEPS, Change, Decision, OptimizerSpec, Row, Scorecard, WorkloadPlace
from spikecheck.report.phrases import plural
from spikecheck.report.sanitize import inert

SIGNS = {Change.BETTER: ("▼", "v"), Change.WORSE: ("▲", "^"), Change.SAME: ("=", "="), Change.UNDECIDED: ("?", "?")}
_STYLES = {
    Change.BETTER: "bold green",
    Change.WORSE: "bold red",
    Change.SAME: "green",
    Change.UNDECIDED: "yellow",
}
_VERDICTS = {
    Decision.PASSED: ("✅", "bold green"),
    Decision.REGRESSED: ("❌", "bold red"),
    Decision.NOT_DECIDED: ("⚠️", "bold yellow"),
}
_FIRST_STEPS = {
    Change.SAME: "first steps are the same",
    Change.WORSE: "first steps differ: the update rule or its rate is another",
    Change.UNDECIDED: "whether first steps differ is undecided",
}
_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"})

_COLUMNS: dict[str, Callable[[Row], str]] = {
    "candidate": lambda row: f"{row.candidate:.3g}",
    "reference": lambda row: f"{row.reference:.3g}",
    "change": lambda row: f"{row.difference:+.2g}",
    "interval": lambda row: _interval(row, ".2g"),
    "margin": lambda row: f"{row.margin:g}",
    "finds": lambda row: _number(row.detectable, ".2g"),
    "unit": lambda row: inert(row.unit),
}
_LAYOUTS = (
    tuple(_COLUMNS),
    ("candidate", "reference", "change", "interval", "margin", "finds"),
    ("change", "interval", "margin", "finds"),
    ("change", "interval"),
)
"""Columns of the table, from the widest layout to the narrowest. The widest that fits is printed."""
_ENDLESS = 10_000
"""Width of a terminal in which every layout fits, in characters."""


def render_scorecard(card: Scorecard, console: Console) -> None:
    """Print the verdict, then the rows, the worse ones first."""
    ascii_only = not (console.encoding or "").lower().startswith("utf")
    console.print(Text(verdict_says(card), style=_VERDICTS[card.decision][1]), soft_wrap=True)
    console.print(Text(f"candidate  {contestant_says(card.candidate)}"), soft_wrap=True, highlight=False)
    console.print(
        Text(f"reference  {contestant_says(card.reference)} ({inert(card.against)})"), soft_wrap=True, highlight=False
    )
    layout = _fitting(card.rows, console)
    if layout is None:
        for row in shown(card.rows):
            console.print(Text(inert(row_says(row)), style=_STYLES[row.change]), highlight=False)
    else:
        console.print(_table(card.rows, layout, ascii_only=ascii_only))
    for line in card.not_compared:
        console.print(Text(f"not compared: {inert(line)}", style="yellow"), highlight=False)
    for line in closing(card):
        console.print(Text(line, style="dim"), highlight=False)
    if layout is not None and "unit" not in layout:
        console.print(Text(_units(card.rows), style="dim"), highlight=False)


def closing(card: Scorecard) -> list[str]:
    """The notes below the table: what was trained, the rule, the power, and the cost."""
    places = ", ".join(inert(place.name) for place in card.places)
    trained = f"{len(card.places) * card.seeds} trainings each: {places}; {card.seeds} seeds, root {card.root}"
    rule = (
        "Smaller is better. A row is worse if its whole interval lies above its margin, the same if it lies within, and "
        "undecided otherwise; a share of trainings is worse if an exact test says that it is larger. Intervals allow for the "
        f"number of rows: {100 * (1 - card.alpha):g} % of gates raise no false alarm."
    )
    power = (
        "A difference as small as its margin would not be found. The column finds has the one that would be, with 80 % power"
        f"{'' if card.decision is Decision.REGRESSED else '; more --seeds find smaller ones'}."
    )
    return [
        trained,
        *_tuned(card),
        *_not_measured(card),
        rule,
        power,
        f"{plural(card.runs_trained, 'run')} trained, {card.runs_reused:,} reused, {card.seconds:.0f} s",
    ]


def _tuned(card: Scorecard) -> list[str]:
    """How the rates were found."""
    said = [
        f"the {side}'s, {found.best:g}, among {len(found.rates)} from {found.rates[0]:g} to {found.rates[-1]:g}"
        for side, found in card.tuned.items()
    ]
    if not said:
        return []
    seeds = next(iter(card.tuned.values())).seeds
    return [f"Best rates, found on {seeds} seeds of their own: {'; '.join(said)}."]


def contestant_says(contestant: OptimizerSpec) -> str:
    """An optimizer with its hyperparameters."""
    numbers = [("lr", contestant.lr), *contestant.options, *contestant.conditions.items()]
    return inert(f"{contestant.optimizer} ({', '.join(f'{name}={value}' for name, value in numbers)})")


def verdict_says(card: Scorecard) -> str:
    """The gate's decision in one line."""
    if card.decision is Decision.REGRESSED:
        return f"REGRESSION: worse in {', '.join(_named(row, card.rows) for row in shown(card.rows) if row.fails)}"
    if card.decision is Decision.NOT_DECIDED:
        return f"UNDECIDED: {'; '.join(inert(why) for why in card.undecided)}"
    counts = {change: sum(row.change is change for row in shown(card.rows) if row.alarms) for change in Change}
    said = ", ".join(f"{count} {change}" for change, count in counts.items() if count)
    return "; ".join([f"no regression: {said}", *_first_steps(card)])


def _first_steps(card: Scorecard) -> list[str]:
    """Whether the update rule is another one, where a row describes it: most candidates are meant to be another."""
    return [_FIRST_STEPS[row.change] for row in card.rows if row.name == FIRST_STEPS and not row.alarms]


def _not_measured(card: Scorecard) -> list[str]:
    """That a training that became no worse may still be another one."""
    named = [*(row.name for row in card.rows), *(line.partition(":")[0] for line in card.not_compared)]
    if FIRST_STEPS in named or not any(isinstance(place, WorkloadPlace) for place in card.places):
        return []
    return [f"Whether both follow the same update rule was not measured: {FIRST_STEPS} is not among the rows."]


def shown(rows: Sequence[Row]) -> list[Row]:
    """The rows to print, failing ones first.

    A metric that is worse, or looks worse, in any setting is shown for the setting in which it is worst. Any other metric
    is shown for all settings together, and for single settings that are better than the whole.
    """
    chosen: list[Row] = []
    for name in dict.fromkeys(row.name for row in rows):
        views = [row for row in rows if row.name == name]
        worse = [row for row in views if row.change is Change.WORSE] or [row for row in views if row.looks_worse]
        if worse:
            chosen.append(max(worse, key=lambda row: (row.difference - row.margin) / row.margin))
            continue
        whole = views[0]
        chosen += [row for row in views if row is whole or (row.change is Change.BETTER is not whole.change)]
    return sorted(chosen, key=lambda row: (not row.fails, not row.looks_worse))


def row_says(row: Row) -> str:
    """A row in one line."""
    return (
        f"{row.title}: {row_word(row)}, {row.candidate:.3g} against {row.reference:.3g} ({row.unit}), "
        f"difference {row.difference:+.3g}, interval {_interval(row, '.3g')}, margin {row.margin:g}, "
        f"finds {_number(row.detectable, '.2g')}"
    )


def failing_rows(card: Scorecard) -> list[str]:
    """The rows for which the gate does not pass, one line each; without such rows, the reasons why it is undecided."""
    lines = [row_says(row) for row in shown(card.rows) if row.fails or row.looks_worse]
    return lines or list(card.undecided)


# ---- for machines and pull requests ----------------------------------------------------------------------------------------


def scorecard_markdown(card: Scorecard) -> str:
    """The scorecard as Markdown for a pull request or a step summary; failures come first."""
    pair = f"Candidate {_plain(contestant_says(card.candidate))} against {_plain(contestant_says(card.reference))}"
    rows = [
        f"| {SIGNS[row.change][0]} | {_plain(inert(row.title))} ({_plain(row.unit)}) "
        f"| {row.candidate:.3g} | {row.reference:.3g} "
        f"| {row.difference:+.3g} | {_interval(row, '.3g')} | {row.margin:g} | {_number(row.detectable, '.2g')} "
        f"| {row_word(row)} |"
        for row in shown(card.rows)
    ]
    lines = [
        f"### {_VERDICTS[card.decision][0]} spikecheck gate: {_plain(verdict_says(card))}",
        "",
        f"{pair} ({_plain(inert(card.against))}).",
        "",
        "| | row | candidate | reference | difference | interval | margin | finds | verdict |",
        "|---|---|---:|---:|---:|---|---:|---:|---|",
        *rows,
        "",
        *(f"Not compared: {_plain(inert(line))}\n" for line in card.not_compared),
        *(f"{_plain(line)}\n" for line in closing(card)),
        f"`{_code(inert(card.command))}`",
        "",
    ]
    return "\n".join(lines)


def refusal_markdown(reason: str) -> str:
    """Markdown for a gate that could not be run."""
    return f"### {_VERDICTS[Decision.NOT_DECIDED][0]} spikecheck gate: not held\n\n{_plain(inert(reason))}\n"


def scorecard_junit(card: Scorecard) -> str:
    """The scorecard as JUnit XML, one test case a row, so that a dashboard names the row that failed.

    A row that looks worse is an error, and so is an undecided gate: neither lets the gate pass. An undecided row lets it
    pass and counts as skipped.
    """
    cases = [_case(inert(row.title), inert(row_says(row)), _verdict_tag(row), row_word(row)) for row in card.rows]
    if card.decision is Decision.NOT_DECIDED and not any(row.looks_worse for row in card.rows):
        cases.append(_case("the gate itself", inert(verdict_says(card)), "error", "undecided"))
    return _junit(cases)


def refusal_junit(reason: str) -> str:
    """JUnit XML for a gate that could not be run."""
    return _junit([_case("the gate itself", inert(reason), "error", "not held")])


def annotations(card: Scorecard) -> list[str]:
    """GitHub workflow commands, one for each row that fails."""
    if card.decision is Decision.PASSED:
        return []
    kind = "error" if card.decision is Decision.REGRESSED else "warning"
    return [f"::{kind} title=spikecheck gate::{_escaped(said)}" for said in failing_rows(card)]


def refusal_annotation(reason: str) -> str:
    """A GitHub workflow command for a gate that could not be run."""
    return f"::error title=spikecheck gate::{_escaped(reason)}"


def _verdict_tag(row: Row) -> str | None:
    if row.fails:
        return "failure"
    if row.looks_worse:
        return "error"
    return "skipped" if row.alarms and row.change is Change.UNDECIDED else None


def _case(name: str, said: str, tag: str | None, word: str) -> ET.Element:
    case = ET.Element("testcase", classname="spikecheck.gate", name=name)
    if tag is not None:
        ET.SubElement(case, tag, type=word, message=said)
    ET.SubElement(case, "system-out").text = said
    return case


def _junit(cases: Sequence[ET.Element]) -> str:
    counts = {
        name: str(sum(case.find(tag) is not None for case in cases))
        for name, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items()
    }
    suite = ET.Element("testsuite", {"name": "spikecheck gate", "tests": str(len(cases)), **counts})
    suite.extend(cases)
    root = ET.Element("testsuites")
    root.append(suite)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


# ---- the table -------------------------------------------------------------------------------------------------------------


def _fitting(rows: Sequence[Row], console: Console) -> tuple[str, ...] | None:
    unbounded = console.options.update(width=_ENDLESS)
    for layout in _LAYOUTS:
        if console.measure(_table(rows, layout, ascii_only=True), options=unbounded).maximum <= console.width:
            return layout
    return None


def _table(rows: Sequence[Row], layout: Sequence[str], *, ascii_only: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("row", no_wrap=True)
    for name in layout:
        table.add_column(name, justify="left" if name in ("interval", "unit") else "right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in shown(rows):
        sign = SIGNS[row.change][1 if ascii_only else 0]
        cells = [Text(inert(row.title)), *(Text(_COLUMNS[name](row)) for name in layout)]
        table.add_row(*cells, Text(f"{sign} {row_word(row)}", style=_STYLES[row.change]))
    return table


def _units(rows: Sequence[Row]) -> str:
    units = {row.name: row.unit for row in shown(rows)}
    return f"Units: {'; '.join(f'{inert(name)}, {inert(unit)}' for name, unit in units.items())}."


def _named(row: Row, rows: Sequence[Row]) -> str:
    """A row's title, and in how many more settings the metric fails."""
    fellows = [other for other in rows if other.name == row.name and other.where and other.fails and other is not row]
    if not row.where or not fellows:
        return inert(row.title)
    return f"{inert(row.title)} and {len(fellows)} more"


def row_word(row: Row) -> str:
    """A row's verdict in a word. A metric that raises no alarm is only smaller or larger, or differs, not better or worse."""
    if row.looks_worse:
        return "looks worse"
    if row.either_way and row.change is Change.WORSE:
        return "differs"
    if row.alarms:
        return str(row.change)
    return {Change.BETTER: "smaller", Change.WORSE: "larger"}.get(row.change, str(row.change))


def _interval(row: Row, form: str) -> str:
    low, high = (
        unbounded if bound is None else f"{bound:+{form}}"
        for bound, unbounded in ((row.low, "-inf"), (row.high, "+inf"))
    )
    return f"{low} to {high}"


def _number(value: float | None, form: str) -> str:
    return "none" if value is None else f"{value:{form}}"


def _plain(text: str) -> str:
    return text.translate(_SPECIAL)


def _code(text: str) -> str:
    return text.replace("`", "'")


def _escaped(text: str) -> str:
    return inert(text).replace("%", "%25")
