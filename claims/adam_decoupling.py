"""Adam spikes even where the curvature never changes: its second moment decays while nothing feeds it.

The model is linear and the loss quadratic, so the Hessian is one matrix for the whole run. The target, 100 sin 0.01x,
is a straight line to within 0.02 %. The first half of the run is left out: Adam's momentum overshoots there as it
arrives.
"""

from functools import partial

import numpy as np

from spikecheck import (
    Claim,
    Condition,
    Control,
    Domain,
    Ladder,
    Prediction,
    Setting,
    SpikeDefinition,
    Trail,
    Trial,
    Variant,
    limits,
    with_loss,
    with_record,
)

REFERENCE = Setting(
    model="linear", target="100 sin 0.01x", points=20, interval=1.0, optimizer="adam", lr=0.01, steps=30_000
)
"""Long enough for the root of the second moment to decay a millionfold at beta2 = 0.999."""


def plain(setting: Setting) -> Setting:
    """Gradient descent at the same learning rate, whose threshold does not move."""
    return setting.but(optimizer="gd")


def always(trial: Trial) -> bool:
    """Every run that does not diverge."""
    return True


def _late(trial: Trial, part: float) -> int:
    return round((1 - part) * len(trial["run"].loss))


def _peak(trial: Trial, part: float) -> int:
    late = _late(trial, part)
    return late + int(np.argmax(trial["run"].loss[late:]))


def height(trial: Trial, part: float = 0.5) -> float:
    """log10 of the largest loss in the second half of the run over the median loss there."""
    loss = trial["run"].loss
    return float(np.log10(loss[_peak(trial, part)] / np.median(loss[_late(trial, part) :])))


def fall(trial: Trial, part: float = 0.5, within: int = 1_000) -> float:
    """Log of the median preconditioned curvature along the gradient in the 1,000 steps before the peak over that behind it."""
    record = trial["run"].records["trail"]
    behind = _peak(trial, part) - record["steps"]
    before, after = (record["gradient_curvature"][(side >= 0) & (side <= within)] for side in (behind, -1 - behind))
    return float(np.log(np.median(before) / np.median(after))) if len(before) and len(after) else float("nan")


def before_the_peak(trial: Trial, part: float = 0.5, within: int = 1_000) -> float:
    """Largest preconditioned curvature along the gradient over its threshold, in the 1,000 steps before the peak."""
    record = trial["run"].records["trail"]
    beta = trial["run"].setting.beta1 or 0.0
    behind = _peak(trial, part) - record["steps"]
    near = (behind >= 0) & (behind <= within)
    curvature = record["gradient_curvature"][near].max()
    return float(curvature * trial["run"].setting.lr * (1 - beta) / (2 * (1 + beta)))


def preceded(part: float = 0.5, within: int = 1_000) -> tuple[Condition, Condition]:
    """The curvature along the gradient was above its threshold before the peak, and fell: a spike feeds the second moment."""
    above, falls = (partial(measure, part=part, within=within) for measure in (before_the_peak, fall))
    return (
        Condition(measure=above, unit="gradient curvature over its threshold", predicts=Prediction(above=1.0)),
        Condition(measure=falls, unit="log fall of the gradient curvature", predicts=Prediction(above=0.0)),
    )


PREDICTS = Prediction(at_least=1.0, of_seeds=0.8, level=0.95)


def with_a_late_spike(trial: Trial) -> Trial:
    """Twenty times the largest late loss, with twice the threshold along the gradient before it and half of it behind."""
    run = trial["run"]
    loss, peak = run.loss.copy(), round(0.8 * len(run.loss))
    loss[peak] = 20.0 * loss[_late(trial, 0.5) :].max()
    record, beta = run.records["trail"], run.setting.beta1 or 0.0
    threshold, behind = 2 * (1 + beta) / ((1 - beta) * run.setting.lr), record["steps"] - peak
    near = np.where(behind <= 0, 2 * threshold, threshold / 2)
    curvature = np.where(np.abs(behind) <= 1_000, near, record["gradient_curvature"])
    spiked = with_loss(trial, "run", loss, SpikeDefinition())
    return with_record(spiked, "run", "trail", gradient_curvature=curvature)


def half_a_turn_late(trial: Trial) -> Trial:
    """The losses of the second half of the run handed on by half of its length, the last ones first."""
    loss = trial["run"].loss.copy()
    late = _late(trial, 0.5)
    loss[late:] = np.roll(loss[late:], (len(loss) - late) // 2)
    return with_loss(trial, "run", loss, SpikeDefinition())


claim = Claim(
    says="Adam spikes at constant curvature, after the preconditioned curvature along the gradient has exceeded 38/lr",
    where="arXiv 2506.04805, abstract",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        lr=Ladder(0.01, 0.02, 0.005),
        beta2=Ladder(0.999, 0.99),
        points=Ladder(20, 40),
        interval=Ladder(1.0, 2.0),
    ),
    costly=True,
    probe=Trail(),
    detects_spikes=False,
    applies=always,
    measure=height,
    unit="log10 of late peak over late median",
    predicts=PREDICTS,
    cutoffs={
        **limits(PREDICTS, at_least=(0.5, 2.0)),
        "late part half: the last quarter": Variant(measure=partial(height, part=0.25), also=preceded(part=0.25)),
        "late part twice: the whole run": Variant(measure=partial(height, part=1.0), also=preceded(part=1.0)),
        "steps before the peak half: 500": Variant(also=preceded(within=500)),
        "steps before the peak twice: 2,000": Variant(also=preceded(within=2_000)),
    },
    also=preceded(),
    positive=Control(says="a late spike with the curvature before it, put into the record", plant=with_a_late_spike),
    reading="Said of Adam in general, so a share of runs; a spike is read as a tenfold peak.",
    cannot_tell="A crossing before the peak and a fall behind it do not show that the one causes the other. "
    "The linear model has one curvature by construction, so nothing is said of networks.",
    control=Control(says="gradient descent at the same learning rate", arms={"run": plain}),
    also_not=(Control(says="the same peaks at other times of the same run", plant=half_a_turn_late),),
)
