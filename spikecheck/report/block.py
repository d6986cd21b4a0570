"""One claim's block of a report: the claim, whether it replicates, where it holds, and the evidence."""

from rich.text import Text

from spikecheck.core.judgement import Answer, Outcome
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.advice import advised
from spikecheck.report.beside import beside_says
from spikecheck.report.controls import ControlResult, Mark, also_negative, contrasted, negative, planted, signed
from spikecheck.report.estimates import brief
from spikecheck.report.evidence import show_evidence
from spikecheck.report.heat_map import show_legend, show_scope
from spikecheck.report.outcomes import badge
from spikecheck.report.page import Page
from spikecheck.report.phrases import conditions, differs, lost, plural, reached, tried, unregistered
from spikecheck.report.quoted import ROLES, at_reference, nominated, rule_of
from spikecheck.report.sanitize import inert
from spikecheck.report.summary import headline

_STYLES = {Mark.GOOD: "bold green", Mark.BAD: "bold magenta", Mark.UNCLEAR: "bold yellow", Mark.PLAIN: ""}
_LABELS = {"counterexample": "breaks at", "strongest": "elsewhere", "weakest": "weakest"}


def show_claim(page: Page, verdict: Verdict, report: Report) -> None:
    """Print one claim's block."""
    page.rule()
    page.say(Text.assemble((inert(verdict.id), "bold"), f", a {verdict.kind}"))
    page.say(inert(verdict.says), "italic", indent=2)
    page.say(inert(verdict.where), "dim", indent=2)
    if mark := unregistered(verdict):
        page.say(mark, "bold yellow", indent=2)
    page.blank()
    page.say(headline(verdict))
    page.blank()
    _replicates(page, verdict)
    page.blank()
    _where_it_holds(page, verdict)
    _robustness(page, verdict)
    _scopes(page, verdict)
    _what_next(page, verdict, report)
    page.blank()
    _circumstances(page, verdict)


def _replicates(page: Page, verdict: Verdict) -> None:
    answer = at_reference(verdict)
    page.say(Text.assemble("Does it replicate?  ", badge(verdict.replicates, ascii_only=page.ascii_only)))
    page.row("at", f"the reference setting: {conditions(verdict.reference.setting)}")
    show_evidence(page, verdict.reference, rule_of(verdict))
    _control(page, "control", negative(answer, rule_of(verdict)))
    page.row("", f"where it must not hold: {inert(verdict.control_says)}", "dim")
    _contrast(page, answer)
    _also_negative(page, verdict, answer)
    _planted(page, verdict, answer)
    if verdict.positive_says:
        page.row("" if answer.positive else "planted", f"where it must hold: {inert(verdict.positive_says)}", "dim")


def _where_it_holds(page: Page, verdict: Verdict) -> None:
    outcome = badge(verdict.generalises, ascii_only=page.ascii_only)
    page.say(Text.assemble("Where does it hold?  generalises ", outcome))
    if verdict.reach is not None:
        first, *further = reached(verdict.reach)
        page.row("reach", first, "bold")
        page.rows("", further, "dim")
    if verdict.replicates is Outcome.FAILS and verdict.counterexample is not None:
        page.row("breaks at", "the reference setting itself", "bold")
        _again(page, verdict.counterexample.replay)
    if (nominee := nominated(verdict)) is not None:
        _nominated_setting(page, verdict, nominee)
    page.rows("besides", beside_says(verdict))
    page.rows("tried", tried(verdict))


def _again(page: Page, replay: str) -> None:
    page.row("again", "copy the next line to see it on the same seeds:")
    page.verbatim(inert(replay))


def _nominated_setting(page: Page, verdict: Verdict, answer: Answer) -> None:
    """The setting nominated by the search, with its evidence, its controls and its outcome."""
    page.row(_LABELS[answer.role], differs(answer.judgement.setting, verdict.reference.setting), "bold")
    said = Text(f"the {ROLES[answer.role]}, on fresh seeds", style="dim")
    page.row("", Text.assemble(said, ": ", badge(answer.outcome, ascii_only=page.ascii_only)))
    show_evidence(page, answer.judgement, rule_of(verdict))
    if answer.control is not None:
        _control(page, "control", negative(answer, rule_of(verdict)))
    _contrast(page, answer)
    _also_negative(page, verdict, answer)
    _planted(page, verdict, answer)
    if answer.reason and answer.reason not in verdict.reason:
        page.row("", inert(answer.reason), "dim")
    if answer.role == "counterexample" and verdict.counterexample is not None:
        _again(page, verdict.counterexample.replay)


def _contrast(page: Page, answer: Answer) -> None:
    if (contrast := contrasted(answer)) is not None:
        _control(page, "contrast", contrast)


def _also_negative(page: Page, verdict: Verdict, answer: Answer) -> None:
    for says, finding in also_negative(answer, rule_of(verdict)):
        _control(page, "also not", finding)
        page.row("", f"where it must not hold either: {inert(says)}", "dim")


def _planted(page: Page, verdict: Verdict, answer: Answer) -> None:
    if (finding := planted(answer, rule_of(verdict))) is not None:
        _control(page, "planted", finding)


def _control(page: Page, label: str, result: ControlResult) -> None:
    """A control's sign, what it did, and its figures."""
    figures = f": {result.figures}" if result.figures else ""
    page.row(label, Text.assemble((signed(result, ascii_only=page.ascii_only), _STYLES[result.mark]), figures))


def _robustness(page: Page, verdict: Verdict) -> None:
    """Variations of detector and cut-offs that change the outcome at the reference."""
    if not verdict.robustness:
        return
    page.blank()
    others = [v for v in verdict.robustness if v.judgement.outcome is not verdict.reference.outcome]
    same = len(verdict.robustness) - len(others)
    page.row("robust", f"{same} of {len(verdict.robustness)} variations of detector and cut-offs come out alike")
    for variation in others:
        judgement = variation.judgement
        page.row("", f"{inert(variation.name)}: {judgement.outcome}, {brief(judgement, rule_of(verdict))}", "dim")


def _scopes(page: Page, verdict: Verdict) -> None:
    """The claim's maps: where it holds over two conditions each."""
    reference = verdict.reference.setting
    for scope in verdict.scopes:
        page.blank()
        page.say(f"Over {scope.x.name} and {scope.y.name}, {scope.seeds} seeds a cell")
        show_scope(page, scope, reference)
    if verdict.scopes:
        show_legend(page, verdict.scopes, reference)


def _what_next(page: Page, verdict: Verdict, report: Report) -> None:
    """Why an outcome differs from what its interval alone implies, and what to do next."""
    said = advised(verdict, report)
    if verdict.reason or said:
        page.blank()
    if verdict.reason:
        page.row("because", inert(verdict.reason))
    page.rows("next", map(inert, said))


def _circumstances(page: Page, verdict: Verdict) -> None:
    """The rule, the definitions and the specification behind the verdict, and its cost."""
    page.row("rule", inert(verdict.rule), "dim")
    for name, text in verdict.definitions.items():
        page.row(inert(name), inert(text.removeprefix(f"{name}: ")), "dim")
    cost = f"{plural(verdict.runs_trained, 'run')} trained, {verdict.runs_reused:,} reused, {verdict.seconds:.1f} s"
    page.row("cost", f"{cost}; specification {inert(verdict.specification)}", "dim")
    page.row("numbers", lost(verdict.numerical_failures), "dim")
