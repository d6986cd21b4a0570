"""A report as a person reads it: the answers first, then each claim's evidence. Fits 80 columns."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikecheck.core.verdict import Judgement, Outcome, Report, Sighting, Verdict
from spikecheck.report.inert import inert
from spikecheck.report.picture import picture

_LOOKS = {
    Outcome.HOLDS: ("✓", "+", "bold green"),
    Outcome.FAILS: ("✗", "x", "bold red"),
    Outcome.UNDECIDED: ("?", "?", "bold yellow"),
    Outcome.UNTRIGGERED: ("∅", "o", "bold yellow"),
    Outcome.INVALID: ("!", "!", "bold magenta"),
}
_NEXT = {
    Outcome.UNDECIDED: "More seeds decide: --profile ci or --profile full looks again, and pays for every look.",
    Outcome.UNTRIGGERED: "Too few seeds meet the precondition: nothing is said for or against the claim here.",
    Outcome.INVALID: "A check whose negative control does not fail shows nothing: mend the control before trusting it.",
}
_BAR = 30


def render(report: Report, console: Console) -> None:
    """Print the whole report."""
    plain = not _unicode(console)
    for verdict in report.claims:
        for line in _claim(verdict, console, plain):
            console.print(line, soft_wrap=False, highlight=False)
        if verdict.counterexample is not None:
            _replay_line(console, verdict.counterexample)
        if verdict.typical is not None and len(report.claims) == 1:
            console.print()
            for drawn in picture(verdict.typical, console.width, plain):
                console.print(Text(drawn), no_wrap=True, highlight=False)
    if len(report.claims) > 1:
        console.print(_table(report, plain))
    for line in _closing(report):
        console.print(line, highlight=False)


def render_judgement(judgement: Judgement, claim: str, differs: str, console: Console) -> None:
    """Print one setting's judgement, as `spikecheck replay` shows it."""
    plain = not _unicode(console)
    console.print(Text.assemble((claim, "bold"), f" at {inert(differs) or 'its reference setting'}"), highlight=False)
    console.print(Text("  ") + _answer(judgement.outcome, plain), highlight=False)
    for line in _evidence(judgement, plain):
        console.print(line, highlight=False)


def _claim(verdict: Verdict, console: Console, plain: bool) -> Iterator[Text]:
    """One claim's block, line by line."""
    yield Text(("-" if plain else "─") * min(console.width, 100), style="dim")
    yield Text.assemble((verdict.id, "bold"), f"  ({verdict.kind})")
    yield Text(f'"{inert(verdict.says)}"', style="italic")
    yield Text(inert(verdict.where), style="dim")
    yield Text()
    yield Text("Does it replicate at the reference setting?  ") + _answer(verdict.replicates, plain)
    yield from _evidence(verdict.reference, plain)
    yield Text(f"  rule: {inert(verdict.rule)}", style="dim")
    yield Text.assemble("  negative control: ", _control(verdict.control), f" ({inert(verdict.control_says)})")
    yield Text()
    yield Text("Does it generalise over its domain?  ") + _answer(verdict.generalises, plain)
    yield Text(f"  {verdict.settings_tried} settings tried, {verdict.settings_triggered} of them triggered")
    yield from _scope(verdict, plain)
    if verdict.reason:
        yield Text(f"  {inert(verdict.reason)}")
    for outcome in dict.fromkeys([verdict.replicates, verdict.generalises]):
        if outcome in _NEXT:
            yield Text(f"  {outcome}: {_NEXT[outcome]}", style="dim")
    yield Text(
        f"  {verdict.runs_trained:,} runs trained, {verdict.runs_reused:,} reused, {verdict.seconds:.1f} s; "
        f"{verdict.numerical_failures} numerical failures (neither for nor against)",
        style="dim",
    )


def _answer(outcome: Outcome, plain: bool) -> Text:
    fancy, simple, style = _LOOKS[outcome]
    return Text(f"{simple if plain else fancy} {outcome.upper()}", style=style)


