"""Why a loss spiked, as Markdown for a pull request or an issue: a pure function of the answer."""

from collections.abc import Sequence

from spikecheck.core.why import Answer
from spikecheck.report.sanitize import inert, plain
from spikecheck.report.why_words import (
    COLUMNS,
    MEANING,
    cells,
    forks_say,
    layers_say,
    not_applying,
    overshoot_says,
    remedies_say,
    spike_says,
)


def why_markdown(answer: Answer) -> str:
    """The whole answer."""
    parts = [
        "# Why did the loss spike?",
        f"**{plain(answer.sentence)}**",
        plain(" ".join(filter(None, (spike_says(answer), forks_say(answer))))),
        _table(answer),
        _listed("Remedies that were tried, the cheapest first", remedies_say(answer)),
        _listed("Before the spike", [*filter(None, [overshoot_says(answer)]), *layers_say(answer, 5)]),
        _listed("Arms that do not apply", not_applying(answer)),
        _listed("What this cannot tell", answer.notes),
        f"`{inert(answer.command).replace('`', '')}`" if answer.command else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(answer: Answer) -> str:
    if not answer.arms:
        return ""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(tuple(map(plain, cells(arm))) for arm in answer.arms)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\n{plain(MEANING)}"


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- {plain(line)}" for line in lines)]) if lines else ""
