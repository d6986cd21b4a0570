"""A report as a person reads it: the answers first, then each claim's evidence."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.scope import ScopeMap
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Trace
from spikecheck.report.block import show_claim
from spikecheck.report.estimates import average_in_brief
from spikecheck.report.evidence import show_evidence
from spikecheck.report.familywise import together
from spikecheck.report.heat_map import show_legend, show_scope
from spikecheck.report.outcomes import badge, standing
from spikecheck.report.page import Page
from spikecheck.report.phrases import conditions, differs, lost, not_asked, reach_in_brief, spread, unregistered
from spikecheck.report.picture import picture
from spikecheck.report.quoted import rule_of
from spikecheck.report.sanitize import inert
from spikecheck.stats.prediction import Estimand

_PICTURE = 80
"""Narrowest page with a picture, in characters."""

_TABLE = 80
"""Narrowest page whose table folds no words, in characters."""

_WITH_AVERAGE, _WITH_REACH = 100, 117
"""Narrowest page, and narrowest terminal, whose table has room for a further column, in characters."""


def render(report: Report, console: Console, *, strict: bool = False) -> None:
    """Print the whole report. `strict`: it was judged so, which changes what is said about edges."""
    page = Page(console)
    for verdict in report.claims:
        page.say(
            Text.assemble(
                (inert(verdict.id), "bold"),
                "  replicates ",
                badge(verdict.replicates, ascii_only=page.ascii_only),
                ", generalises ",
                badge(verdict.generalises, ascii_only=page.ascii_only),
                ": ",
                standing(verdict),
            )
        )
    for verdict in report.claims:
        page.blank()
        show_claim(page, verdict, report)
    if len(report.claims) == 1 and report.claims[0].typical is not None:
        _picture(page, report.claims[0].typical)
    if len(report.claims) > 1:
        page.blank()
        console.print(_table(report, page))
    _closing(page, report, strict=strict)


def render_judgement(
    judgement: Judgement,
    claim: str,
    reference: Setting,
    console: Console,
    typical: Trace | None = None,
    predicts: Estimand | None = None,
) -> None:
    """Print one setting's judgement, as `spikecheck replay` shows it: without the controls that guard a report's answers."""
    page = Page(console)
    page.say(Text.assemble((inert(claim), "bold"), "  ", badge(judgement.outcome, ascii_only=page.ascii_only)))
    page.row("at", differs(judgement.setting, reference))
    page.row("reference", conditions(reference), "dim")
    show_evidence(page, judgement, predicts)
    page.row("scores", spread(judgement))
    page.row("numbers", lost(judgement.numerical_failures), "dim")
    if typical is not None:
        _picture(page, typical)


def render_map(found: ScopeMap, console: Console) -> None:
    """Print what `spikecheck map` found."""
    page = Page(console)
    page.say(Text.assemble((inert(found.claim), "bold"), "  where it holds"))
    page.say(inert(found.says), "italic", indent=2)
    page.say(inert(found.where), "dim", indent=2)
    for scope in found.scopes:
        page.blank()
        show_scope(page, scope, found.reference)
    page.blank()
    show_legend(page, found.scopes, found.reference)
    page.row("seeds", f"{found.scopes[0].seeds} a cell")
    page.row("rule", inert(found.rule), "dim")
    page.row("", "applied to each cell by itself; nothing is corrected for the number of cells", "dim")
    for name, text in found.definitions.items():
        page.row(inert(name), inert(text.removeprefix(f"{name}: ")), "dim")
    page.say(inert(f"specification {found.specification}, seed {found.seed}; {_environment(found.environment)}"), "dim")


def _picture(page: Page, trace: Trace) -> None:
    """The typical run, where there is room for its headings."""
    if page.width < _PICTURE:
        return
    page.blank()
    for line in picture(trace, page.width, page.ascii_only):
        page.verbatim(line)


def _table(report: Report, page: Page) -> Table:
    """The figures of several claims side by side; the average that decides, or else the mean, where there is room for it."""
    # no rules between the columns: at 80 columns their places are needed for the longest claim's name
    table = Table(title="All claims", title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0))
    roomy, roomier = page.width >= _WITH_AVERAGE, page.console.width >= _WITH_REACH
    names = ["claim", "replicates", "held", *(["average", "control"] if roomy else []), "generalises"]
    for name in [*names, *(["reach"] if roomier else []), "in all"]:
        table.add_column(name, overflow="fold", no_wrap=page.width >= _TABLE)
    for verdict in report.claims:
        control = f"{verdict.control.held}/{verdict.control.applicable}"
        average = [average_in_brief(verdict.reference, rule_of(verdict)), control] if roomy else []
        table.add_row(
            Text(inert(verdict.id)),
            badge(verdict.replicates, ascii_only=page.ascii_only),
            f"{verdict.reference.held}/{verdict.reference.applicable}",
            *average,
            badge(verdict.generalises, ascii_only=page.ascii_only),
            *([reach_in_brief(verdict)] if roomier else []),
            standing(verdict, brief=True),
        )
    return table


def _closing(page: Page, report: Report, *, strict: bool) -> None:
    """How the whole came out, and under which circumstances."""
    page.blank()
    if not report.complete:
        page.say("Stopped early: this report is partial. What was trained is kept; run again to go on.", "bold yellow")
    for file, reason in report.unreadable.items():
        page.say(f"Claim file left out: {inert(file)}: {inert(reason)}", "yellow")
    for claim, reason in report.left_out.items():
        page.say(f"{not_asked(report)}: {inert(claim)}, which {inert(reason)}", "dim")
    passed = sum(verdict.passed for verdict in report.claims)
    page.say(f"{passed} of {len(report.claims)} claims pass", "bold")
    if said := together(report):
        page.say(inert(said), "dim")
    edges = ", ".join(inert(v.id) for v in report.claims if v.passed and v.generalises is Outcome.FAILS)
    if edges:
        counts = "under --strict that fails" if strict else "reported, and for a tendency no failure"
        page.say(f"An edge is where a claim stops holding ({counts}): {edges}", "dim")
    unshown = ", ".join(inert(v.id) for v in report.claims if unregistered(v))
    if unshown:
        page.say(f"Rule not shown to be written before its data: {unshown}", "yellow")
    page.say(inert(f"profile {report.profile}, seed {report.seed}; {_environment(report.environment)}"), "dim")


def _environment(found: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in found.items())
