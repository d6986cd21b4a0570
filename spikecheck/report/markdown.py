"""A report as Markdown: a table of verdicts, then one section a claim. A pure function of the report."""

from collections.abc import Callable, Iterable

from spikecheck.core.judgement import Answer, Judgement, Outcome
from spikecheck.core.scope import Scope
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.axes import labels, title
from spikecheck.report.beside import beside_says
from spikecheck.report.cells import written
from spikecheck.report.controls import ControlResult, also_negative, contrasted, negative, planted, signed
from spikecheck.report.estimates import average_in_brief, condition, decider, decides, effect, to_decide
from spikecheck.report.evidence import beside
from spikecheck.report.familywise import together
from spikecheck.report.outcomes import LOOKS, word_of
from spikecheck.report.phrases import (
    conditions,
    differs,
    lost,
    not_asked,
    percent,
    plural,
    reach_in_brief,
    reached,
    tried,
    unregistered,
)
from spikecheck.report.quoted import ROLES, at_reference, nominated, rule_of
from spikecheck.report.sanitize import inert
from spikecheck.report.summary import answer

Figure = Callable[[Verdict], str | None]
"""Returns the path of a claim's figure, relative to the text; None if it has none."""

MapFigure = Callable[[Verdict, int], str]
"""Returns the path of the figure of a claim's map, whose number counts from 0."""

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"})


def markdown(report: Report, figure: Figure | None = None, map_figure: MapFigure | None = None) -> str:
    """The report as text. Without `figure` and `map_figure` it links no pictures."""
    sections = [_section(verdict, figure(verdict) if figure else None, map_figure) for verdict in report.claims]
    left_out = [f"{not_asked(report)}: {_plain(c)}, which {_plain(why)}.\n" for c, why in report.left_out.items()]
    family = [f"{_plain(together(report))}\n"] if together(report) else []
    return "\n".join([_head(report), _table(report.claims), *family, *left_out, *sections])


def _head(report: Report) -> str:
    environment = ", ".join(f"{name} {value}" for name, value in report.environment.items())
    partial = "" if report.complete else "\n**Stopped early: this report is partial.**\n"
    return (
        f"# What was found\n\n`{inert(report.command)}`: profile {report.profile}, seed {report.seed}; "
        f"{_plain(environment)}.\n{partial}\n"
        "*Replicates* is judged at the reference setting on fresh seeds, *generalises* over the claim's domain; reach counts "
        "the settings of a random sample of it in which the claim holds. Held says in how many of the seeds to which "
        "the claim applies it held, average is that of their effects; what decides is in bold. The claim must exceed its "
        "control.\n"
    )


