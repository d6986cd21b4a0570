"""Diagnoses a log: where its loss spikes are, how high, what moved first, whether they recur, and what is not known."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from spikecheck.core.errors import UsageError
from spikecheck.watch.columns import Columns, ReadColumns
from spikecheck.watch.detector import NoisySpike, detect
from spikecheck.watch.step_numbers import is_epoch, numbered_rows
from spikecheck.watch.step_numbers import rows as counted
from spikecheck.watch.thresholds import LASTING, WINDOW

FEWEST = WINDOW + min(LASTING)
"""Losses that the detector needs before it can report a spike."""
_LEAD = 50
"""Rows before a spike that are searched for excursions of other columns. By chance a column has one there in 0.5 % of
the cases."""
_AFTER_KINK = 20
"""Rows after a kink of the schedule that still count as being at the kink."""
_SHARP = 20.0
"""A kink: the slope changes this many times more than its median change."""
_FEW = 4
"""Least number of spikes for a period."""
_CHANCE = 0.01
"""Significance level of the Rayleigh test of onsets within the epoch."""


_NO_RATE = "No learning rate is logged (a column lr): whether a spike sits on a kink of the schedule is not known."
_NO_GRADIENT = "No gradient norm is logged (a column grad_norm): whether gradients grew before the loss is not known."
_NO_CAUSE = (
    "What moves first need not be the cause. Whether a batch was bad or the step too large for the curvature is told by "
    "the overshoot, which needs the training itself: spikecheck.Watch."
)


@dataclass(frozen=True)
class Moved:
    """An excursion of another column near the loss spike."""

    column: str
    onset: int
    before: int
    """Steps by which it precedes the loss spike's onset; negative if it follows."""
    height: float
    """Height in spreads of that column; infinite over a level without noise."""


@dataclass(frozen=True)
class DiagnosedSpike:
    """One spike, and what the log contains around it."""

    spike: NoisySpike
    moved: tuple[Moved, ...]
    """Sorted by onset."""
    kink: int | None
    """Step of the learning-rate kink right before the spike; None if there is none."""
    lr: float | None


@dataclass(frozen=True)
class Diagnosis:
    """The result of reading a log."""

    rows: int
    first: int
    last: int
    interval: float
    """Median number of steps between rows."""
    spikes: tuple[DiagnosedSpike, ...]
    recurring: str | None
    """How the spikes recur, in words; None if they do not."""
    columns: tuple[str, ...]
    missing: tuple[str, ...]
    """What cannot be known from this log, one sentence each."""
    losses: tuple[tuple[int, float], ...]


_SHOWN = 30
"""Letters of a cell that are quoted."""
_SILENT = 10
"""Last rows without a loss from which on that is told; the row of an evaluation has none either."""


@np.errstate(over="ignore", invalid="ignore")  # losses near the largest float: a difference of theirs is infinite
def diagnose(columns: Columns, loss: str, step: str | None) -> Diagnosis:
    """Find and describe the spikes of a log.

    Args:
        columns: the log's columns.
        loss: name of the loss column.
        step: name of the step column; None numbers the rows. Where the log goes back to an earlier step, as when a training
            is resumed or begun again, the later rows count. Steps that begin again in every epoch are counted on.

    Raises:
        UsageError: no loss is finite, or the step column has fractions.
    """
    given = columns[loss]
    if not np.isfinite(given).any():
        raise UsageError(f"--loss {loss}: none of its {len(given):,} values is a finite number; name another column")
    rows = numbered_rows(columns, loss, step)
    there, numbers = rows.counts, rows.numbers
    order = np.argsort(numbers[there], kind="stable")
    steps, losses = numbers[there][order].astype(int), given[there][order]
    others = {name: column[there][order] for name, column in columns.items() if name not in (loss, step)}
    kinks = {name: _kinks(column) for name, column in others.items() if _is_rate(name)}
    moves = {
        name: _excursions(steps, column) for name, column in others.items() if not _is_rate(name) and not is_epoch(name)
    }
    spikes = detect(steps.tolist(), losses.tolist())
    described = tuple(_diagnosed(spike, steps, moves, kinks, others) for spike in spikes)
    return Diagnosis(
        rows=len(steps),
        first=int(steps[0]) if len(steps) else 0,
        last=int(steps[-1]) if len(steps) else 0,
        interval=float(np.median(np.diff(steps))) if len(steps) > 1 else 1.0,
        spikes=described,
        recurring=_recurring(spikes, steps, others),
        columns=tuple(others),
        missing=(
            *(columns.remarks if isinstance(columns, ReadColumns) else ()),
            *rows.remarks,
            *(_unreadable(columns, [name for name in (rows.step, loss) if name]) or _without_loss(given, numbers)),
            *_missing(steps, others),
        ),
        losses=tuple(zip(steps.tolist(), losses.tolist(), strict=True)),
    )


def _unreadable(columns: Columns, names: Sequence[str]) -> list[str]:
    """What is said of rows whose step or loss is a text."""
    texts = {name: columns.texts.get(name, []) for name in names} if isinstance(columns, ReadColumns) else {}
    return [
        f"{counted(len(cells))} left out: {name} is no number, such as {cells[0][:_SHOWN]!r}."
        for name, cells in texts.items()
        if cells
    ]


