"""Under Adam it is the preconditioned sharpness that hovers at the threshold, (2 + 2 beta1)/((1 - beta1) lr): 38/lr."""

from functools import partial

from spikecheck import SETTING_A, Claim, Control, Domain, Ladder, Prediction, SharpnessTrace, Variant, described, limits
from spikecheck.effects.sharpness import hovering_at, late_over_adams, late_over_two
from spikecheck.preconditions import trained

PREDICTS = Prediction(at_least=0.9, at_most=1.1, of_seeds=0.8, level=0.95)

claim = Claim(
    says="under Adam the preconditioned sharpness hovers at 38/lr (beta1 = 0.9)",
    where="Cohen et al., arXiv 2207.14484, abstract",
    kind="tendency",
    domain=Domain(
        SETTING_A.but(optimizer="adam", lr=0.02, steps=6_000),
        width=Ladder(20, 50, 100),
        lr=Ladder(0.02, 0.01, 0.005),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "xtanh", "gelu", "relu"),
        target=Ladder("sin x", "sin x + sin 2x"),
    ),
    probe=SharpnessTrace(),
    detects_spikes=False,
    applies=trained,
    measure=late_over_adams,
    unit="median late preconditioned sharpness over its threshold",
    cutoffs={
        **limits(PREDICTS, at_least=(0.8, 0.95), at_most=(1.05, 1.2)),
        "late part half: the last quarter": partial(late_over_adams, part=0.25),
        "late part twice: the whole run": partial(late_over_adams, part=1.0),
        "loss left at the end half: a quarter": Variant(applies=partial(trained, left=0.25)),
        "loss left at the end twice: all of it": Variant(applies=partial(trained, left=1.0)),
    },
    predicts=PREDICTS,
    positive=Control(
        says="a preconditioned sharpness at its threshold, with noise",
        plant=described(
            "The preconditioned sharpness lies at its threshold, with noise of 5 %.", hovering_at, level=1.0, noise=0.05
        ),
    ),
    reading="The source says this of Adam in general, so a share of runs decides; hovering means within 10 %.",
    cannot_tell="The threshold is derived for a constant preconditioner, and Adam's changes. "
    "A median does not show what happens at single steps.",
    control=Control(
        says="the same sharpness over 2/lr, the threshold of a rule without momentum",
        measure=described("The same median over 2/lr, the threshold of a rule without momentum.", late_over_two),
    ),
)
