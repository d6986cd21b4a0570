"""With momentum the deviation along the first eigendirection starts to grow at another sharpness: the rule's own threshold.

Heavy ball: 2 (1 + beta)/lr. Nesterov: (2/lr) (1 + beta)/(1 + 2 beta).
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_A,
    Anatomy,
    Claim,
    Control,
    Domain,
    Ladder,
    Prediction,
    Trial,
    Variant,
    limits,
    with_record,
)
from spikecheck.measures import turning_point

REFERENCE = SETTING_A.but(optimizer="heavy-ball", momentum=0.5, lr=0.15)
"""At this rate heavy ball's threshold is setting A's, 20. At momentum 0.9 the first spike is nearly always an overshoot."""
NESTEROV = SETTING_A.but(optimizer="nesterov", momentum=0.5, lr=0.075)
"""The same threshold."""


GROWTH = 100.0
"""With momentum the first descent overshoots too and counts as a spike. An instability grows exponentially: it rises far."""


def _motion(trial: Trial) -> tuple[np.ndarray, int | None]:
    """The size of the motion along the first eigendirection up to the onset, and where it turns."""
    record = trial["run"].records["anatomy"]
    onset = trial["run"].spikes[0].onset - int(record["steps"][0])
    swing = record["swing"][:onset, 0]
    return np.abs(swing), turning_point(swing)


def turns(trial: Trial, growth: float = GROWTH) -> bool:
    """The motion along the first eigendirection falls, turns, and then grows at least a hundredfold up to the onset."""
    motion, turn = _motion(trial)
    return turn is not None and bool(motion[-10:].max() >= growth * np.median(motion[turn - 5 : turn + 6]))


def _sharpness_at_the_turn(trial: Trial) -> float:
    _, turn = _motion(trial)
    return float(trial["run"].records["anatomy"]["sharpness"][turn, 0]) if turn is not None else float("nan")


def own_threshold(trial: Trial) -> float:
    """Sharpness where the motion along v_1 turns from falling to growing, over the rule's own threshold."""
    lr, beta = trial.setting.lr, trial.setting.momentum or 0.0
    lookahead = 1 + 2 * beta if trial.setting.optimizer == "nesterov" else 1.0
    return _sharpness_at_the_turn(trial) / (2 / lr * (1 + beta) / lookahead)


def plain_threshold(trial: Trial) -> float:
    """The same over 2/lr, the threshold of plain gradient descent."""
    return _sharpness_at_the_turn(trial) / (2 / trial.setting.lr)


PREDICTS = Prediction(at_least=0.95, at_most=1.05, of_seeds=0.8, level=0.95)


def _own(trial: Trial) -> float:
    lr, beta = trial.setting.lr, trial.setting.momentum or 0.0
    lookahead = 1 + 2 * beta if trial.setting.optimizer == "nesterov" else 1.0
    return 2 / lr * (1 + beta) / lookahead


def turning_at_its_threshold(trial: Trial) -> Trial:
    """The sharpness rises evenly through the rule's threshold; there the motion turns from falling to growing."""
    record = trial["run"].records["anatomy"]
    onset = trial["run"].spikes[0].onset - int(record["steps"][0])
    ramp = np.linspace(-1.0, 1.0, onset)
    swing, sharpness = record["swing"].copy(), record["sharpness"].copy()
    swing[:onset, 0] = 10.0 ** (8.0 * np.abs(ramp) - 8.0)
    sharpness[:onset, 0] = _own(trial) * (1.0 + 0.2 * ramp)
    return with_record(trial, "run", "anatomy", swing=swing, sharpness=sharpness)


claim = Claim(
    says="with momentum the threshold is 2(1+beta)/lr for heavy ball and (2/lr)(1+beta)/(1+2 beta) for Nesterov",
    where="Cohen et al., arXiv 2103.00065, section 2",
    kind="law",
    domain=Domain(
        REFERENCE,
        width=Ladder(20, 50, 100),
        lr=Ladder(0.15, 0.12, 0.1),
        momentum=Ladder(0.5, 0.3, 0.7),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "xtanh", "gelu"),
        target=Ladder("sin x", "sin x + sin 2x"),
    ),
    beside={"Nesterov": NESTEROV},
    probe=Anatomy(),
    applies=turns,
    until_divergence=True,
    measure=own_threshold,
    unit="sharpness at the turn over the threshold",
    cutoffs={
        **limits(PREDICTS, at_least=(0.9, 0.975), at_most=(1.025, 1.1)),
        "growth half: fiftyfold": Variant(applies=partial(turns, growth=GROWTH / 2)),
        "growth twice: two hundredfold": Variant(applies=partial(turns, growth=2 * GROWTH)),
    },
    predicts=PREDICTS,
    positive=Control(
        says="a motion that turns where the sharpness passes the threshold", plant=turning_at_its_threshold
    ),
    reading="A formula for every run: a law, so a share of seeds; 5 % for reading the turn off a record.",
    cannot_tell="Where a motion turns is read off a smoothed record, some steps wide. "
    "Runs in which the first descent overshoots are left out, and they may differ.",
    control=Control(says="the threshold of plain gradient descent, 2/lr", measure=plain_threshold),
)
