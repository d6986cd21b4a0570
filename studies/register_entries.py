"""When each claim was written, judged and changed, according to the git history."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal

from studies.register_git import Commit, History, NoHistory
from studies.register_parts import ALONGSIDE, DECIDING, MOVED, Parts, Shared, deciding, parts_of

CLAIMS = ":(glob)claims/*.py"
SETTINGS = ("spikecheck/harness/paper_settings.py", "spikecheck/harness/reference.py")
"""Of the shared reference settings: the file, and what it was called before."""
SHARED = ("spikecheck/arms.py", "spikecheck/preconditions.py", ":(glob)spikecheck/effects/*.py")
MOVES = "claims/moved.toml"
TEXTS = (CLAIMS, *SETTINGS, *SHARED, MOVES)
REPORTS = ":(glob)reports/*.json*"
DECISIONS = ("docs/decisions.md", "docs/decisions")
READ = (*TEXTS, REPORTS, *DECISIONS)

Registered = Literal["before", "with", "after", "not judged"]


@dataclass(frozen=True)
class Change:
    """A commit that wrote a claim or changed parts of it."""

    commit: Commit
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Move:
    """A claim's text written otherwise without a change of what it computes: its specifications before and after."""

    claim: str
    before: str
    after: str


@dataclass(frozen=True)
class Verdict:
    """A report that holds a verdict on a claim, with the digest of what was judged."""

    commit: Commit
    report: str
    specification: str
    text: Parts
    """The parts that decided the verdict, at that time."""


@dataclass(frozen=True)
class Section:
    """A section of the decisions."""

    title: str
    link: str
    text: str


@dataclass(frozen=True)
class Entry:
    """The register's entry for one claim."""

    id: str
    before: Sequence[str]
    """Its earlier names, the latest first."""
    text: Parts
    """The parts that decide its verdict at present."""
    changes: Sequence[Change]
    """All changes; the first one wrote the claim."""
    verdicts: Sequence[Verdict]
    """All verdicts on the claim, the oldest first."""
    judged: Verdict | None
    """The first verdict with the present specification; None without one."""
    registered: Registered
    earlier: Sequence[Change]
    """Changes committed before the first verdict, without the one that wrote the claim."""
    later: Sequence[Change]
    """Changes committed neither before the first verdict nor with it."""
    sections: Sequence[Section]
    moves: Sequence[Move] = ()
    """All that were recorded of it, the oldest first."""

    @property
    def specification(self) -> str:
        """That of its last verdict, or what it has become since by moves alone; empty without a verdict."""
        stands = self.verdicts[-1].specification if self.verdicts else ""
        for move in self.moves:
            stands = move.after if move.before == stands else stands
        return stands

    @property
    def written(self) -> Commit:
        """The commit that last changed a part that decides the verdict."""
        return [change.commit for change in self.changes if set(change.parts) & DECIDING.keys()][-1]

    @property
    def since(self) -> Mapping[str, tuple[Commit, Commit]]:
        """For every deciding part, the commits that first wrote it and that last changed or removed it."""
        by = {part: [c.commit for c in self.changes if part in c.parts] for part in DECIDING}
        return {part: (commits[0], commits[-1]) for part, commits in by.items() if commits}


@dataclass(frozen=True)
class Register:
    """All present claims, and the ids of claims that were judged and removed since."""

    newest: Commit
    entries: Sequence[Entry]
    gone: Sequence[str]


