"""The curvature along the gradient indicates rising steps better than the largest eigenvalue with any threshold.

To second order a step of gradient descent changes the loss by -lr |g|^2 (1 - lr gHg/(2 gg)): it rises exactly where
the curvature along the gradient is above 2/lr. That it crosses later than lambda_max is no finding, since it is
smaller by definition. Nor is it one that lambda_max > 2/lr agrees little with a rising loss, since lambda_max exceeds
2/lr long before. So lambda_max gets its best threshold: of all its values in the run, the one that agrees most.
"""

from functools import partial

from spikecheck import SETTING_B, Anatomy, Average, Claim, Condition, Control, limits, paper_domain
from spikecheck.effects import curvature
from spikecheck.preconditions import tellable

FEWEST = 5
"""Fewest rising and fewest falling steps from which the agreement is computed."""
PREDICTS = Average(above=0.0, worth=0.05)
RATIO = "largest ratio of gHg/gg to lambda_max"
BY_THE_THRESHOLD = partial(curvature.gradient_tells_more_by_the_threshold, fewest=FEWEST)

claim = Claim(
    says="the curvature along the gradient, and not the largest eigenvalue, indicates when the loss rises",
    where="arXiv 2506.04805 (stated for Adam; here for gradient descent)",
    rules="gd",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=partial(tellable, fewest=FEWEST),
    measure=partial(curvature.gradient_tells_more, fewest=FEWEST),
    unit="agreement with a rising loss, minus that of lambda_max at its best threshold",
    cutoffs=limits(PREDICTS, worth=(0.025, 0.1)),
    predicts=PREDICTS,
    also=(Condition(measure=curvature.gradient_over_largest, unit=RATIO, predicts=Average(at_most=1.001)),),
    companions={"difference of agreement, both with the threshold 2/lr": BY_THE_THRESHOLD},
    positive=Control(says="a curvature above 2/lr at exactly the rising steps", plant=curvature.telling),
    reading="One quantity indicates rises better than the other: the average difference over runs decides.",
    cannot_tell="Both curvatures are computed at the step itself, so nothing is predicted ahead of time. "
    "Steps within a few per cent of the threshold count like any other.",
    control=Control(
        says="another seed's curvature along its gradient, with the two onsets aligned",
        measure=partial(curvature.strangers_gradient_tells_more, fewest=FEWEST),
    ),
)