def _evidence(judgement: Judgement, plain: bool) -> Iterator[Text]:
    """Counts, interval and effect of one setting."""
    if not judgement.drawn:
        yield Text("  nothing was trained for it")
        return
    yield Text(
        f"  held in {judgement.held} of {judgement.applicable} applicable seeds ({judgement.drawn} trained); "
        f"share {judgement.low:.2f} to {judgement.high:.2f}"
    )
    yield Text.assemble(
        "  ", _bar(judgement, plain), f" required {judgement.required:.2f}, each bound at {judgement.level:.1%}"
    )
    effect = judgement.effect
    if effect.median is not None and effect.low is not None and effect.high is not None:
        yield Text(
            f"  effect: median {effect.median:+.4g}, interval {effect.low:+.4g} to {effect.high:+.4g} ({inert(effect.unit)})"
        )


def _bar(judgement: Judgement, plain: bool) -> Text:
    """The interval on [0, 1], with the required share marked."""
    end, line, point, mark, empty = ("|", "-", "*", "^", ".") if plain else ("┃", "━", "●", "▲", "┈")
    cells = [empty] * (_BAR + 1)
    low, high = round(judgement.low * _BAR), round(judgement.high * _BAR)
    cells[low : high + 1] = [line] * (high - low + 1)
    cells[low] = cells[high] = end
    if judgement.applicable:
        cells[round(judgement.held / judgement.applicable * _BAR)] = point
    required = round(judgement.required * _BAR)
    return (
        Text("0 " + "".join(cells[:required])) + Text(mark, style="bold") + Text("".join(cells[required + 1 :]) + " 1")
    )


def _control(control: Judgement) -> str:
    counts = f"{control.held} of {control.applicable}"
    return {
        Outcome.FAILS: f"failed, as it must, {counts}",
        Outcome.HOLDS: f"HELD, which it must not, {counts}",
        Outcome.UNDECIDED: f"has not clearly failed, {counts}" if control.drawn else "not reached",
        Outcome.UNTRIGGERED: f"never triggered, {counts}",
        Outcome.INVALID: counts,
    }[control.outcome]


def _scope(verdict: Verdict, plain: bool) -> Iterator[Text]:
    """What the weakest setting showed, or where the claim stops holding."""
    sighting = verdict.counterexample
    if sighting is not None:
        yield Text("  stops holding at ", style="bold") + Text(inert(_differs(sighting.differs)), style="bold")
        yield from _evidence(sighting.judgement, plain)
    elif verdict.weakest is not None:
        weakest = verdict.weakest
        changed = weakest.setting.differences(verdict.reference.setting)
        yield Text(
            f"  weakest setting found: {inert(_differs(changed))}; on fresh seeds "
            f"{weakest.held} of {weakest.applicable} (share {weakest.low:.2f} to {weakest.high:.2f})"
        )


def _differs(changes: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in changes.items()) or "the reference setting"


def _replay_line(console: Console, sighting: Sighting) -> None:
    """On a line of its own and never wrapped, so that it can be copied whole."""
    console.print(Text("  see it again:", style="dim"))
    console.print(Text(inert(sighting.replay)), soft_wrap=True, highlight=False)


def _table(report: Report, plain: bool) -> Table:
    table = Table(title="All claims", show_edge=False, pad_edge=False, title_justify="left")
    for name in ("claim", "kind", "replicates", "generalises", "held", "control"):
        table.add_column(name, no_wrap=name != "claim")
    for verdict in report.claims:
        reference, control = verdict.reference, verdict.control
        table.add_row(
            verdict.id,
            verdict.kind,
            _answer(verdict.replicates, plain),
            _answer(verdict.generalises, plain),
            f"{reference.held}/{reference.applicable}",
            f"{control.held}/{control.applicable}",
        )
    return table


def _closing(report: Report) -> Iterator[Text]:
    yield Text()
    if not report.complete:
        yield Text(
            "Stopped early: the report is partial; everything trained is kept, run again to go on.", "bold yellow"
        )
    for file, reason in report.unreadable.items():
        yield Text(f"not read: {inert(file)}: {inert(reason)}", style="yellow")
    passed = sum(verdict.passed for verdict in report.claims)
    environment = ", ".join(f"{name} {value}" for name, value in report.environment.items())
    yield Text(f"{passed} of {len(report.claims)} claims pass", style="bold")
    yield Text(f"profile {report.profile}, seed {report.seed}; {inert(environment)}", style="dim")


def _unicode(console: Console) -> bool:
    return (console.encoding or "").lower().startswith("utf")
