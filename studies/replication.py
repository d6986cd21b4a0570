"""Whether another machine comes to the same verdicts: two reports of `verify`, claim by claim.

    python studies/replication.py [REPORT OTHER] [--out reports/replication.md]

Both have the same claims and seeds. Long trainings at the edge of stability are chaotic: another processor, which rounds
otherwise, follows other trajectories there. A verdict that rests on the seeds and not on the rounding comes out the same.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikecheck.core.judgement import Answer, Judgement
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.json_file import read

REPORTS = Path(__file__).parents[1] / "reports"


@dataclass(frozen=True)
class Compared:
    """One claim in both reports."""

    claim: str
    words: tuple[str, str]
    """Whether it replicates and whether it generalises, by either report."""
    held: tuple[str, str]
    """Seeds for which it held, of those to which it applies, at the reference."""
    medians: tuple[float | None, float | None]
    """Median effects at the reference."""
    differing: Sequence[str]
    """Answers with another outcome."""

    @property
    def same(self) -> bool:
        """Whether both verdicts are the same."""
        return self.words[0] == self.words[1]


def compared(one: Report, other: Report) -> list[Compared]:
    """Every claim of both reports.

    Raises:
        ValueError: a claim is missing from one of them, or its specification or seed is another one.
    """
    theirs = {verdict.id: verdict for verdict in other.claims}
    specifications = [{verdict.id: verdict.specification for verdict in report.claims} for report in (one, other)]
    if specifications[0] != specifications[1] or one.seed != other.seed:
        raise ValueError("the reports are of different claims or seeds")
    return [_compared(verdict, theirs[verdict.id]) for verdict in one.claims]


def _compared(one: Verdict, other: Verdict) -> Compared:
    return Compared(
        one.id,
        (_words(one), _words(other)),
        (_held(one.reference), _held(other.reference)),
        (one.reference.effect.median, other.reference.effect.median),
        list(_differing(one.answers, other.answers)),
    )


def _words(verdict: Verdict) -> str:
    return f"{verdict.replicates}, {verdict.generalises}"


def _held(judgement: Judgement) -> str:
    return f"{judgement.held} of {judgement.applicable}"


def _differing(one: Sequence[Answer], other: Sequence[Answer]) -> Iterator[str]:
    theirs = {answer.role: answer for answer in other}
    for answer in one:
        found = theirs.get(answer.role)
        if found is None:
            yield f"{answer.role}: {answer.outcome}, not judged by the other"
        elif found.outcome != answer.outcome:
            reason = f" ({found.reason})" if found.reason else ""
            yield f"{answer.role}: {answer.outcome}, {found.outcome}{reason}"


def page(one: Report, other: Report) -> str:
    """The page: who made the two reports, the summary, the table and the answers that differ."""
    claims = compared(one, other)
    same = sum(claim.same for claim in claims)
    counts = sum(claim.held[0] == claim.held[1] for claim in claims)
    lines = [
        "# The reproduction on two processors",
        "",
        f"`python studies/replication.py`: the same {len(claims)} claims with the same seeds,",
        f"by {_made(one)} (reproduction.json.gz) and by {_made(other)} (replication.json.gz).",
        f"**{same} of {len(claims)} verdicts are the same**; at the reference the claim held for as many seeds in {counts}.",
        "",
        "| claim | replicates, generalises | held at the reference | median effect | by the other: held | median effect |",
        "| --- | --- | --: | --: | --: | --: |",
        *(_row(claim) for claim in claims),
        "",
        "Answers with another outcome, at settings off the reference:",
        "",
        *([f"- `{claim.claim}`, {text}" for claim in claims for text in claim.differing] or ["none"]),
    ]
    return "\n".join(lines) + "\n"


def _made(report: Report) -> str:
    made = {name: str(value) for name, value in report.environment.items()}
    return f"version {made['spikecheck']} on {made['processor']} with {made['device'].removeprefix('cpu ')}"


def _row(claim: Compared) -> str:
    words = claim.words[0] if claim.same else f"{claim.words[0]}; by the other: {claim.words[1]}"
    one, other = ("none" if median is None else f"{median:.6g}" for median in claim.medians)
    return f"| `{claim.claim}` | {words} | {claim.held[0]} | {one} | {claim.held[1]} | {other} |"


def main() -> None:
    """Compare the two reports, and write the page."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    published = [REPORTS / "reproduction.json.gz", REPORTS / "replication.json.gz"]
    arguments.add_argument("reports", nargs="*", type=Path, default=published, metavar="REPORT")
    arguments.add_argument("--out", type=Path, default=REPORTS / "replication.md")
    given = arguments.parse_args()
    if len(given.reports) != 2:
        arguments.error(f"two reports are compared, and {len(given.reports)} were given")
    given.out.write_text(page(*map(read, given.reports)), encoding="utf-8")


if __name__ == "__main__":
    main()
