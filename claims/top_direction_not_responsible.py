"""The deviation along the first eigendirection is not responsible for a bad generaliser's test loss.

To first order a move along v_1 changes the outputs along J v_1. The share of the test residual's energy along J v_1
is therefore the most that any exchange of the v_1 component could take away, and one exchange is made: the bad net is
moved along its v_1 to where the good net of the same seed stands.
"""

from functools import partial

import numpy as np

from spikecheck import (
    Average,
    Claim,
    Condition,
    Control,
    Directions,
    Domain,
    Exchange,
    Ladder,
    Setting,
    Trial,
    Variant,
    limits,
    with_record,
)
from spikecheck.core.run import Array

REFERENCE = Setting(
    target="sin x + sin 2x",
    points=16,
    interval=1.0,
    width=60,
    input_std=0.5,
    output_std=0.1,
    lr=0.03,
    steps=30_000,
)
"""The pairs of `sharpness-not-generalisation`, seed by seed: the two claims are about the same nets, which train once."""
GOOD = (("input_std", 0.5), ("output_std", 0.1))
"""What makes it a good generaliser."""
FITTED = 1e-3
DRAWS = 64
PREDICTS = Average(at_most=0.05)


def bad(setting: Setting) -> Setting:
    """The bad generaliser: from large weights."""
    return setting.but(input_std=6.0, output_std=1.0)


def fits(trial: Trial, fitted: float = FITTED) -> bool:
    """Both nets end with a training loss below 0.001, and the bad one with the larger test loss."""
    trained = max(float(trial[arm].loss[-1]) for arm in ("run", "good")) < fitted
    return trained and _test_loss(trial, "run") > _test_loss(trial, "good")


def given_its_place(setting: Setting) -> Setting:
    """The bad generaliser, moved along its first eigendirection to where the good one stands."""
    return bad(setting).but(intervention=Exchange(other=GOOD))


def good(setting: Setting) -> Setting:
    """The good generaliser: from small weights."""
    return setting


def _test_loss(trial: Trial, arm: str) -> float:
    return float(np.square(trial[arm].records["directions"]["outputs"] - trial.problem().y_test).mean())


def closed(trial: Trial) -> float:
    """Share of the gap between the nets' test losses that the exchange of the v_1 component closes, at most 1."""
    bad, moved, well = (_test_loss(trial, arm) for arm in ("run", "exchanged", "good"))
    return (bad - moved) / (bad - well)


def _share(trial: Trial, along: Array) -> float:
    residual = (trial["run"].records["directions"]["outputs"] - trial.problem().y_test).ravel()
    direction = along.ravel()
    return float((residual @ direction) ** 2 / ((residual @ residual) * (direction @ direction)))


def first(trial: Trial) -> float:
    """Share of the test residual's energy along J v_1, in [0, 1]."""
    return _share(trial, trial["run"].records["directions"]["deviation"][0])


def chance(trial: Trial) -> float:
    """The mean share along random functions no faster than sin 2x: 64 random sums of the slowest cosine modes."""
    count = len(trial["run"].records["directions"]["outputs"])
    grid, modes = (np.arange(count) + 0.5) / count, round(4 * trial.setting.interval) + 1
    waves = np.cos(np.pi * np.arange(modes)[:, None] * grid)
    sums = np.random.default_rng(trial.seed).normal(size=(DRAWS, modes)) @ waves
    return float(np.mean([_share(trial, function) for function in sums]))


def excess(trial: Trial) -> float:
    """Share of the test residual's energy along J v_1, less its mean along random functions of low frequency, in [-1, 1]."""
    return first(trial) - chance(trial)


def own(trial: Trial) -> float:
    """The same for J J'r, the direction that the residual itself spans, in place of J v_1."""
    return _share(trial, trial["run"].records["directions"]["own"]) - chance(trial)


def elsewhere(trial: Trial) -> Trial:
    """The test residual is noise of all frequencies, and the exchange leaves it as it is."""
    record, wanted = trial["run"].records["directions"], trial.problem().y_test
    size = np.sqrt(np.square(record["outputs"] - wanted).mean())
    outputs = wanted + np.random.default_rng(trial.seed).normal(scale=size, size=wanted.shape)
    planted = with_record(trial, "run", "directions", outputs=outputs)
    return with_record(planted, "exchanged", "directions", outputs=outputs)


def there(trial: Trial) -> Trial:
    """The test residual lies along J v_1, with noise of a tenth of its size."""
    record, wanted = trial["run"].records["directions"], trial.problem().y_test
    along = record["deviation"][0].reshape(wanted.shape)
    size = np.sqrt(np.square(record["outputs"] - wanted).mean())
    noise = np.random.default_rng(trial.seed).normal(scale=0.1 * size, size=wanted.shape)
    outputs = wanted + size * along / np.sqrt(np.square(along).mean()) + noise
    return with_record(trial, "run", "directions", outputs=outputs)


def gap_closed(trial: Trial) -> Trial:
    """The exchange leaves the bad net with the good one's outputs."""
    outputs = trial["good"].records["directions"]["outputs"]
    return with_record(trial, "exchanged", "directions", outputs=outputs)


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
    arms={"run": bad, "good": good, "exchanged": given_its_place},
    probe=Directions(at="end", pairs=1),
    detects_spikes=False,
    applies=fits,
    measure=excess,
    unit="share of the test residual along J v_1 beyond chance",
    cutoffs={
        **limits(PREDICTS, at_most=(0.025, 0.1)),
        "training loss half: 0.0005": Variant(applies=partial(fits, fitted=FITTED / 2)),
        "training loss twice: 0.002": Variant(applies=partial(fits, fitted=2 * FITTED)),
    },
    companions={"share of the test residual along J v_1": first},
    predicts=PREDICTS,
    also=(Condition(measure=closed, unit="share of the gap that an exchange closes", predicts=PREDICTS),),
    positive=Control(says="a test residual that is noise, which the exchange leaves as it is", plant=elsewhere),
    quotes="deviation in its corresponding eigen direction is not responsible for the generalization difference",
    reading="Not responsible: on average at most a twentieth, beyond what any direction of low frequency takes.",
    cannot_tell="Shares along J v_1 are of first order, and an exchange that goes far is not. "
    "One family of nets, from small and from large weights, stands for good and bad generalisers.",
    control=Control(says="the direction that the test residual itself spans", measure=own),
    also_not=(
        Control(says="a test residual along J v_1", plant=there),
        Control(says="an exchange that closes the gap", plant=gap_closed),
    ),
)
