"""One answer beside its trace, and the tables of docs/spontaneous.md."""

from collections.abc import Iterator, Sequence

from spikecheck.core.record import Record
from spikecheck.core.why import Answer, Cause
from spikecheck.stats.bounds import clopper_pearson
from studies.spontaneous_trace import NO_INSTABILITY, Trace

INSTABILITIES = (Cause.LAG, Cause.DECAYED, Cause.CURVATURE)
NO_CAUSE = "no cause"
_EACH_SIDE = 0.025
_COLUMNS = (
    "Height in spreads. *Overshoot*: median over the rise. *Surprise*: the largest |g|/√v of a tensor in the eight steps\n"
    "before. *Lags*: the tensor that does, by the rule. *Falls*: whether the second moment does."
)


class Cell(Record):
    """One training."""

    kind: str
    seed: int
    steps: int
    onset: int | None
    """Of its first spike that is not benign; None where there is none."""
    trace: Trace | None = None
    answer: Answer | None = None

    @property
    def named(self) -> str:
        """What `diagnose` names first."""
        return NO_CAUSE if self.answer is None or self.answer.cause is None else self.answer.cause

    @property
    def line(self) -> str:
        """For the terminal."""
        if self.trace is None:
            return f"{self.kind} {self.seed}: no spike"
        return f"{self.kind} {self.seed}: onset {self.onset}, trace {self.trace.names}, diagnose {self.named}"

    @property
    def agrees(self) -> bool:
        """Whether `diagnose` names what the trace does."""
        return self.agrees_by_kind and (not self._traced_unstable or self.trace_names == self.named)

    @property
    def agrees_by_kind(self) -> bool:
        """Whether both see an instability, or neither."""
        return self._traced_unstable == (self.named in INSTABILITIES)

    @property
    def trace_names(self) -> str:
        """What the trace says."""
        return NO_INSTABILITY if self.trace is None else self.trace.names

    @property
    def _traced_unstable(self) -> bool:
        return self.trace is not None and self.trace.unstable


def page(cells: Sequence[Cell], kinds: Sequence[str]) -> str:
    """Everything after the rule."""
    spiking = [cell for cell in cells if cell.trace is not None]
    return "\n".join([*_summary(spiking), *_kinds(cells, kinds), *_each(spiking)]) + "\n"


def _summary(spiking: Sequence[Cell]) -> Iterator[str]:
    yield "## What came out\n\n| | spikes | agree, 95 % interval |\n|---|---:|---|"
    resolved = [cell for cell in spiking if cell.trace is not None and cell.trace.overshoot is not None]
    for says, cells in (("", spiking), (", overshoot resolved", resolved)):
        agreeing, by_kind = sum(cell.agrees for cell in cells), sum(cell.agrees_by_kind for cell in cells)
        yield f"| `diagnose` names the trace's cause{says} | {len(cells)} | {share(agreeing, len(cells))} |"
        yield f"| by kind: both see an instability, or neither{says} | {len(cells)} | {share(by_kind, len(cells))} |"
    yield ""


def _kinds(cells: Sequence[Cell], kinds: Sequence[str]) -> Iterator[str]:
    yield "## By kind of training\n"
    yield "| kind | trainings | steps | spike | agree | agree by kind |\n|---|---:|---:|---:|---:|---:|"
    for kind in kinds:
        own = [cell for cell in cells if cell.kind == kind]
        spiking = [cell for cell in own if cell.trace is not None]
        if own:
            counts = f"{sum(cell.agrees for cell in spiking)} | {sum(cell.agrees_by_kind for cell in spiking)}"
            yield f"| {kind} | {len(own)} | {own[0].steps:,} | {len(spiking)} | {counts} |"
    yield ""


def _each(spiking: Sequence[Cell]) -> Iterator[str]:
    yield f"## Every spike\n\n{_COLUMNS}\n"
    yield "| kind | seed | onset | height | overshoot | surprise | lags | falls | trace | `diagnose` | arms that remove it |"
    yield "|---|---:|---:|---:|---:|---:|---|---|---|---|---|"
    for cell in spiking:
        yield _row(cell)


def _row(cell: Cell) -> str:
    assert cell.trace is not None
    answer, trace = cell.answer, cell.trace
    overshoot = "-" if trace.overshoot is None else f"{trace.overshoot:.2f}"
    height = "" if answer is None or answer.spike is None else f"{answer.spike.height:.3g}"
    arms = "" if answer is None else ", ".join(arm.name for arm in answer.arms if arm.claimed)
    named = cell.named if answer is None or answer.cause else f"{NO_CAUSE} ({answer.outcome})"
    columns = (
        cell.kind,
        cell.seed,
        cell.onset,
        height,
        overshoot,
        f"{trace.surprise:.2g}",
        trace.lagging or "",
        "yes" if trace.falls else "",
        trace.names,
    )
    return f"| {' | '.join(map(str, columns))} | {named} | {arms} |"


def share(hits: int, of: int) -> str:
    """A count with its interval."""
    if not of:
        return "0 of 0"
    low, high = clopper_pearson(hits, of, _EACH_SIDE)
    return f"{hits} of {of}: {100 * hits / of:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
