"""The tables of docs/spontaneous.md about the loss on a fixed set of training points."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from spikecheck.core.why import Cause
from studies.fixed_reading import FixedReading, Said
from studies.fixed_stretches import FixedCell
from studies.spontaneous_page import INSTABILITIES, Cell, share
from studies.spontaneous_trace import NO_INSTABILITY, Trace

_SPIKE = "spike"
_REQUIRED: Mapping[str, str] = {
    _SPIKE: "",
    "quiet": "not too long",
    "quiet, no spike in the training": "not too long",
    "bad batches": "not too long",
    "rate": "too long",
}
_SURELY_LONG = "modular, slingshot"
"""Of these spikes the cause is known: they are a control too."""
_COLUMNS = (
    "*Loss*: on the fixed set, before and after its rise. *Slopes*: the sum of g·u/L over the rise, and in as many quiet\n"
    "steps. *Share*: of the rise, beyond the slopes. *Along g*: curvature along the gradient of all points over the\n"
    "threshold, in the quiet steps and in the rise. *Batches*: preconditioned batch sharpness over 2 divided by the\n"
    "rate, in the same. *Parabolic*: share of the rise's steps whose change is g·u + ½ u·Hu to a tenth of |g·u| + ½ |u·Hu|."
)


def fixed_names(trace: Trace, reading: FixedReading) -> str | None:
    """The cause by the fixed set, and by the same table as on the own batch; None where it cannot tell."""
    if reading.says is Said.UNKNOWN:
        return None
    if reading.says is not Said.LONG:
        return NO_INSTABILITY
    if trace.lagging is not None:
        return Cause.LAG
    return Cause.DECAYED if trace.falls else Cause.CURVATURE


def fixed_tables(cells: Sequence[Cell], fixed: Sequence[FixedCell], kinds: Sequence[str]) -> str:
    """Everything about the fixed set."""
    known = {(one.stretch.kind, one.stretch.seed): one.reading for one in fixed if one.stretch.what == _SPIKE}
    spiking = [(cell, known[cell.kind, cell.seed]) for cell in cells if (cell.kind, cell.seed) in known]
    lines = [*_agreement(spiking), *_counts(fixed, kinds), *_each(spiking)]
    return "\n".join(["## On a fixed batch\n", *lines]) + "\n"


def _agreement(spiking: Sequence[tuple[Cell, FixedReading]]) -> Iterator[str]:
    yield "| `diagnose` agrees, 95 % interval | with the own batch | with the fixed set | of which it cannot tell |"
    yield "|---|---|---|---:|"
    for kind in (*sorted({cell.kind for cell, _ in spiking}), None):
        chosen = [(cell, reading) for cell, reading in spiking if kind in (None, cell.kind)]
        told = [(cell, name) for cell, name in ((cell, _named(cell, reading)) for cell, reading in chosen) if name]
        for says, own, by_fixed in (
            ("", sum(cell.agrees for cell, _ in chosen), sum(_agrees(cell, name) for cell, name in told)),
            (
                ", by kind",
                sum(cell.agrees_by_kind for cell, _ in chosen),
                sum(_agrees_by_kind(cell, name) for cell, name in told),
            ),
        ):
            row = f"{share(own, len(chosen))} | {share(by_fixed, len(told))} | {len(chosen) - len(told)}"
            yield f"| {kind or 'all'}{says} | {row} |"
    yield ""


def _named(cell: Cell, reading: FixedReading) -> str | None:
    assert cell.trace is not None
    return fixed_names(cell.trace, reading)


def _agrees(cell: Cell, name: str) -> bool:
    return _agrees_by_kind(cell, name) and (name in (NO_INSTABILITY, cell.named))


def _agrees_by_kind(cell: Cell, name: str) -> bool:
    return (name != NO_INSTABILITY) == (cell.named in INSTABILITIES)


def _counts(fixed: Sequence[FixedCell], kinds: Sequence[str]) -> Iterator[str]:
    yield "| stretches | kind | required | how many | too long, 95 % interval | uphill | no rise | cannot tell |"
    yield "|---|---|---|---:|---|---:|---:|---:|"
    for what, kind in product(_REQUIRED, kinds):
        said = Counter(one.reading.says for one in fixed if (one.stretch.what, one.stretch.kind) == (what, kind))
        if said:
            required = "too long" if (what, kind) == (_SPIKE, _SURELY_LONG) else _REQUIRED[what]
            others = " | ".join(str(said[one]) for one in (Said.UPHILL, Said.NO_RISE, Said.UNKNOWN))
            long = share(said[Said.LONG], said.total())
            yield f"| {what} | {kind} | {required} | {said.total()} | {long} | {others} |"
    yield ""


def _each(spiking: Sequence[tuple[Cell, FixedReading]]) -> Iterator[str]:
    yield f"{_COLUMNS}\n"
    yield (
        "| kind | seed | onset | rise, steps | loss | slopes, usual | share | along g | batches | parabolic "
        "| fixed set says | so the trace names | own batch | `diagnose` |"
    )
    yield f"|---|---:|---:|---|---|---|---:|---|---|---:|{'---|' * 4}"
    for cell, reading in spiking:
        columns = (
            cell.kind,
            cell.seed,
            cell.onset,
            f"{reading.first} to {reading.last}",
            f"{reading.low:.2g} to {reading.high:.2g}",
            f"{reading.slope:.2f}, {reading.usual_slope:.2f}",
            "-" if reading.share is None else f"{reading.share:.2f}",
            f"{reading.usual_gradient_curvature:.2f}, {reading.gradient_curvature:.2f}",
            f"{reading.usual_batch_sharpness:.2f}, {reading.batch_sharpness:.2f}",
            f"{100 * reading.parabolic:.0f} %",
            reading.says,
            _named(cell, reading) or "-",
            cell.trace_names,
            cell.named,
        )
        yield f"| {' | '.join(map(str, columns))} |"
