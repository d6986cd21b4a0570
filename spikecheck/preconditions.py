"""Which trials a claim applies to: functions from a `Trial` to a bool. Other trials count neither for nor against it."""

from collections.abc import Sequence

import numpy as np

from spikecheck.effects.ascent import HIGHEST, LOWEST, SMALL, ascending, motion, sides
from spikecheck.effects.curvature import tells
from spikecheck.effects.frequency import energies
from spikecheck.effects.generalisation import flatter_is_better, heldout_loss
from spikecheck.effects.sharpening import passes, seen
from spikecheck.effects.single_batches import first_batch_sharpness
from spikecheck.harness.claim import Trial


def every_run(trial: Trial) -> bool:
    """Every run that does not diverge."""
    return True


def spikes(trial: Trial) -> bool:
    """The run spikes."""
    return trial.trunk.has_spike


def only_one_spikes(trial: Trial, *, twin: str = "calm") -> bool:
    """The run spikes, late enough to fork twins before it, and its {twin} twin never does."""
    return trial.trunk.has_spike and not trial[twin].has_spike


def recovers(trial: Trial, *, arm: str = "run") -> bool:
    """The run spikes, and recovers from its first spike."""
    return trial[arm].has_spike and trial[arm].spikes[0].recovery is not None


def trained(trial: Trial, *, left: float = 0.5) -> bool:
    """The loss ends below half of its first value.

    `left`, in (0, 1], is used in place of the half.
    """
    return bool(trial.trunk.loss[-1] < left * trial.trunk.loss[0])


def fitted(trial: Trial, *, arms: Sequence[str], below: float) -> bool:
    """The given arms end with a training loss below {below}."""
    return max(float(trial[arm].loss[-1]) for arm in arms) < below


def all_fall(trial: Trial, *, left: float = 0.99) -> bool:
    """In every arm the loss falls by one per cent at some step.

    `left`, in (0, 1), is the part of its first value that it falls below.
    """
    return all(bool((run.loss < left * run.loss[0]).any()) for run in trial.arms.values())


def fitted_after_spikes(trial: Trial, *, below: float, run: str = "spiking", twin: str = "held") -> bool:
    """The run spikes and its twin never does, and both end with a training loss below {below}."""
    return only_one_spikes(trial, twin=twin) and fitted(trial, arms=(run, twin), below=below)


def fitted_unlike(trial: Trial, *, bad: str, good: str, below: float) -> bool:
    """Both nets end with a training loss below {below}, and the bad one with the larger test loss."""
    worse, better = (heldout_loss(trial, arm=arm) for arm in (bad, good))
    return fitted(trial, arms=(bad, good), below=below) and worse > better


def fitted_labels_unlike(trial: Trial, *, bad: str = "bad", good: str = "good", below: float = 0.1) -> bool:
    """Both nets end with a training loss below a tenth of the labels' variance, and the {bad} one with the larger test loss.

    `below`, above 0, is used in place of the tenth.
    """
    variance = float(trial.problem().y.var(axis=0).mean())
    return fitted_unlike(trial, bad=bad, good=good, below=below * variance)


def fitted_apart(trial: Trial, *, arms: Sequence[str], below: float, apart: float = 10.0) -> bool:
    """All end with a training loss below {below}, and the test losses of at least two differ tenfold.

    `apart`, above 1, is used in place of ten.
    """
    told = flatter_is_better(trial, arms=arms, apart=apart)
    return fitted(trial, arms=arms, below=below) and bool(np.isfinite(told))


def driven(trial: Trial, *, left: float, below: float) -> bool:
    """The sharpness begins below {below} times 2/lr, and the loss ends below {left} times its first value.

    The trial has a `SharpnessTrace`.
    """
    first = float(trial["run"].records["sharpness"]["sharpness"][0, 0]) * trial.setting.lr / 2
    return first < below and trained(trial, left=left)


