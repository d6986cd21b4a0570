"""How outcomes look: one word, one sign and one colour a state, the same in every format of a report.

The words of a claim are those of its answers, and `passes`. docs/reference/outcomes.md has the whole table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rich.text import Text

from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Verdict

Word = Literal["passes", "fails", "undecided", "untriggered", "invalid"]
"""The state of a claim, from both its answers."""


@dataclass(frozen=True)
class Look:
    """An outcome's sign, its sign for streams without Unicode, and its style in the terminal."""

    sign: str
    ascii_sign: str
    style: str


LOOKS: Mapping[Outcome, Look] = {
    Outcome.HOLDS: Look("✓", "+", "bold green"),
    Outcome.FAILS: Look("✗", "x", "bold red"),
    Outcome.UNDECIDED: Look("?", "?", "bold yellow"),
    Outcome.UNTRIGGERED: Look("∅", "o", "bold yellow"),
    Outcome.INVALID: Look("!", "!", "bold magenta"),
}


@dataclass(frozen=True)
class State:
    """A claim's state in dashboard formats, which have fixed words of their own."""

    junit: Literal["", "failure", "error"]
    """The element inside a test case; empty for a pass."""
    ctrf: Literal["passed", "failed", "other"]


_NEITHER = State("error", "other")
"""Not `skipped`: dashboards show that as green, but the command does not exit with 0."""

STATES: Mapping[Word, State] = {
    "passes": State("", "passed"),
    "fails": State("failure", "failed"),
    "undecided": _NEITHER,
    "untriggered": _NEITHER,
    "invalid": _NEITHER,
}
"""In the order of the table in docs/reference/outcomes.md."""


def badge(outcome: Outcome, *, ascii_only: bool) -> Text:
    """The outcome as a sign and a word.

    >>> badge(Outcome.HOLDS, ascii_only=True).plain
    '+ HOLDS'
    """
    look = LOOKS[outcome]
    return Text(f"{look.ascii_sign if ascii_only else look.sign} {outcome.upper()}", style=look.style)


def word_of(verdict: Verdict) -> Word:
    """The state of a claim: it passes, it fails, or the outcome of the answer that leaves it open."""
    if verdict.passed:
        return "passes"
    if verdict.replicates is Outcome.FAILS or (verdict.kind == "law" and verdict.generalises is Outcome.FAILS):
        return "fails"
    open_answer = verdict.generalises if verdict.replicates is Outcome.HOLDS else verdict.replicates
    return _NEITHER_WORDS.get(open_answer, "undecided")


_NEITHER_WORDS: Mapping[Outcome, Word] = {Outcome.UNTRIGGERED: "untriggered", Outcome.INVALID: "invalid"}


def standing(verdict: Verdict, *, brief: bool = False) -> Text:
    """The claim's state in its colour. A claim that passes with an edge says so, unless `brief`."""
    word = word_of(verdict)
    if word == "passes":
        edge = verdict.generalises is Outcome.FAILS and not brief
        return Text("PASSES, with an edge" if edge else "PASSES", style="bold green")
    return Text(word.upper(), style=LOOKS[Outcome(word)].style)
