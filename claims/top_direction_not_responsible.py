"""The deviation along the first eigendirection is not responsible for a bad generaliser's test loss.

To first order a move along v_1 changes the outputs along J v_1. The share of the test residual's energy along J v_1 is
therefore the most that any exchange of the v_1 component could take away.
"""

from spikecheck import Claim, Control, Directions, Domain, Ladder, Prediction, Setting, Trial
from spikecheck.core.run import Array

REFERENCE = Setting(
    target="sin x + sin 2x",
    points=16,
    interval=1.0,
    width=60,
    input_std=6.0,
    output_std=1.0,
    lr=0.03,
    steps=30_000,
)
FITTED = 1e-3


def itself(setting: Setting) -> Setting:
    """The bad generaliser: from large weights."""
    return setting


def fits(trial: Trial) -> bool:
    """It ends with a training loss below 0.001."""
    return float(trial["run"].loss[-1]) < FITTED


def _share(trial: Trial, along: Array) -> float:
    residual = (trial["run"].records["directions"]["outputs"] - trial.problem().y_test).ravel()
    direction = along.ravel()
    return float((residual @ direction) ** 2 / ((residual @ residual) * (direction @ direction)))


def first(trial: Trial) -> float:
    """Share of the test residual's energy along J v_1, in [0, 1]."""
    return _share(trial, trial["run"].records["directions"]["deviation"][0])


def own(trial: Trial) -> float:
    """The same along J J'r, the direction that the residual itself spans."""
    return _share(trial, trial["run"].records["directions"]["own"])


claim = Claim(
    says="the deviation in the first eigendirection is not responsible for the difference in generalisation",
    where="arXiv 2305.12133v1, section on generalisation",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        width=Ladder(60, 40, 100),
        lr=Ladder(0.03, 0.02),
        activation=Ladder("tanh", "gelu"),
        target=Ladder("sin x + sin 2x", "sin x", "sin x + sin 3x"),
    ),
    arms={"run": itself},
    probe=Directions(at="end", pairs=1),
    detects_spikes=False,
    applies=fits,
    measure=first,
    unit="share of the test residual along J v_1",
    predicts=Prediction(at_most=0.05, of_seeds=0.8, level=0.95),
    control=Control(says="the direction that the test residual itself spans", measure=own),
)