@dataclass(frozen=True)
class _Source:
    """The data that is read from the history once for all claims."""

    history: History

    @cached_property
    def commits(self) -> list[Commit]:
        return self.history.touching(TEXTS)

    @cached_property
    def reports(self) -> list[tuple[Commit, str, Mapping[str, str]]]:
        """Every report that a commit wrote: the commit, the file, and the specifications by claim id."""
        paths = self.history.names(REPORTS)
        touching = self.history.touching((REPORTS,))
        texts = self.history.texts((one, path) for c in touching for one in (c.id, *c.parents) for path in paths)
        judged_files = []
        for commit in touching:
            for path in paths:
                text = texts.get((commit.id, path))
                if text is not None and all(text != texts.get((parent, path)) for parent in commit.parents):
                    judged_files += [(commit, path, judged)] if (judged := _specifications(text)) else []
        return judged_files

    @cached_property
    def texts(self) -> Mapping[tuple[str, str], str]:
        paths = [*self.history.names(CLAIMS), *SETTINGS, MOVES, *self._shared]
        commits = [self.history.at, *(commit.id for commit, _, _ in self.reports)]
        commits += [one for commit in self.commits for one in (commit.id, *commit.parents)]
        return self.history.texts((commit, path) for commit in commits for path in paths)

    @cached_property
    def renames(self) -> Mapping[tuple[str, str], str]:
        return self.history.renames("claims")

    @cached_property
    def sections(self) -> list[Section]:
        pages = [path for path in self.history.files(*DECISIONS) if path.endswith(".md")]
        texts = self.history.texts((self.history.at, page) for page in pages)
        return [section for page in pages for section in _sections(page, texts[self.history.at, page])]

    def names(self, path: str) -> list[str]:
        """A claim file's path, and its earlier paths."""
        names = [path]
        for name in names:  # the list grows during the loop
            names += [before for (_, after), before in self.renames.items() if after == name and before not in names]
        return names

    @cached_property
    def _shared(self) -> list[str]:
        return [path for pattern in SHARED for path in self.history.names(pattern)]

    def moves(self, commit: str) -> list[Move]:
        """Those recorded at a commit."""
        text = self.texts.get((commit, MOVES), "")
        return [Move(each["claim"], each["before"], each["after"]) for each in tomllib.loads(text).get("moved", [])]

    def new_moves(self, commit: Commit) -> list[Move]:
        """Those recorded at a commit and at none of its parents."""
        known = [move for parent in commit.parents for move in self.moves(parent)]
        return [move for move in self.moves(commit.id) if move not in known]

    @cached_property
    def _moved(self) -> dict[tuple[str, str, str], str]:
        """By claim, part and the text that it has after a move, the text that it had before."""
        moved: dict[tuple[str, str, str], str] = {}
        for commit in self.commits:
            for move in self.new_moves(commit):
                path = f"claims/{move.claim.replace('-', '_')}.py"
                now, before = (self._read(one, [path]) or {} for one in (commit.id, *commit.parents[:1]))
                for part in now.keys() & before.keys():
                    moved[path, part, now[part]] = moved.get((path, part, before[part]), before[part])
        return moved

    def parts(self, commit: str, names: Sequence[str]) -> Parts | None:
        """The parts of a claim at a commit; None where it is not there. What was moved reads as it did before."""
        read = self._read(commit, names)
        return None if read is None else {p: self._moved.get((names[0], p, text), text) for p, text in read.items()}

    def _read(self, commit: str, names: Sequence[str]) -> Parts | None:
        there = [self.texts[commit, name] for name in names if (commit, name) in self.texts]
        settings = [self.texts[commit, path] for path in SETTINGS if (commit, path) in self.texts]
        return parts_of(there[0], "".join(settings[:1]), self._modules(commit)) if there else None

    def _modules(self, commit: str) -> Shared:
        """The shared modules at a commit, by the names that claims import them by."""
        there = [path for path in self._shared if (commit, path) in self.texts]
        return tuple((path.removesuffix(".py").replace("/", "."), self.texts[commit, path]) for path in there)


def register(history: History) -> Register:
    """The register of all claims that exist at the end of the history.

    Raises:
        NoHistory: when there are no claims at its end.
    """
    source = _Source(history)
    files = sorted(path for path in history.files("claims") if re.fullmatch(r"claims/[^_/][^/]*\.py", path))
    if not files:
        raise NoHistory(f"{history.folder} has no committed claims; run this in a clone of spikecheck")
    names = {path: source.names(path) for path in files}
    known = {_named(name) for each in names.values() for name in each}
    judged = {claim for _, _, specifications in source.reports for claim in specifications}
    entries = [_entry(source, each) for each in names.values()]
    return Register(history.commits[history.at], entries, sorted(judged - known))


