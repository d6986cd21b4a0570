"""The curvature along the gradient tells at which steps the loss rises, better than the largest eigenvalue by any cut.

To second order a step of gradient descent changes the loss by -lr |g|^2 (1 - lr gHg/(2 gg)): it rises exactly where
the curvature along the gradient is above 2/lr. That it crosses later than lambda_max is no finding, since it is
smaller by definition. Nor would it be one that lambda_max tells little by the cut 2/lr, since it lies above 2/lr long
before. So lambda_max gets its best cut: of all its values in the run, the one by which it tells most.
"""

from functools import partial

from spikecheck import SETTING_B, Anatomy, Average, Claim, Condition, Control, limits, paper_domain
from spikecheck.effects import curvature
from spikecheck.preconditions import tellable

FEWEST = 5
"""Rising and falling steps that each share must rest on."""
PREDICTS = Average(above=0.0, worth=0.05)
RATIO = "largest ratio of gHg/gg to lambda_max"
BY_THE_THRESHOLD = partial(curvature.gradient_tells_more_by_the_threshold, fewest=FEWEST)

claim = Claim(
    says="the curvature along the gradient, and not the largest eigenvalue, tells when the loss rises",
    where="arXiv 2506.04805 (stated for Adam; here for gradient descent)",
    rules="gd",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=partial(tellable, fewest=FEWEST),
    measure=partial(curvature.gradient_tells_more, fewest=FEWEST),
    unit="excess of agreement with a rising loss over the best cut",
    cutoffs=limits(PREDICTS, worth=(0.025, 0.1)),
    predicts=PREDICTS,
    also=(Condition(measure=curvature.gradient_over_largest, unit=RATIO, predicts=Average(at_most=1.001)),),
    companions={"difference of agreement, both by 2/lr": BY_THE_THRESHOLD},
    positive=Control(says="a curvature that tells every step", plant=curvature.telling),
    reading="One quantity tells more than the other: an average difference over runs.",
    cannot_tell="Both curvatures are known only where they are computed, so nothing is predicted ahead of time. "
    "Steps within a few per cent of the threshold count like any other.",
    control=Control(
        says="another seed's curvature along its gradient, onset upon onset",
        measure=partial(curvature.strangers_gradient_tells_more, fewest=FEWEST),
    ),
)
