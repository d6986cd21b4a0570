"""Loss spikes occur in ordinary full-batch training. Not a claim of the paper, but all of its claims presuppose it."""

from spikecheck import SETTING_B, Claim, Control, Map, Prediction, described, paper_domain
from spikecheck.arms import slower
from spikecheck.effects.losses import spike_count, with_a_spike
from spikecheck.harness.paper_settings import MNIST1D, MNIST1D_ADAM, MNIST1D_BATCHES
from spikecheck.preconditions import every_run

QUIET = "A quarter of the learning rate for as many steps."
NOISES = (0.0, 1e-6, 1e-5, 1e-4, 1e-3)

claim = Claim(
    says="the loss spikes during training",
    where="arXiv 2305.12133v1, introduction",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    further={"mnist1d": MNIST1D, "mnist1d, batches of 20": MNIST1D_BATCHES, "mnist1d, Adam": MNIST1D_ADAM},
    applies=every_run,
    measure=spike_count,
    unit="spikes per run",
    predicts=Prediction(at_least=1.0, of_seeds=0.5, level=0.95),
    positive=Control(says="a tenfold spike of ten steps, put into the loss", plant=with_a_spike),
    reading="The statement is about prevalence: a share of seeds decides, and half of them must spike.",
    cannot_tell="A spike is an excursion above three times the running minimum, whatever causes it. "
    "Overshoots by momentum in the first descent count as well.",
    control=Control(
        says="a quarter of the learning rate for as many steps", arms={"run": described(QUIET, slower, times=4)}
    ),
    maps=(
        Map(x="lr", y="width"),
        # whether rounding decides which runs spike, and how much gradient noise hides it
        Map(x="dtype", x_values=("float64", "float32"), y="gradient_noise", y_values=NOISES),
    ),
)
