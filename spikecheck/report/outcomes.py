"""How outcomes look, in words and signs as well as in colour."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.text import Text

from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Verdict


@dataclass(frozen=True)
class Look:
    """A sign, the same for streams without Unicode, and a style."""

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


def badge(outcome: Outcome, *, ascii_only: bool) -> Text:
    """The outcome as a sign and a word.

    >>> badge(Outcome.HOLDS, ascii_only=True).plain
    '+ HOLDS'
    """
    look = LOOKS[outcome]
    return Text(f"{look.ascii_sign if ascii_only else look.sign} {outcome.upper()}", style=look.style)


def standing(verdict: Verdict, *, brief: bool = False) -> Text:
    """What the two answers make together: it passes, it fails, or it stays open; briefly, in that one word."""
    if verdict.passed:
        edge = verdict.generalises is Outcome.FAILS and not brief
        return Text("PASSES, with an edge" if edge else "PASSES", style="bold green")
    refuted = verdict.replicates is Outcome.FAILS or (verdict.kind == "law" and verdict.generalises is Outcome.FAILS)
    return Text("FAILS", style="bold red") if refuted else Text("OPEN", style="bold yellow")
