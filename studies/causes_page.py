"""The tables of docs/causes.md, from the answers that every set of rules gave."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from spikecheck.core.why import Cause, Effect, Outcome
from spikecheck.stats.bounds import clopper_pearson
from studies.causes_cells import NOTHING, Cell
from studies.causes_kept import Examination
from studies.planted_causes import CAUSES, SHIPPED
from studies.uncaused_worlds import WORLDS

_NAMES = [*map(str, Cause), NOTHING]
_EACH_SIDE = 0.025
_NO_CAUSE = ("none", "benign")
_COLUMNS = (
    "*Spike after*: steps from the plant to the spike's onset. *Lag*: |g|/√v of the layer that lags most, and before."
)


class Examinations(NamedTuple):
    """All that the page shows."""

    first: Examination
    """By the first rules."""
    earlier: Examination
    """By the changed rules, with the detector of that time."""
    present: Examination
    """By the changed rules, with the present detector."""
    compared: Examination
    """By the rules that compare an arm with the placebo."""
    tested: Examination
    """By these rules, where a spike is benign by a test."""
    returns: Examination
    """By these rules, where of a spike that is a return the fall is judged; of repeated batches alone."""
    falls: Examination
    """By the newest rules, which name no instability for a fall; of repeated batches alone."""
    uncaused: Examination
    """By the changed rules, of rises that no arm can remove."""
    uncaused_compared: Examination
    """Of such rises, by the rules that compare an arm with the placebo."""
    uncaused_returns: Examination
    """Of such rises, by the newest rules."""

    @property
    def changed(self) -> Sequence[Cell]:
        """The answers by the changed rules; of a training that was examined with both detectors, the present one's."""
        answers = {cell.asked.file: cell for cell in [*self.earlier.cells, *self.present.cells]}
        return list(answers.values())


def page(examined: Examinations) -> str:
    """Everything after the definitions."""
    newest = examined.tested.cells
    parts = [*_summary(examined), *_matrices(newest)]
    parts += ["## A batch that is repeated, where the fall is judged\n"]
    for one in (examined.falls, examined.returns):
        parts += [f"{one.seeds.capitalize()}; digest `{one.rules}`.\n", *_by_workload(one.cells), *_mistakes(one.cells)]
    parts += ["## Rises that no arm can remove: answers\n"]
    for one in (examined.uncaused, examined.uncaused_compared, examined.uncaused_returns):
        parts += _uncaused(one)
    parts += _times(newest)
    parts += ["## Answers that are not right\n", *_mistakes(newest)]
    parts += ["## What the rules gave that first compared an arm with the placebo\n"]
    parts += [
        *_matrix("All workloads, compared with the placebo", examined.compared.cells),
        *_mistakes(examined.compared.cells),
    ]
    parts += ["## What the changed rules gave, with either detector\n"]
    parts += [*_matrix("All workloads, changed rules", examined.changed), *_mistakes(examined.changed)]
    parts += ["## What the first rules gave\n", *_matrix("All workloads, first rules", examined.first.cells)]
    return "\n".join([*parts, *_mistakes(examined.first.cells)]) + "\n"


def _summary(examined: Examinations) -> Iterator[str]:
    """The two figures that are required."""
    named = {
        "first rules": examined.first,
        "changed rules": examined.earlier,
        "changed rules, present detector": examined.present,
        "compared with the placebo": examined.compared,
        "benign by a test": examined.tested,
    }
    columns = [f"{name}, {one.seeds}" for name, one in named.items()]
    cells = [one.cells for one in named.values()]
    yield "## What came out\n\nShares with 95 % intervals.\n"
    yield f"| | required | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}"
    yield _compared("the planted cause is named first", "≥ 90 %", [_named_first(one) for one in cells])
    yield _compared("a cause is named where there is none", "≤ 5 %", [_named_falsely(one) for one in cells])
    digests = ", ".join(f"{name} `{one.rules}`" for name, one in named.items())
    yield f"\nDigests of rules and plants: {digests}.\n"
    yield "The tables that follow are of the newest rules, by which a spike is benign by a test.\n"


def _compared(what: str, required: str, shares: Sequence[str]) -> str:
    return f"| {what} | {required} | {' | '.join(shares)} |"


def _named_first(cells: Sequence[Cell]) -> str:
    planted = [cell for cell in cells if cell.asked.cause not in _NO_CAUSE and cell.spikes]
    return _share(sum(cell.right for cell in planted), len(planted))


def _named_falsely(cells: Sequence[Cell]) -> str:
    without = [cell for cell in cells if cell.asked.cause in _NO_CAUSE and cell.spikes]
    return _share(sum(not cell.right for cell in without), len(without))


def _matrices(cells: Sequence[Cell]) -> Iterator[str]:
    yield from _matrix("All workloads", cells)
    for workload in SHIPPED:
        chosen = [cell for cell in cells if cell.asked.workload == workload]
        yield from _matrix(f"`{workload}`", chosen) if chosen else ()


def _by_workload(cells: Sequence[Cell]) -> Iterator[str]:
    """One planted cause: workloads in rows."""
    yield from _table("workload", {name: [cell for cell in cells if cell.asked.workload == name] for name in SHIPPED})


