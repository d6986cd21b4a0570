"""The ascent of a spike is exponential, at the rate that the sharpness gives."""

from functools import partial

from spikecheck import (
    SETTING_B,
    Anatomy,
    Claim,
    Condition,
    Control,
    Prediction,
    Variant,
    described,
    limits,
    paper_domain,
)
from spikecheck.effects.ascent import at_the_predicted_rate, log_rate_error, straightness
from spikecheck.preconditions import ascent_lasts

SHORTEST = 20
"""Steps an ascent must last for its rate to be estimated."""
PREDICTS = Prediction(at_most=0.05, of_seeds=0.8, level=0.95)

claim = Claim(
    says="once lr x lambda_max > 2 the loss ascends exponentially, at the rate |1 - lr lambda_max| per step",
    where="arXiv 2305.12133v1, abstract and section on the ascent stage",
    rules="gd",
    kind="law",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=partial(ascent_lasts, shortest=SHORTEST),
    measure=log_rate_error,
    unit="median error of the log rate",
    cutoffs={
        **limits(PREDICTS, at_most=(0.025, 0.1)),
        "shortest ascent half: 10 steps": Variant(applies=partial(ascent_lasts, shortest=SHORTEST // 2)),
        "shortest ascent twice: 40 steps": Variant(applies=partial(ascent_lasts, shortest=2 * SHORTEST)),
    },
    predicts=PREDICTS,
    also=(Condition(measure=straightness, unit="R^2", predicts=Prediction(at_least=0.95)),),
    positive=Control(says="a motion that grows at the predicted rate, with noise of 2 %", plant=at_the_predicted_rate),
    quotes="loss exponentially increases once it is too sharp, i.e., the rapid ascent of the loss spike",
    reading="Theory gives the rate of the exponential for every run: this is a law, so a share of seeds decides.",
    cannot_tell="The motion is measured by an eighth difference in time, which was chosen after seeing data. "
    "The Hessian of a ReLU network does not include the kinks that a step crosses.",
    control=Control(
        says="the rate predicted from the second eigenvalue",
        measure=described(
            "The same error when the rate is predicted from the second eigenvalue.", log_rate_error, pair=1
        ),
    ),
)
