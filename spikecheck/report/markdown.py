"""A report as Markdown: one table of verdicts, then a section a claim. A pure function of the report."""

from collections.abc import Callable, Iterable

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.scope import Scope
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.answers import answer
from spikecheck.report.axes import labels, title
from spikecheck.report.cells import face
from spikecheck.report.evidence import beside
from spikecheck.report.inert import inert
from spikecheck.report.outcomes import LOOKS, standing
from spikecheck.report.together import together
from spikecheck.report.words import besides, conditions, differs, lost, percent, plural, tried

Figure = Callable[[Verdict], str | None]
"""Where a claim's figure lies, relative to the text; None where it has none."""

MapFigure = Callable[[Verdict, int], str]
"""Where the figure of a claim's map of that number lies, from 0."""

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"})


def markdown(report: Report, figure: Figure | None = None, map_figure: MapFigure | None = None) -> str:
    """The whole report."""
    sections = [_section(verdict, figure(verdict) if figure else None, map_figure) for verdict in report.claims]
    left_out = [
        f"Not asked about this optimizer: {_plain(c)}, which {_plain(why)}.\n" for c, why in report.left_out.items()
    ]
    family = [f"{_plain(together(report))}\n"] if together(report) else []
    return "\n".join([_head(report), _table(report.claims), *family, *left_out, *sections])


def _head(report: Report) -> str:
    environment = ", ".join(f"{name} {value}" for name, value in report.environment.items())
    partial = "" if report.complete else "\n**Stopped early: this report is partial.**\n"
    return (
        f"# What was found\n\n`{inert(report.command)}`: profile {report.profile}, seed {report.seed}; "
        f"{_plain(environment)}.\n{partial}\n"
        "*Replicates* is asked at the reference setting on fresh seeds, *generalises* over the claim's domain. "
        "Held counts the seeds to which the claim applies. The control must fail.\n"
    )


def _table(verdicts: Iterable[Verdict]) -> str:
    rows = [
        "| claim | kind | replicates | held | control held | generalises | robust | in all |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| [{v.id}](#{v.id}) | {v.kind} | {_outcome(v.replicates)} | {_count(v.reference)} | {_count(v.control)} "
        f"| {_outcome(v.generalises)} | {_robust(v)} | {standing(v, brief=True).plain.lower()} |"
        for v in verdicts
    ]
    return "\n".join(rows) + "\n"


def _section(verdict: Verdict, figure: str | None, map_figure: MapFigure | None) -> str:
    said = [f"## {verdict.id}", f"> {_plain(verdict.says)}\n>\n> {_plain(verdict.where)}", _plain(answer(verdict))]
    if figure is not None:
        said.append(f"![{verdict.id}: a typical run, and the effect of every seed with its control's]({figure})")
    said.append("\n".join(_lines(verdict)))
    if verdict.robustness:
        said.append("\n".join(_variations(verdict)))
    for number, scope in enumerate(verdict.scopes):
        said += _map(scope, verdict, map_figure(verdict, number) if map_figure else None)
    if verdict.counterexample is not None:
        said.append(f"```console\n{inert(verdict.counterexample.replay)}\n```")
    return "\n\n".join(said) + "\n"


def _lines(verdict: Verdict) -> list[str]:
    reference = verdict.reference
    at = _plain(conditions(reference.setting))
    lines = [
        f"- **Rule:** {_plain(verdict.rule)}.",
        f"- **Replicates: {_outcome(verdict.replicates)}.** {_evidence(reference)} At {at}.",
        *(f"- **Beside it**, not judged: {_plain(beside(companion))}." for companion in reference.companions),
        f"- **Control** ({_plain(verdict.control_says)}): {_evidence(verdict.control)}",
        f"- **Generalises: {_outcome(verdict.generalises)}.** Tried: {_plain('; '.join(tried(verdict)))}.",
    ]
    lines += [f"- **Besides**, {_plain(line)}." for line in besides(verdict)]
    lines += _where(verdict)
    if verdict.reason:
        lines.append(f"- **Because:** {_plain(verdict.reason)}")
    definitions = "; ".join(f"{name}: {text.removeprefix(f'{name}: ')}" for name, text in verdict.definitions.items())
    lines.append(f"- **Definitions:** {_plain(definitions)}.")
    runs = f"{plural(verdict.runs_trained, 'run')} trained, {verdict.runs_reused:,} reused"
    lines.append(f"- **Cost:** {runs}, {verdict.seconds:.0f} s; {lost(verdict.numerical_failures)}.")
    return lines