def _table(verdicts: Iterable[Verdict]) -> str:
    rows = [
        "| claim | kind | replicates | held | average | control held | generalises | reach | robust | in all |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for v in verdicts:
        held, average = _estimates(v)
        rows.append(
            f"| [{v.id}](#{v.id}) | {v.kind} | {_outcome(v.replicates)} | {held} | {average} | {_count(v.control)} "
            f"| {_outcome(v.generalises)} | {reach_in_brief(v)} | {_robust(v)} | {word_of(v)} |"
        )
    return "\n".join(rows) + "\n"


def _estimates(verdict: Verdict) -> tuple[str, str]:
    """Share of seeds and average at the reference; the deciding one is bold."""
    held, average = _count(verdict.reference), average_in_brief(verdict.reference, rule_of(verdict))
    if verdict.reference.required is None:
        return held, f"**{average}**" if average else ""
    return f"**{held}**", average


def _section(verdict: Verdict, figure: str | None, map_figure: MapFigure | None) -> str:
    said = [f"## {verdict.id}", f"**{word_of(verdict).capitalize()}.** {_plain(answer(verdict))}"]
    said += [_plain(verdict.says), _source(verdict)]
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


def _source(verdict: Verdict) -> str:
    """Where the claim comes from, and its words in the source if they are known."""
    said = [f'> "{_plain(verdict.quotes)}"\n>\n'] if verdict.quotes else []
    return "".join([*said, f"> {_plain(verdict.where)}"])


def _lines(verdict: Verdict) -> list[str]:
    lines = [f"- **{name}:** {_plain(text)}" for name, text in _about(verdict).items() if text]
    lines += _replicates(verdict)
    lines += _where(verdict)
    if verdict.reason:
        lines.append(f"- **Because:** {_plain(verdict.reason)}")
    definitions = "; ".join(f"{name}: {text.removeprefix(f'{name}: ')}" for name, text in verdict.definitions.items())
    lines.append(f"- **Definitions:** {_plain(definitions)}.")
    runs = f"{plural(verdict.runs_trained, 'run')} trained, {verdict.runs_reused:,} reused"
    lines.append(f"- **Cost:** {runs}, {verdict.seconds:.0f} s; {lost(verdict.numerical_failures)}.")
    return lines


def _about(verdict: Verdict) -> dict[str, str]:
    """What a reader needs before the figures: registration, reading, rule, limits of the check."""
    return {
        "Mark": unregistered(verdict),
        "Reading": verdict.reading,
        "Rule": f"{verdict.rule}.",
        "Cannot tell": verdict.cannot_tell,
    }


def _replicates(verdict: Verdict) -> list[str]:
    reference, answer_there = verdict.reference, at_reference(verdict)
    at = _plain(conditions(reference.setting))
    lines = [
        f"- **Does it replicate? {_outcome(verdict.replicates)}.** {_evidence(reference, verdict)} At {at}.",
        *(f"- **And**, {_plain(condition(further))}." for further in reference.conditions),
        *(f"- **Also measured**, not judged: {_plain(beside(companion))}." for companion in reference.companions),
        f"- **Control** ({_plain(verdict.control_says)}): {_control(negative(answer_there, rule_of(verdict)))}.",
    ]
    if (compared := contrasted(answer_there)) is not None:
        lines.append(f"- **Contrast:** {_control(compared)}.")
    lines += [
        f"- **Further control** ({_plain(says)}): {_control(f)}."
        for says, f in also_negative(answer_there, rule_of(verdict))
    ]
    if (positive := planted(answer_there, rule_of(verdict))) is not None:
        lines.append(f"- **Positive control** ({_plain(verdict.positive_says)}): {_control(positive)}.")
    return lines


def _control(result: ControlResult) -> str:
    return _plain(": ".join(filter(None, (signed(result), result.figures))))


def _where(verdict: Verdict) -> list[str]:
    """Where the claim holds: share of its domain, nominated setting, settings besides, and what the search tried."""
    lines = [f"- **Where does it hold? Generalises: {_outcome(verdict.generalises)}.**"]
    if verdict.reach is not None:
        first, *further = reached(verdict.reach)
        lines[0] += f" {_plain(first[:1].upper() + first[1:])}{''.join(f' ({_plain(line)})' for line in further)}."
    if verdict.replicates is Outcome.FAILS:
        lines.append("- **Breaks** at the reference setting itself.")
    if (nominee := nominated(verdict)) is not None:
        lines += _nominated(verdict, nominee)
    lines += [f"- **Besides**, {_plain(line)}." for line in beside_says(verdict)]
    return [*lines, f"- **Tried:** {_plain('; '.join(tried(verdict)))}."]


def _nominated(verdict: Verdict, nominee: Answer) -> list[str]:
    """The setting nominated by the search, judged on fresh seeds, with its controls."""
    name = {"counterexample": "Breaks", "strongest": "Strongest", "weakest": "Weakest"}[nominee.role]
    where = f"at {_plain(differs(nominee.judgement.setting, verdict.reference.setting))}, the {ROLES[nominee.role]}"
    rule = rule_of(verdict)
    guards = [("Control", negative(nominee, rule))] if nominee.control is not None else []
    guards += [("Contrast", compared)] if (compared := contrasted(nominee)) is not None else []
    guards += [("Further control", result) for _, result in also_negative(nominee, rule)]
    guards += [("Positive control", positive)] if (positive := planted(nominee, rule)) is not None else []
    said = "".join(f" {guard}: {_control(result)}." for guard, result in guards)
    return [
        f"- **{name}** {where}, on fresh seeds, {_outcome(nominee.outcome)}: {_evidence(nominee.judgement, verdict)}{said}"
    ]


def _variations(verdict: Verdict) -> list[str]:
    rows = ["| varied | outcome | held | average |", "|---|---|---|---|"]
    for moved in verdict.robustness:
        judgement = moved.judgement
        average = average_in_brief(judgement, rule_of(verdict))
        rows.append(f"| {_plain(moved.name)} | {judgement.outcome} | {_count(judgement)} | {average} |")
    return rows


def _map(scope: Scope, verdict: Verdict, figure: str | None) -> list[str]:
    """A map: its caption, its figure, and its cells as a table with the same layout."""
    x, y, reference = scope.x.name, scope.y.name, verdict.reference.setting
    elsewhere = _plain(conditions(scope.centre, without=(x, y)))
    caption = (
        f"**Where it holds, over {_plain(title(x))} and {_plain(title(y))}:** seeds that held of those it applies to, "
        f"{scope.seeds} trained a cell; n: it applies to too few; lost: numerical failures in most seeds; bold: the "
        f"reference. Each cell is judged by itself{_cells_say(scope)}. Elsewhere: {elsewhere}."
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


def _cells_say(scope: Scope) -> str:
    """What decides a cell; empty if it is the share."""
    some = scope.cells[0]
    return "" if some.required is not None else f", by the {decider(some)}, which stands behind the counts"


def _cell(scope: Scope, column: int, row: int, reference: Setting) -> str:
    count = _plain(written(scope.cell(column, row)))
    return f"**{count}**" if scope.place(reference) == (column, row) else count


def _evidence(judgement: Judgement, verdict: Verdict) -> str:
    if not judgement.drawn:
        return "Not judged yet."
    if not judgement.applicable:
        return f"none of the {judgement.drawn} seeds met the precondition."
    counted = f"{judgement.held} of {judgement.applicable} applicable seeds ({judgement.drawn} trained)"
    share = f"share {percent(judgement.low)} to {percent(judgement.high)}"
    said = [f"{counted}: {share}", _plain(effect(judgement.effect))]
    said += [f"it is decided by {_plain(decides(judgement, rule_of(verdict)))}", to_decide(judgement)]
    return f"{'. '.join(part[:1].upper() + part[1:] for part in said if part)}."


def _outcome(outcome: Outcome) -> str:
    return f"{LOOKS[outcome].sign} {outcome}"


def _count(judgement: Judgement) -> str:
    return f"{judgement.held}/{judgement.applicable}"


def _robust(verdict: Verdict) -> str:
    """How many variations of detector and cut-offs have the reference's outcome."""
    if not verdict.robustness:
        return ""
    alike = sum(v.judgement.outcome is verdict.reference.outcome for v in verdict.robustness)
    return f"{alike}/{len(verdict.robustness)}"


def _plain(text: str) -> str:
    """A string as plain Markdown text: markup is escaped; line breaks and control characters are removed."""
    return " ".join(inert(text).split()).translate(_SPECIAL)
