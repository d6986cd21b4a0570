"""One claim's block of a report: what is claimed, whether it replicates and generalises, and on what that rests."""

from rich.text import Text

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.evidence import show_evidence
from spikecheck.report.heat_map import show_legend, show_scope
from spikecheck.report.inert import inert
from spikecheck.report.outcomes import advice, badge
from spikecheck.report.page import Page
from spikecheck.report.words import besides, conditions, differs, lost, percent, tried


def show_claim(page: Page, verdict: Verdict, report: Report) -> None:
    """Print one claim's block."""
    page.rule()
    page.say(Text.assemble((inert(verdict.id), "bold"), f", a {verdict.kind}"))
    page.say(f'"{inert(verdict.says)}"', "italic", indent=2)
    page.say(inert(verdict.where), "dim", indent=2)
    page.blank()
    _replicates(page, verdict)
    page.blank()
    _generalises(page, verdict)
    _robustness(page, verdict)
    _scopes(page, verdict)
    _what_next(page, verdict, report)
    page.blank()
    _circumstances(page, verdict)


def _replicates(page: Page, verdict: Verdict) -> None:
    page.say(Text.assemble("Does it replicate?  ", badge(verdict.replicates, ascii_only=page.ascii_only)))
    page.row("at", f"the reference setting: {conditions(verdict.reference.setting)}")
    show_evidence(page, verdict.reference)
    page.row("control", _control(verdict.control, ascii_only=page.ascii_only))
    page.row("", f"where it must not hold: {inert(verdict.control_says)}", "dim")


def _generalises(page: Page, verdict: Verdict) -> None:
    page.say(Text.assemble("Does it generalise?  ", badge(verdict.generalises, ascii_only=page.ascii_only)))
    page.rows("tried", tried(verdict))
    page.rows("besides", besides(verdict))
    if verdict.replicates is Outcome.FAILS and verdict.counterexample is not None:
        page.row("breaks at", "the reference setting itself", "bold")
        _again(page, verdict.counterexample.replay)
        if verdict.elsewhere is not None:
            outcome = badge(verdict.elsewhere.outcome, ascii_only=page.ascii_only)
            _setting_found(page, verdict, verdict.elsewhere, "elsewhere", "strongest setting found", outcome)
    elif verdict.counterexample is not None:
        _setting_found(page, verdict, verdict.counterexample.judgement, "breaks at", "smallest counterexample found")
        _again(page, verdict.counterexample.replay)
    elif verdict.weakest is not None:
        _setting_found(page, verdict, verdict.weakest, "weakest", "weakest setting found")


def _again(page: Page, replay: str) -> None:
    page.row("again", "copy the next line to see it on the same seeds:")
    page.verbatim(inert(replay))


def _setting_found(
    page: Page, verdict: Verdict, judgement: Judgement, label: str, role: str, outcome: Text | None = None
) -> None:
    """A setting with its evidence, and its outcome where the role does not say it."""
    page.row(label, differs(judgement.setting, verdict.reference.setting), "bold")
    said = Text(f"the {role}, on fresh seeds", style="dim")
    page.row("", said if outcome is None else Text.assemble(said, ": ", outcome))
    show_evidence(page, judgement)


def _control(control: Judgement, *, ascii_only: bool) -> Text:
    """What the negative control did, and whether that is what it must do."""
    good, bad = ("+", "x") if ascii_only else ("✓", "✗")
    share = (
        f"{control.held} of {control.applicable} seeds held, share {percent(control.low)} to {percent(control.high)}"
    )
    if not control.drawn:
        return Text("? not reached", style="yellow")
    match control.outcome:
        case Outcome.FAILS:
            return Text.assemble((f"{good} failed, as it must", "bold green"), f": {share}")
        case Outcome.HOLDS:
            return Text.assemble((f"{bad} HELD, which it must not", "bold magenta"), f": {share}")
        case Outcome.UNTRIGGERED:
            return Text.assemble(
                (f"{bad} never triggered", "bold magenta"), f": applicable in {control.applicable} seeds"
            )
        case _:
            return Text.assemble(("? has not clearly failed", "bold yellow"), f": {share}")


def _robustness(page: Page, verdict: Verdict) -> None:
    """What the reference's outcome hangs on."""
    if not verdict.robustness:
        return
    page.blank()
    others = [v for v in verdict.robustness if v.judgement.outcome is not verdict.reference.outcome]
    same = len(verdict.robustness) - len(others)
    page.row("robust", f"{same} of {len(verdict.robustness)} variations of detector and cut-offs come out alike")
    for variation in others:
        found = variation.judgement
        page.row("", f"{inert(variation.name)}: {found.outcome}, {found.held} of {found.applicable}", "dim")


def _scopes(page: Page, verdict: Verdict) -> None:
    """Where the claim holds over two ladders each."""
    reference = verdict.reference.setting
    for scope in verdict.scopes:
        page.blank()
        page.say(f"Where does it hold?  {scope.x.name} and {scope.y.name}, {scope.seeds} seeds a cell")
        show_scope(page, scope, reference)
    if verdict.scopes:
        show_legend(page, verdict.scopes, reference)


def _what_next(page: Page, verdict: Verdict, report: Report) -> None:
    """Why an answer is not what its interval alone would say, and what to do next."""
    outcomes = (verdict.replicates, verdict.generalises)
    said = [advice(verdict, outcome, report.profile, complete=report.complete) for outcome in outcomes]
    if verdict.reason or any(said):
        page.blank()
    if verdict.reason:
        page.row("because", inert(verdict.reason))
    page.rows("next", dict.fromkeys(inert(line) for line in said if line))


def _circumstances(page: Page, verdict: Verdict) -> None:
    """Everything that the verdict depends on, and what it cost."""
    page.row("rule", inert(verdict.rule), "dim")
    for name, text in verdict.definitions.items():
        page.row(inert(name), inert(text.removeprefix(f"{name}: ")), "dim")
    cost = f"{verdict.runs_trained:,} runs trained, {verdict.runs_reused:,} reused, {verdict.seconds:.1f} s"
    page.row("cost", f"{cost}; specification {inert(verdict.specification)}", "dim")
    page.row("numbers", lost(verdict.numerical_failures), "dim")