def _where(verdict: Verdict) -> list[str]:
    """Where it breaks, and where it is strongest or weakest."""
    reference = verdict.reference.setting
    if verdict.replicates is Outcome.FAILS:
        found = verdict.elsewhere
        if found is None:
            return ["- **Breaks** at the reference setting itself."]
        where = f"the strongest setting found, {_plain(differs(found.setting, reference))}"
        return [
            f"- **Breaks** at the reference setting itself; at {where}, {_outcome(found.outcome)}: {_evidence(found)}"
        ]
    if verdict.counterexample is not None:
        found = verdict.counterexample.judgement
        return [f"- **Breaks** at {_plain(differs(found.setting, reference))}: {_evidence(found)}"]
    if verdict.weakest is not None:
        where = _plain(differs(verdict.weakest.setting, reference))
        return [f"- **Weakest** at {where}: {_evidence(verdict.weakest)}"]
    return []


def _variations(verdict: Verdict) -> list[str]:
    rows = ["| varied | outcome | held |", "|---|---|---|"]
    return rows + [f"| {_plain(v.name)} | {v.judgement.outcome} | {_count(v.judgement)} |" for v in verdict.robustness]


def _map(scope: Scope, verdict: Verdict, figure: str | None) -> list[str]:
    """A map's figure and its cells, laid out alike."""
    x, y, reference = scope.x.name, scope.y.name, verdict.reference.setting
    elsewhere = _plain(conditions(scope.centre, without=(x, y)))
    caption = (
        f"**Where it holds, over {_plain(title(x))} and {_plain(title(y))}:** seeds that held of those it applies to, "
        f"{scope.seeds} trained a cell; n: it applies to too few; lost: the numbers failed in most; bold: the reference. "
        f"Each cell is judged by itself. Elsewhere: {elsewhere}."
    )
    said = [caption]
    if figure is not None:
        said.append(f"![{verdict.id}: share of seeds that held, over {_plain(x)} and {_plain(y)}]({figure})")
    rows = [f"| {_plain(y)} \\ {_plain(x)} | {' | '.join(map(_plain, labels(scope.x.values)))} |"]
    rows.append("|---" * (1 + len(scope.x.values)) + "|")
    for row, label in reversed(list(enumerate(labels(scope.y.values)))):
        cells = [_cell(scope, column, row, reference) for column in range(len(scope.x.values))]
        rows.append(f"| {_plain(label)} | {' | '.join(cells)} |")
    return [*said, "\n".join(rows)]


def _cell(scope: Scope, column: int, row: int, reference: Setting) -> str:
    count = _plain(face(scope.cell(column, row)).count)
    return f"**{count}**" if scope.place(reference) == (column, row) else count


def _evidence(judgement: Judgement) -> str:
    if not judgement.applicable:
        return f"none of the {judgement.drawn} seeds met the precondition."
    effect = judgement.effect
    measured = ""
    if effect.median is not None and effect.low is not None and effect.high is not None:
        measured = f" Median {effect.median:.3g} ({effect.low:.3g} to {effect.high:.3g}) {_plain(effect.unit)}."
    share = f"share {percent(judgement.low)} to {percent(judgement.high)}, {percent(judgement.required)} required"
    return (
        f"{judgement.held} of {judgement.applicable} applicable seeds ({judgement.drawn} trained): {share}.{measured}"
    )


def _outcome(outcome: Outcome) -> str:
    return f"{LOOKS[outcome].sign} {outcome}"


def _count(judgement: Judgement) -> str:
    return f"{judgement.held}/{judgement.applicable}"


def _robust(verdict: Verdict) -> str:
    """How many variations of detector and cut-offs come out as the reference does."""
    if not verdict.robustness:
        return ""
    alike = sum(v.judgement.outcome is verdict.reference.outcome for v in verdict.robustness)
    return f"{alike}/{len(verdict.robustness)}"


def _plain(text: str) -> str:
    """A user's string as it reads: no markup, no line break, no control character."""
    return " ".join(inert(text).split()).translate(_SPECIAL)
