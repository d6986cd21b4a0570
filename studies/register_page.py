"""Writes the register as a page, and as a file for programs."""

import json
import re
from collections.abc import Iterator

from studies.register_entries import Entry, Register, Registered, Verdict, deciding_parts
from studies.register_git import Commit

ANSWERS: dict[Registered, str] = {
    "before": "yes",
    "with": "in one commit with it: not shown to be before",
    "after": "no: a verdict with this specification was there before",
    "not judged": "not yet judged",
}

_HEAD = """# Register of claims

When each claim was written, when it was first judged, and what was changed before and after that. Made from the git history
up to commit `{newest}` ({date}) by

```console
python studies/register.py
```

A claim is *registered before its data* if its present text was committed before the first report that holds a verdict on it:
the commit that wrote the text lies behind the first one whose report has the specification that stands in the newest report.

- The text is what decides the verdict: effect, threshold, further conditions, domain, controls, precondition, arms and
  recording, with the functions and constants that these use of the claim's file, of `spikecheck.arms`,
  `spikecheck.preconditions` and `spikecheck.effects`, and of the shared reference settings.
- Comments, layout and settings beside the domain are not part of it. Nor are wording, cut-offs and the update rules that a
  claim can be asked about, but changes of these are listed.
- A text can be written otherwise without a change of what it computes, as when functions move into a shared module. Such a
  move is recorded in claims/moved.toml with the digests before and after, and `tests/claims/test_moved.py` compares what both
  compute. It counts as no change of the text; the claim's section lists it.
- A specification is a digest. Settings beside the domain change it, and so did a new way of computing it. Where the text
  was the same in an earlier report, that report's verdict counts as the first.

What the history cannot show:

- "Yes" says that this text came before the verdict on it. If the text was changed after an earlier verdict, that one may have
  been known. The last column names the parts so changed; where it is empty, all was left alone from the first verdict on.
- A verdict that was looked at and never committed leaves no trace, so changes before the first verdict are named too.
  [Decisions](decisions.md) says of some claims what had been seen; each claim's section links there.
- A text counts as changed if it reads differently, also where it computes the same, as with a number that became a parameter;
  but for recorded moves.
- Claims use spikecheck's own measures and trainings. Changes of those are not listed.

{summary}

"""
_COLUMNS = (
    "claim",
    "present text",
    "first verdict",
    "first verdict on the present text",
    "registered before its data",
    "changed before the first verdict",
    "changed after the first verdict",
)


def page(register: Register) -> str:
    """The register as Markdown: one row per claim, then one section per claim."""
    head = _HEAD.format(newest=register.newest.short, date=register.newest.date, summary=_summary(register))
    rows = [_COLUMNS, ["---"] * len(_COLUMNS), *map(_row, register.entries)]
    overview = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    sections = "".join("\n" + "\n".join(_section(entry)) + "\n" for entry in register.entries)
    return f"{head}{overview}{sections}"


def table(register: Register) -> str:
    """The register as TOML."""
    head = "# Made by `python studies/register.py` from the git history up to this commit.\n"
    blocks = ["\n".join(_lines(entry)) for entry in register.entries]
    return "\n\n".join([f'{head}history = "{register.newest.id}"', *blocks]) + "\n"


def _lines(entry: Entry) -> Iterator[str]:
    """A claim in TOML."""
    yield f"[claim.{entry.id}]"
    yield f"written = {_inline(entry.written)}"
    if entry.verdicts:
        yield f"first_verdict = {_inline(entry.verdicts[0].commit)}"
    if entry.judged:
        yield f"first_verdict_on_present_text = {_inline(entry.judged.commit)}"
    if entry.verdicts:
        yield f'specification = "{entry.specification}"'
        if entry.specification != entry.verdicts[-1].specification:
            yield f'judged_as = "{entry.verdicts[-1].specification}"'
    yield f'registered = "{entry.registered}"'
    yield f"changed_before_first_verdict = {json.dumps(deciding_parts(entry.earlier))}"
    yield f"changed_after_first_verdict = {json.dumps(deciding_parts(entry.later))}"


