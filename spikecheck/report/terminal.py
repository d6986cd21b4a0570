"""Reports, judgements and maps in the terminal: the answers first, then each claim's evidence."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikecheck.core.errors import what_stays
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
from spikecheck.report.phrases import conditions, differs, lost, not_asked, reach_in_brief, spread, unread, unregistered
from spikecheck.report.picture import picture
from spikecheck.report.quoted import rule_of
from spikecheck.report.sanitize import inert
from spikecheck.stats.prediction import Estimand

_PICTURE = 80
"""Narrowest page with a picture, in characters."""

_TABLE = 80
"""Narrowest page whose table does not break words, in characters."""

_WITH_AVERAGE, _WITH_REACH = 100, 117
"""Narrowest page, and narrowest terminal, whose table has room for a further column, in characters."""


def render(report: Report, console: Console, *, strict: bool = False) -> None:
    """Print a report. `strict` says whether edges counted as failures."""
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
    *,
    typical: Trace | None = None,
    predicts: Estimand | None = None,
) -> None:
    """Print one setting's judgement for `spikecheck replay`, without controls.

    Args:
        judgement: what to print.
        claim: the claim's id.
        reference: the claim's reference setting.
        console: where to print.
        typical: a run to draw, if there is one.
        predicts: the claim's rule, if known.
    """
    page = Page(console)
    page.say(Text.assemble((inert(claim), "bold"), "  ", badge(judgement.outcome, ascii_only=page.ascii_only)))
    page.row("at", differs(judgement.setting, reference))
    page.row("reference", conditions(reference), "dim")
    show_evidence(page, judgement, predicts)
    page.row("scores", spread(judgement))
    page.row("numbers", lost(judgement.numerical_failures), "dim")
    if typical is not None:
        _picture(page, typical)


def render_map(maps: ScopeMap, console: Console) -> None:
    """Print a claim's maps."""
    page = Page(console)
    page.say(Text.assemble((inert(maps.claim), "bold"), "  where it holds"))
    page.say(inert(maps.says), "italic", indent=2)
    page.say(inert(maps.where), "dim", indent=2)
    for scope in maps.scopes:
        page.blank()
        show_scope(page, scope, maps.reference)
    page.blank()
    show_legend(page, maps.scopes, maps.reference)
    page.row("seeds", f"{maps.scopes[0].seeds} a cell")
    page.row("rule", inert(maps.rule), "dim")
    page.row("", "applied to each cell by itself; nothing is corrected for the number of cells", "dim")
    for name, text in maps.definitions.items():
        page.row(inert(name), inert(text.removeprefix(f"{name}: ")), "dim")
    page.say(inert(f"specification {maps.specification}, seed {maps.seed}; {_environment(maps.environment)}"), "dim")


def _picture(page: Page, trace: Trace) -> None:
    """Draw the typical run if the page is wide enough for its headings."""
    if page.width < _PICTURE:
        return
    page.blank()
    for line in picture(trace, page.width, page.ascii_only):
        page.verbatim(line)


def _table(report: Report, page: Page) -> Table:
    """The table of all claims. Wider pages also show the deciding average (or the mean), the control and the reach."""
    # no rules between the columns: at 80 characters the longest claim's name needs their room
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
    """Print the count of claims that pass, remarks on the whole report, and its environment."""
    page.blank()
    if not report.complete:
        stays = what_stays(stored=report.stored)
        page.say(f"Stopped early: this report is partial. {stays[:1].upper()}{stays[1:]}.", "bold yellow")
    for file, reason in report.unreadable.items():
        page.say(f"Claim file left out: {unread(file, reason)}", "yellow")
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


def _environment(environment: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in environment.items())
