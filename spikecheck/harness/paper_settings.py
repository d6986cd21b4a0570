"""The settings that claims about one-dimensional fits are stated at, and the domain around them.

The paper's own figures could not be read. Setting A follows the authors' public code; setting B spikes more. A claim's
reference is A because that is what the paper talks about, not because of what holds there.
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
    steps=3_000,  # spikes come within 3,000 steps in most seeds
)
SETTING_B = SETTING_A.but(
    target="sin x + sin 3x", points=40, interval=1.0, width=50, input_std=0.3, output_std=0.1, steps=6_000
)
MNIST1D = Setting(problem="mnist1d", points=100, width=20, lr=1.6, steps=3_000)
"""Real data, the full batch: the rate is the largest of a doubling ladder at which all of eight seeds trained."""
MNIST1D_BATCHES = MNIST1D.but(batch=20)
"""Ordinary training: the same by mini-batches."""
MNIST1D_ADAM = MNIST1D.but(optimizer="adam", lr=0.02)


def paper_domain() -> Domain:
    """Setting A, and the ladders on which widths, rates, initialisation, activation and target vary around it."""
    return Domain(
        SETTING_A,
        width=Ladder(20, 50, 100, 200),
        lr=Ladder(0.1, 0.125, 0.075, 0.05),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "xtanh", "gelu", "relu"),
        target=Ladder("sin x", "sin x + sin 2x", "sin x + sin 4x"),
    )


def condensing_domain() -> Domain:
    """Setting B, and the ladders around it: where input weights come to point the same way at all.

    At A their alignment falls while it trains, whatever the twin; and there twins at a quarter of the rate reach an edge of
    their own and spike too. At B it rises, and such twins stay calm.
    """
    return Domain(
        SETTING_B,
        width=Ladder(50, 20, 100),
        lr=Ladder(0.1, 0.125, 0.075),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "gelu", "relu"),
        target=Ladder("sin x + sin 3x", "sin x + sin 2x", "sin x"),
    )