def _inline(commit: Commit) -> str:
    return f'{{ commit = "{commit.id}", date = "{commit.date}" }}'


def _summary(register: Register) -> str:
    """The numbers of claims that were registered before their data, with them, and after."""
    entries = register.entries
    counts = {answer: sum(entry.registered == answer for entry in entries) for answer in ANSWERS}
    kept = sum(entry.registered == "before" and not deciding_parts(entry.later) for entry in entries)
    gone = ", ".join(f"`{claim}`" for claim in register.gone) or "none"
    return (
        f"Registered before their data: {counts['before']} of {len(entries)} claims; {kept} of these are unchanged since "
        f"their first verdict.\nIn one commit with their verdict: {counts['with']}. After a verdict with the same "
        f"specification: {counts['after']}. Not yet judged: {counts['not judged']}.\nJudged once and no longer there: {gone}."
    )


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        f"[`{entry.id}`](#{entry.id})",
        _commit(entry.written),
        _commit(entry.verdicts[0].commit) if entry.verdicts else "none",
        _commit(entry.judged.commit) if entry.judged else "none",
        ANSWERS[entry.registered],
        ", ".join(deciding_parts(entry.earlier)),
        ", ".join(deciding_parts(entry.later)),
    )


def _section(entry: Entry) -> Iterator[str]:
    yield f"## {entry.id}\n"
    yield _verdicts(entry)
    if entry.sections:
        links = "; ".join(f"[{section.title}]({section.link})" for section in entry.sections)
        yield f"\nDecisions that name it: {links}."
    yield "\n| part | first written | as it stands since |\n|---|---|---|"
    for part, (first, last) in entry.since.items():
        yield f"| {part} | {_commit(first)} | {'' if part in entry.text else 'gone: '}{_commit(last)} |"
    yield "\n| commit | what | why |\n|---|---|---|"
    yield from _events(entry)


def _verdicts(entry: Entry) -> str:
    """A claim's earlier names, whether it was registered before its data, and its present specification."""
    called = "".join(f"Called `{name}` before. " for name in entry.before)
    answer = f"{called}Registered before its data: {ANSWERS[entry.registered]}."
    if not entry.verdicts:
        return f"{answer} No report holds a verdict on it."
    newest = entry.verdicts[-1]
    stands = "in the newest report that judges it" if entry.judged else "of its last verdict, on an earlier text"
    moved = "" if entry.specification == newest.specification else f" Moved since, it is `{entry.specification}`."
    return f"{answer} Specification {stands}: `{newest.specification}` ({_commit(newest.commit)}).{moved}"


def _events(entry: Entry) -> Iterator[str]:
    """Yield rows for a claim's changes and for its verdicts with a new specification, in order of time."""
    events = [(change.commit, ", ".join(change.parts)) for change in entry.changes]
    events[0] = (entry.changes[0].commit, "written")
    for before, verdict in zip([None, *entry.verdicts], entry.verdicts, strict=False):
        if before is None or before.specification != verdict.specification:
            events.append((verdict.commit, _judged(before, verdict)))
    for commit, what in sorted(events, key=lambda event: event[0].place):
        yield f"| {_commit(commit)} | {what} | {_plain(commit.subject)} |"


def _judged(before: Verdict | None, verdict: Verdict) -> str:
    """What is new about a verdict."""
    new = "verdict on the changed text"
    if before is None:
        new = "**first verdict**"
    elif before.text == verdict.text:
        new = "same text, new digest"
    return f"{new}: specification `{verdict.specification}`, {verdict.report}"


def _commit(commit: Commit) -> str:
    return f"`{commit.short}` {commit.date}"


def _plain(text: str) -> str:
    """A text with all Markdown characters escaped."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)