def _matrix(title: str, cells: Sequence[Cell]) -> Iterator[str]:
    """Planted causes in rows."""
    yield f"### {title}\n"
    yield from _table("planted", {cause: [cell for cell in cells if cell.asked.cause == cause] for cause in CAUSES})


def _table(head: str, rows: Mapping[str, Sequence[Cell]]) -> Iterator[str]:
    """What was named first in columns; what must be named is in bold."""
    yield f"| {head} | trainings | no spike | {' | '.join(_NAMES)} | right, 95 % interval |"
    yield "|---|---:|---:|" + "---:|" * len(_NAMES) + "---|"
    yield from (_row(name, row) for name, row in rows.items() if row)
    yield ""


def _row(head: str, row: Sequence[Cell]) -> str:
    spiking = [cell for cell in row if cell.spikes]
    named = Counter(cell.named for cell in spiking)
    wanted = row[0].asked.wanted
    counts = [f"**{named[name]}**" if name == wanted else str(named[name] or "") for name in _NAMES]
    share = _share(sum(cell.right for cell in spiking), len(spiking))
    return f"| {head} | {len(row)} | {len(row) - len(spiking) or ''} | {' | '.join(counts)} | {share} |"


def _uncaused(examined: Examination) -> Iterator[str]:
    """Rises that no arm can remove: how each question ended."""
    yield f"`mlp`, {examined.seeds}; digest `{examined.rules}`.\n"
    ends = [Outcome.NO_CAUSE, Outcome.CHAOTIC, Outcome.CAUSE]
    yield f"| reason | trainings | no spike | {' | '.join(map(str, ends))} | otherwise | a cause is named, 95 % interval |"
    yield "|---|---:|---:|" + "---:|" * (len(ends) + 1) + "---|"
    for world in [*WORLDS, "all"]:
        row = [cell for cell in examined.cells if world in (cell.asked.cause, "all")]
        spiking = [cell for cell in row if cell.spikes]
        ended = Counter(cell.outcome for cell in spiking)
        counts = [str(ended[end] or "") for end in ends]
        other = sum(times for end, times in ended.items() if end not in ends)
        without = f"{len(row)} | {len(row) - len(spiking) or ''}"
        yield f"| {world} | {without} | {' | '.join(counts)} | {other or ''} | {_named_at_all(spiking)} |"
    yield ""


def _named_at_all(cells: Sequence[Cell]) -> str:
    return _share(sum(cell.named != NOTHING for cell in cells), len(cells))


def _times(cells: Sequence[Cell]) -> Iterator[str]:
    """From the first run to the answer, in one process."""
    yield "## Time\n\nAfter the training itself, in one process, on a machine that others used too.\n"
    yield "| workload | answers | median, s | longest, s | forks, median |\n|---|---:|---:|---:|---:|"
    for workload in SHIPPED:
        answers = [c.answer for c in cells if c.asked.workload == workload and c.answer is not None and c.answer.arms]
        if answers:
            seconds = [answer.seconds for answer in answers]
            forks = median(sum(len(arm.forks) for arm in answer.arms) for answer in answers)
            yield f"| {workload} | {len(answers)} | {median(seconds):.0f} | {max(seconds):.0f} | {forks:.0f} |"
    yield ""


def _mistakes(cells: Sequence[Cell]) -> Iterator[str]:
    """Every answer that is not right, with the arms that removed the spike."""
    wrong = [cell for cell in cells if cell.spikes and not cell.right]
    yield f"{len(wrong)} of {sum(cell.spikes for cell in cells)}.\n"
    if wrong:
        yield f"{_COLUMNS}\n"
        yield "| planted | workload | seed | outcome | named | spike after | arms that remove it | lag | overshoot |"
        yield "|---|---|---:|---|---|---:|---|---|---|"
        yield from (_mistake(cell) for cell in sorted(wrong, key=lambda one: list(CAUSES).index(one.asked.cause)))
        yield ""


def _mistake(cell: Cell) -> str:
    answer, asked = cell.answer, cell.asked
    if answer is None:
        return f"| {asked.cause} | {asked.workload} | {asked.seed} | {cell.outcome} | {cell.named} | | | | |"
    removing = ", ".join(arm.name for arm in answer.arms if arm.effect is Effect.REMOVES)
    after = "" if answer.spike is None else str(answer.spike.onset - cell.onset)
    lag = max(answer.signs.layers, key=lambda layer: layer.surprise / max(layer.usual, 1e-9), default=None)
    lagging = "" if lag is None else f"{lag.surprise:.2g} for {lag.usual:.2g}"
    overshoot = "" if answer.signs.overshoot is None else f"{answer.signs.overshoot:.2f}"
    return (
        f"| {asked.cause} | {asked.workload} | {asked.seed} | {cell.outcome} | {cell.named} | {after} | {removing} "
        f"| {lagging} | {overshoot} |"
    )


def _share(times: int, of: int) -> str:
    if not of:
        return "none"
    low, high = clopper_pearson(times, of, _EACH_SIDE)
    return f"{times} of {of}: {100 * times / of:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
