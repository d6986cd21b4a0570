"""Under Adam it is the preconditioned sharpness that hovers at the threshold, (2 + 2 beta1)/((1 - beta1) lr): 38/lr."""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_A,
    Claim,
    Control,
    Domain,
    Ladder,
    Prediction,
    SharpnessTrace,
    Trial,
    Variant,
    limits,
    with_record,
)

REFERENCE = SETTING_A.but(optimizer="adam", lr=0.02, steps=6_000)


def trained(trial: Trial, left: float = 0.5) -> bool:
    """The loss ends below half of what it began with."""
    return bool(trial.trunk.loss[-1] < left * trial.trunk.loss[0])


def _late(trial: Trial, part: float = 0.5) -> float:
    run = trial["run"]
    record = run.records["sharpness"]
    late = record["steps"] >= (1 - part) * run.setting.steps
    return float(np.median(record["sharpness"][late, 0])) * run.setting.lr


def own_threshold(trial: Trial, part: float = 0.5) -> float:
    """Median over the second half of the run of the preconditioned sharpness over (2 + 2 beta1)/((1 - beta1) lr)."""
    beta = trial.setting.beta1 or 0.0
    return _late(trial, part) / (2 * (1 + beta) / (1 - beta))


def plain_threshold(trial: Trial) -> float:
    """The same over 2/lr, the threshold of a rule without momentum."""
    return _late(trial) / 2


PREDICTS = Prediction(at_least=0.9, at_most=1.1, of_seeds=0.8, level=0.95)


def at_its_threshold(trial: Trial) -> Trial:
    """The preconditioned sharpness lies at its threshold, with noise of 5 %."""
    record = trial["run"].records["sharpness"]
    noise = np.random.default_rng(trial.seed).normal(scale=0.05, size=record["sharpness"].shape)
    return with_record(trial, "run", "sharpness", sharpness=trial.threshold * (1.0 + noise))


claim = Claim(
    says="under Adam the preconditioned sharpness hovers at 38/lr (beta1 = 0.9)",
    where="Cohen et al., arXiv 2207.14484, abstract",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        width=Ladder(20, 50, 100),
        lr=Ladder(0.02, 0.01, 0.005),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "xtanh", "gelu", "relu"),
        target=Ladder("sin x", "sin x + sin 2x"),
    ),
    probe=SharpnessTrace(),
    detects_spikes=False,
    applies=trained,
    measure=own_threshold,
    unit="median late preconditioned sharpness over its threshold",
    cutoffs={
        **limits(PREDICTS, at_least=(0.8, 0.95), at_most=(1.05, 1.2)),
        "late part half: the last quarter": partial(own_threshold, part=0.25),
        "late part twice: the whole run": partial(own_threshold, part=1.0),
        "loss left at the end half: a quarter": Variant(applies=partial(trained, left=0.25)),
        "loss left at the end twice: all of it": Variant(applies=partial(trained, left=1.0)),
    },
    predicts=PREDICTS,
    positive=Control(says="a preconditioned sharpness at its threshold, with noise", plant=at_its_threshold),
    reading="Said of training with Adam in general, so a share of runs; hovering is read as within 10 %.",
    cannot_tell="The threshold is that of a preconditioner that stands still, and Adam's moves. "
    "A median does not show what happens at single steps.",
    control=Control(says="2/lr, the threshold of a rule without momentum", measure=plain_threshold),
)
