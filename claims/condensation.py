"""A loss spike makes the input weights condense.

Each spiking run is judged against its calm twin: the same seed and the same weights up to just before the spike, then
a quarter of the learning rate for as many steps as cover the same lr x steps. Only twins that are verified never to
spike count. What both gain is due to training. What only the spiking run gains is due to the spike itself or to the
ceiling of 2/lr that its larger rate puts on the sharpness. `spike-effect-decomposed` separates these two.
"""

from functools import partial

from spikecheck import SETTING_A, Average, Claim, Condition, Control, Map, Variant, condensing_domain, described, limits
from spikecheck.arms import lower_rate, twins
from spikecheck.effects.condensation import beyond_chance, condensed, fewer_directions, gain, rise, weighted_gain
from spikecheck.harness.paper_settings import MNIST1D_ADAM, MNIST1D_BATCHES
from spikecheck.preconditions import only_one_spikes

HORIZON = 3_000
PREDICTS = Average(above=0.0, worth=0.02)
"""Mean |cos| is 2/pi for random directions in the plane and 1 for parallel ones: 0.02 is a twentieth of the difference."""
CALMER = "A second twin without the spike: a fifth of the learning rate."

claim = Claim(
    says="loss spikes can facilitate condensation, i.e., input weights evolve towards the same",
    where="arXiv 2305.12133v1, abstract; v2 likewise",
    kind="tendency",
    domain=condensing_domain(),
    beside={"setting A": SETTING_A},
    further={"mnist1d, batches of 20": MNIST1D_BATCHES, "mnist1d, Adam": MNIST1D_ADAM},
    arms=twins(horizon=HORIZON),
    applies=only_one_spikes,
    measure=gain,
    unit="gain of mean |cos| over the calm twin",
    also=(
        Condition(measure=rise, unit="rise of mean |cos| since the twins part", predicts=PREDICTS),
        Condition(measure=beyond_chance, unit="mean |cos| beyond random directions", predicts=PREDICTS),
    ),
    cutoffs={
        **limits(PREDICTS, worth=(0.01, 0.04)),
        "horizon half: 1,500 steps": Variant(arms=twins(horizon=HORIZON // 2)),
        "horizon twice: 6,000 steps": Variant(arms=twins(horizon=2 * HORIZON)),
    },
    companions={"gain of weighted mean |cos|": weighted_gain, "fall of the effective ratio": fewer_directions},
    predicts=PREDICTS,
    positive=Control(
        says="the calm twin's weights, turned to a mean |cos| 0.05 higher", plant=partial(condensed, by=0.05)
    ),
    quotes="loss spikes can facilitate condensation, i.e., input weights evolve towards the same",
    reading="Spikes can do this: no law, so the average difference to the twin decides. The weights themselves evolve: "
    "so the spiking run's alignment must also rise, and exceed that of random directions.",
    cannot_tell="The calm twin lacks the spike and the ceiling on its sharpness, and this check cannot separate the two. "
    "Alignment weights every neuron alike, however little it contributes.",
    control=Control(
        says="two twins that both avoid the spike, at a quarter and at a fifth of the learning rate",
        arms=twins(horizon=HORIZON) | {"spiking": described(CALMER, lower_rate, horizon=HORIZON, factor=0.2)},
    ),
    maps=(Map(x="init_scale", x_values=(0.5, 1.0, 1.5), y="lr", y_values=(0.075, 0.1, 0.125, 0.15)),),
)