def _entry(source: _Source, names: Sequence[str]) -> Entry:
    ids = [_named(name) for name in names]
    changes = list(_changes(source, names))
    verdicts = [
        Verdict(commit, path, specifications[claim], deciding(source.parts(commit.id, names) or {}))
        for commit, path, specifications in source.reports
        for claim in [claim for claim in ids if claim in specifications][:1]
    ]
    sections = [section for section in source.sections if f"`{ids[0]}`" in section.text]
    text = deciding(source.parts(source.history.at, names) or {})
    judged = _judged(text, verdicts)
    earlier, later = _parted(source.history, changes[1:], verdicts)
    moves = [move for move in source.moves(source.history.at) if move.claim in ids]
    entry = Entry(ids[0], ids[1:], text, changes, verdicts, judged, "not judged", earlier, later, sections, moves)
    return replace(entry, registered=_registered(source.history, entry.written, judged.commit)) if judged else entry


def _registered(history: History, written: Commit, judged: Commit) -> Registered:
    """Whether a claim's text was committed before its first verdict, with it, or after it."""
    if written == judged:
        return "with"
    return "before" if history.precedes(written.id, judged.id) else "after"


def _parted(
    history: History, changes: Sequence[Change], verdicts: Sequence[Verdict]
) -> tuple[list[Change], list[Change]]:
    """The changes committed before the first verdict, and those committed neither before nor with it."""
    if not verdicts:
        return list(changes), []
    first = verdicts[0].commit
    earlier = [change for change in changes if history.precedes(change.commit.id, first.id)]
    return earlier, [change for change in changes if change not in earlier and change.commit != first]


def _changes(source: _Source, names: Sequence[str]) -> Iterator[Change]:
    """Yield the commits that changed a part of the claim compared with all of their parents."""
    for commit in source.commits:
        now = source.parts(commit.id, names)
        before = [old for parent in commit.parents if (old := source.parts(parent, names)) is not None]
        if now is not None:
            parts = {part for each in (now, *before) for part in each}
            changed = {part for part in parts if all(now.get(part) != old.get(part) for old in before)}
            if any(move.claim == _named(names[0]) for move in source.new_moves(commit)):
                changed.add(MOVED)
            if changed:
                yield Change(commit, _ordered(changed))


def _judged(text: Parts, verdicts: Sequence[Verdict]) -> Verdict | None:
    """The first verdict with the present specification, if the newest report judged the present text.

    A digest also changed when only its computation did. So an earlier verdict on the same text counts too.
    """
    if not verdicts or verdicts[-1].text != text:
        return None
    newest = verdicts[-1].specification
    return next(verdict for verdict in verdicts if verdict.specification == newest or verdict.text == text)


def _specifications(report: str) -> Mapping[str, str]:
    """Specifications by the ids of the claims in a report; empty where the file is not a report."""
    try:
        read = json.loads(report)
    except ValueError:
        return {}
    if not (isinstance(read, dict) and str(read.get("schema", "")).startswith("spikecheck/report@")):
        return {}
    return {verdict["id"]: verdict["specification"] for verdict in read["claims"]}


def _sections(page: str, text: str) -> Iterator[Section]:
    """A page's sections, each up to the next heading, with links from a page in docs."""
    for part in re.split(r"^(?=#+ )", text, flags=re.MULTILINE):
        title = part.partition("\n")[0].lstrip("# ")
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        yield Section(title, f"{PurePosixPath(page).relative_to('docs')}#{anchor}", part)


def _named(path: str) -> str:
    """The id of the claim in a file."""
    return PurePosixPath(path).stem.replace("_", "-")


def deciding_parts(changes: Sequence[Change]) -> tuple[str, ...]:
    """The deciding parts that these changes concern."""
    return _ordered({part for change in changes for part in change.parts} & DECIDING.keys())


def _ordered(parts: set[str]) -> tuple[str, ...]:
    return tuple(part for part in (*DECIDING, *ALONGSIDE) if part in parts)
