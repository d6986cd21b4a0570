"""How much of what a spiking run gains in alignment the ceiling on its sharpness carries.

Three runs go on from the same weights over the same lr x steps: the spiking one; a calm twin at a quarter of the
rate, without spikes and without a ceiling that it meets; and a held twin, with the spiking run's rate and ceiling and
no oscillation. The total effect, spiking less calm, is the ceiling's, held less calm, and the direct one, spiking
less held. More than a half of the total is the ceiling's where (held - calm) - (spiking - calm)/2 is above 0.
"""

from spikecheck import (
    SETTING_A,
    Average,
    Claim,
    Condition,
    Continue,
    Control,
    Hold,
    Inject,
    LowerRate,
    Setting,
    Trial,
    aligned,
    condensing_domain,
    limits,
    with_weights,
)
from spikecheck.measures import alignment

HORIZON = 3_000
PREDICTS = Average(above=0.0, worth=0.01)
"""Half of what `condensation` calls too little, since half of the total is taken off."""
TOTAL = Average(above=0.0, worth=0.02)


def spiking(setting: Setting) -> Setting:
    """Goes on through the spike."""
    return setting.but(intervention=Continue(horizon=HORIZON))


def calm(setting: Setting) -> Setting:
    """The calm twin: a quarter of the learning rate, four times as many steps."""
    return setting.but(intervention=LowerRate(factor=0.25, horizon=HORIZON))


def held(setting: Setting) -> Setting:
    """Goes on at the same learning rate and ceiling, without motion across the valley."""
    return setting.but(intervention=Hold(horizon=HORIZON))


def injected(setting: Setting) -> Setting:
    """A spike without a ceiling: displaced along v_1 to ten times the loss, then on at a quarter of the rate."""
    return setting.but(intervention=Inject(rank=1, rise=10.0, horizon=HORIZON, factor=0.25))


def only_one_spikes(trial: Trial) -> bool:
    """The run spikes, late enough for twins to part before, and its calm twin never does."""
    return trial.trunk.has_spike and not trial["calm"].has_spike


def _aligned(trial: Trial, arm: str) -> float:
    return alignment(trial[arm].snapshots["end"].input_weights)


def total(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: spiking less calm."""
    return _aligned(trial, "spiking") - _aligned(trial, "calm")


def of_the_ceiling(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: held less calm."""
    return _aligned(trial, "held") - _aligned(trial, "calm")


def direct(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: spiking less held."""
    return _aligned(trial, "spiking") - _aligned(trial, "held")


def more_than_half(trial: Trial) -> float:
    """The ceiling's part of the gain of mean |cos|, less half of the whole gain."""
    return of_the_ceiling(trial) - total(trial) / 2


def by_the_ceiling(trial: Trial) -> Trial:
    """The held twin and the spiking run both end 0.05 better aligned than the calm one."""
    weights = trial["calm"].snapshots["end"].input_weights
    turned = aligned(weights, min(alignment(weights) + 0.05, 0.999))
    return with_weights(with_weights(trial, "held", "end", turned), "spiking", "end", turned)


claim = Claim(
    says="the ceiling on the sharpness carries more than half of what a spiking run gains in alignment",
    where="spikecheck's own, to arXiv 2305.12133v1, abstract: rather than simply controlling the value of lambda_max",
    kind="tendency",
    rules="gd",
    domain=condensing_domain(),
    beside={"setting A": SETTING_A},
    arms={"spiking": spiking, "calm": calm, "held": held},
    applies=only_one_spikes,
    measure=more_than_half,
    unit="ceiling's part of the gain less half of it",
    also=(Condition(measure=total, unit="gain of mean |cos| over the calm twin", predicts=TOTAL),),
    cutoffs=limits(PREDICTS, worth=(0.005, 0.02)),
    companions={"ceiling's part: held less calm": of_the_ceiling, "direct part: spiking less held": direct},
    predicts=PREDICTS,
    positive=Control(says="a gain of 0.05 that is the ceiling's alone", plant=by_the_ceiling),
    quotes="rather than simply controlling the value of lambda_max",
    reading="The words are about why spikes improve generalisation; here they are asked of condensation, as an average.",
    cannot_tell="The parts add up by definition, and the ceiling is imposed where the spiking run brings it about itself. "
    "Where the total is small a share of it means little, and then the claim is not decided.",
    control=Control(
        says="in the held twin's place a spike without a ceiling: injected, at a quarter of the rate",
        arms={"spiking": spiking, "calm": calm, "held": injected},
    ),
)