def batches_driven(trial: Trial, *, left: float, below: float) -> bool:
    """Batch sharpness begins below {below} times 2/lr, and the late losses lie below {left} times the first.

    The first and the late losses are the medians over a twentieth of the run. The trial has a `BatchSharpness`.
    """
    loss = trial.trunk.loss
    window = max(1, len(loss) // 20)
    trains = bool(np.median(loss[-window:]) < left * np.median(loss[:window]))
    return trains and first_batch_sharpness(trial) < below


def starts_between(trial: Trial, *, lowest: float, highest: float) -> bool:
    """At the setting's learning rate the first sharpness lies between {lowest}/lr and {highest}/lr.

    The trial has a `Trail`.
    """
    return lowest < float(trial["run"].records["trail"]["sharpness"][0, 0]) * trial.setting.lr < highest


def ascent_lasts(trial: Trial, *, shortest: int) -> bool:
    """The ascent from the crossing of 2/lr to the peak is recorded, and lasts at least {shortest} steps.

    The record is an `Anatomy`.
    """
    rise = ascending(trial, 2.0 / trial.setting.lr)
    return rise is not None and rise.stop - rise.start >= shortest


def room_before_the_ascent(trial: Trial, *, shortest: int) -> bool:
    """At least {shortest} steps are recorded before the sharpness crosses the stability threshold on its way to the spike.

    The record is an `Anatomy`.
    """
    rise = ascending(trial, trial.threshold)
    return rise is not None and rise.start >= shortest


def tellable(trial: Trial, *, fewest: int) -> bool:
    """The run spikes, with at least {fewest} rising and {fewest} falling steps in the record up to the peak.

    The record is an `Anatomy`.
    """
    return trial.trunk.has_spike and bool(
        np.isfinite(tells(trial, trial["run"].records["anatomy"]["sharpness"][:, 0], fewest=fewest))
    )


def turns(trial: Trial, *, growth: float) -> bool:
    """The motion along v_1 decays, and then grows {growth}-fold up to the onset; the trial has an `Anatomy`."""
    size, turn = motion(trial)
    return turn is not None and bool(size[-10:].max() >= growth * np.median(size[turn - 5 : turn + 6]))


def seen_on_both_sides(
    trial: Trial,
    *,
    band: float,
    fewest: int,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    small: float = SMALL,
) -> bool:
    """At least {fewest} steps on each side of 2/lr are recorded while the displacement is small.

    The other arguments are those of `spikecheck.effects.ascent.sides`.
    """
    counted, above = sides(trial, band=band, lowest=lowest, highest=highest, small=small)
    return min(int((counted & above).sum()), int((counted & ~above).sum())) >= fewest


def window_reaches(trial: Trial, *, behind: int) -> bool:
    """The run spikes, and its `Anatomy` reaches more than {behind} steps past the loss's peak."""
    record = trial["run"].records["anatomy"]
    return trial.trunk.has_spike and len(record["loss"]) > int(np.argmax(record["loss"])) + behind


def comes_down(trial: Trial, *, steps: int, behind: int) -> bool:
    """As `window_reaches`, and the deviation from the last function is smaller {steps} steps after the peak than at it."""
    if not window_reaches(trial, behind=behind):
        return False
    before, after = energies(trial, steps=steps)
    return bool(after.sum() < before.sum())


def seen_to_cross(trial: Trial, *, window: int, below: float) -> bool:
    """The run spikes, and at least {window} steps are recorded before its sharpness passes {below} x 2/lr.

    The record is an `Anatomy`.
    """
    if not trial.trunk.has_spike:
        return False
    passed, crossed = passes(trial, below=below)
    return passed is not None and crossed is not None and window <= passed < crossed


def still_calm(trial: Trial, *, read: float) -> bool:
    """Half-way the training has not spiked, and its sharpness is below 2/lr.

    Half-way is after the part `read`, in (0, 1), of the training. It has a `SharpnessTrace`.
    """
    steps, sharpness = seen(trial, read=read)
    calm = not trial.trunk.has_spike or trial.trunk.spikes[0].onset > read * trial.setting.steps
    return calm and len(steps) > 0 and bool(sharpness[-1] < trial.threshold)
