"""Reference settings of claims about one-dimensional fits, and the domains around them.

The settings of the paper's own figures could not be read. Setting A follows the authors' public code; setting B spikes
more. A claim's reference is A because the paper describes A, not because of the results there.
"""

from spikecheck.core.setting import Setting
from spikecheck.harness.domain import Domain, Ladder

SETTING_A = Setting(
    target="sin x",
    points=20,
    interval=2.0,
    width=20,
    activation="tanh",
    gamma=0.5,
    optimizer="gd",
    lr=0.1,
    steps=3_000,  # spikes occur within 3,000 steps in most seeds
)
SETTING_B = SETTING_A.but(
    target="sin x + sin 3x", points=40, interval=1.0, width=50, input_std=0.3, output_std=0.1, steps=6_000
)
MNIST1D = Setting(problem="mnist1d", points=100, width=20, lr=1.6, steps=3_000)
"""Real data with the full batch. The learning rate is the largest of a doubling ladder at which all of eight seeds train."""
MNIST1D_BATCHES = MNIST1D.but(batch=20)
"""Real data with mini-batches."""
MNIST1D_ADAM = MNIST1D.but(optimizer="adam", lr=0.02)


def paper_domain() -> Domain:
    """Setting A with ladders of widths, learning rates, initialisations, activations and targets."""
    return Domain(
        SETTING_A,
        width=Ladder(20, 50, 100, 200),
        lr=Ladder(0.1, 0.125, 0.075, 0.05),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "xtanh", "gelu", "relu"),
        target=Ladder("sin x", "sin x + sin 2x", "sin x + sin 4x"),
    )


def condensing_domain() -> Domain:
    """Setting B with ladders: a domain in which training aligns the input weights at all.

    At setting A the alignment falls during training in either twin, and twins at a quarter of the learning rate reach their
    own edge of stability and spike too. At setting B the alignment rises, and such twins stay calm.
    """
    return Domain(
        SETTING_B,
        width=Ladder(50, 20, 100),
        lr=Ladder(0.1, 0.125, 0.075),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "gelu", "relu"),
        target=Ladder("sin x + sin 3x", "sin x + sin 2x", "sin x"),
    )