def _without_loss(losses: np.ndarray, steps: np.ndarray) -> list[str]:
    """What is said where a log goes on without losses: some write those of a diverged training so."""
    there = np.flatnonzero(~np.isnan(losses))
    late = int(np.isfinite(steps[there[-1] + 1 :]).sum()) if len(there) else 0
    if late < _SILENT:
        return []
    return [f"The last {late:,} rows have no loss, which some programs write for a loss that is not finite."]


def _is_rate(name: str) -> bool:
    last = name.lower().split("/")[-1]
    return last in ("lr", "learning_rate", "learning rate") or last.startswith(("lr-", "lr_"))


def _is_gradient(name: str) -> bool:
    return "grad" in name.lower()


def _excursions(steps: np.ndarray, column: np.ndarray) -> tuple[NoisySpike, ...]:
    there = np.isfinite(column)
    return detect(steps[there].tolist(), column[there].tolist())


def _kinks(rate: np.ndarray) -> list[int]:
    """Rows at which a schedule's slope changes abruptly: the end of a warm-up, a drop, a restart."""
    if len(rate) < 3 or not np.isfinite(rate).all():
        return []
    turn = np.abs(np.diff(rate, n=2))
    sharp = max(_SHARP * float(np.median(turn)), 1e-6 * float(np.abs(rate).max()))
    return (np.flatnonzero(turn > sharp) + 1).tolist()


def _diagnosed(
    spike: NoisySpike,
    steps: np.ndarray,
    moves: Mapping[str, Sequence[NoisySpike]],
    kinks: Mapping[str, Sequence[int]],
    others: Columns,
) -> DiagnosedSpike:
    row = int(np.searchsorted(steps, spike.onset))
    since = int(steps[max(0, row - _LEAD)])
    near = [
        Moved(name, one.onset, spike.onset - one.onset, one.height)
        for name, excursions in moves.items()
        for one in excursions
        if since <= one.onset <= spike.peak
    ]
    at_kink = [kink for rows in kinks.values() for kink in rows if kink <= row <= kink + _AFTER_KINK]
    rate = next((float(others[name][row]) for name in kinks if math.isfinite(others[name][row])), None)
    return DiagnosedSpike(
        spike,
        tuple(sorted(near, key=lambda moved: (moved.onset, moved.column))),
        int(steps[max(at_kink)]) if at_kink else None,
        rate,
    )


def _recurring(spikes: Sequence[NoisySpike], steps: np.ndarray, others: Columns) -> str | None:
    onsets = np.array([spike.onset for spike in spikes], dtype=float)
    if len(onsets) < _FEW:
        return None
    epoch = next((column for name, column in others.items() if is_epoch(name)), None)
    if epoch is not None and np.isfinite(epoch).all() and epoch.max() > epoch.min():
        return _by_epoch(onsets, (steps[-1] - steps[0]) / (epoch.max() - epoch.min()))
    distances = np.diff(onsets)
    period = float(median(distances))
    regular = int(np.sum(np.abs(distances - period) <= 0.05 * period))
    if regular < 0.75 * len(distances):
        return None
    return f"{regular} of {len(distances)} distances between spikes are {period:,.0f} steps (up to 5 %)"


def _by_epoch(onsets: np.ndarray, length: float) -> str | None:
    """Rayleigh test of the onsets as angles within the epoch.

    The p-value is Zar's approximation (Biostatistical Analysis, 1999, 27.1), which is accurate from four onsets on.
    """
    angles = np.exp(2j * np.pi * (onsets % length) / length)
    number, together = len(onsets), abs(angles.sum())
    chance = math.exp(math.sqrt(1 + 4 * number + 4 * (number**2 - together**2)) - (1 + 2 * number))
    if chance > _CHANCE:
        return None
    place = float(np.angle(angles.mean()) / (2 * np.pi)) % 1.0
    where = f"the same place of the epoch of {length:,.0f} steps, {100 * place:.0f} % into it"
    return f"the spikes come at {where} (by chance: p = {chance:.1g})"


def _missing(steps: np.ndarray, others: Columns) -> list[str]:
    interval = float(np.median(np.diff(steps))) if len(steps) > 1 else 1.0
    few = [name for name, column in others.items() if 0 < np.isfinite(column).sum() < FEWEST and not is_epoch(name)]
    sentences = {
        f"The detector needs {FEWEST} losses; this log has {len(steps)}: a spike could not be told from noise.": len(
            steps
        )
        < FEWEST,
        f"A row every {interval:,.0f} steps: a shorter spike is not seen, and what moved first is known no better.": interval
        > 1.0,
        f"Too few values to tell a rise from noise ({FEWEST} are needed): {', '.join(few)}.": bool(few)
        and len(steps) >= FEWEST,
        _NO_RATE: not any(_is_rate(name) for name in others),
        _NO_GRADIENT: not any(_is_gradient(name) for name in others),
        _NO_CAUSE: True,
    }
    return [sentence for sentence, applies in sentences.items() if applies]
