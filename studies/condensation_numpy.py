"""The gain of `condensation` at setting B by a second implementation: `python studies/condensation_numpy.py` (three minutes).

It uses NumPy only and nothing from spikecheck: initial weights, gradients, spike detection, forks and alignment are its own.
It prints the mean gain of mean |cos| of the spiking run over its calm twin, with bounds by Student's t.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import sem, t

Numbers = NDArray[np.float64]

POINTS, WIDTH, RATE, STEPS, LEAD, HORIZON = 40, 50, 0.1, 6_000, 80, 3_000
X = np.linspace(-np.pi, np.pi, POINTS)
Y = np.sin(X) + np.sin(3 * X)


@dataclass(frozen=True)
class Nets:
    """S two-layer tanh nets: input weights, hidden biases and output weights, each [S, W]."""

    w: Numbers
    b: Numbers
    a: Numbers

    def where(self, mask: NDArray[np.bool_], other: "Nets") -> "Nets":
        """These nets where the mask [S] is true, the others elsewhere."""
        return Nets(
            *(np.where(mask[:, None], mine, theirs) for mine, theirs in zip(_parts(self), _parts(other), strict=True))
        )

    def some(self, mask: NDArray[np.bool_]) -> "Nets":
        """The nets where the mask is true."""
        return Nets(*(part[mask] for part in _parts(self)))


def _parts(nets: Nets) -> tuple[Numbers, Numbers, Numbers]:
    return nets.w, nets.b, nets.a


def step(nets: Nets, rate: float) -> tuple[Numbers, Nets]:
    """Losses [S] before a step of gradient descent on the mean squared error, and the nets after it."""
    hidden = np.tanh(nets.w[:, :, None] * X + nets.b[:, :, None])
    error = np.einsum("sw,swn->sn", nets.a, hidden) - Y
    back = 2 / POINTS * error[:, None, :] * nets.a[:, :, None] * (1 - hidden**2)
    moved = Nets(
        nets.w - rate * back @ X,
        nets.b - rate * back.sum(2),
        nets.a - rate * 2 / POINTS * np.einsum("swn,sn->sw", hidden, error),
    )
    return (error**2).mean(1), moved


def onsets(nets: Nets) -> NDArray[np.int64]:
    """The first step [S] whose loss exceeds three times its running minimum; -1 where there is none."""
    lowest, first = np.full(len(nets.w), np.inf), np.full(len(nets.w), -1)
    for number in range(STEPS + 1):
        losses, nets = step(nets, RATE)
        first = np.where((first < 0) & (losses > 3 * lowest), number, first)
        lowest = np.minimum(lowest, losses)
    return first


def at(nets: Nets, steps: NDArray[np.int64]) -> Nets:
    """Every net at its own step."""
    kept = nets
    for number in range(int(steps.max()) + 1):
        kept = nets.where(steps == number, kept)
        _, nets = step(nets, RATE)
    return kept


def trained(nets: Nets, rate: float, steps: int) -> tuple[Nets, NDArray[np.bool_]]:
    """The nets after `steps` steps, and which of them spiked."""
    lowest, spiked = np.full(len(nets.w), np.inf), np.zeros(len(nets.w), dtype=bool)
    for _ in range(steps):
        losses, nets = step(nets, rate)
        spiked |= losses > 3 * lowest
        lowest = np.minimum(lowest, losses)
    return nets, spiked


def alignment(nets: Nets) -> Numbers:
    """Mean |cos| between the input weights (w, b) of different neurons: [S]."""
    directions = np.stack([nets.w, nets.b], axis=2)
    directions = directions / np.linalg.norm(directions, axis=2, keepdims=True)
    cosines = np.abs(directions @ directions.transpose(0, 2, 1))
    mean: Numbers = (cosines.sum((1, 2)) - WIDTH) / (WIDTH * (WIDTH - 1))
    return mean


def gains(seeds: int, root: int) -> Numbers:
    """The gain of every seed whose run spikes, late enough to fork, and whose calm twin does not."""
    draw = np.random.default_rng(root)
    start = Nets(*(draw.normal(0, std, (seeds, WIDTH)) for std in (0.3, 0.3, 0.1)))
    first = onsets(start)
    late = first >= LEAD
    forks = at(start.some(late), first[late] - LEAD)
    spiking, _ = trained(forks, RATE, HORIZON)
    calm, spiked = trained(forks, RATE / 4, 4 * HORIZON)
    return (alignment(spiking) - alignment(calm))[~spiked]


def main() -> None:
    """Print the mean gain."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=256)
    parser.add_argument("--root", type=int, default=0, help="the seed of the initial weights")
    asked = parser.parse_args()
    differences = gains(asked.seeds, asked.root)
    reach = t.ppf(0.95, len(differences) - 1) * sem(differences)
    mean, above = differences.mean(), int((differences > 0).sum())
    print(
        f"{above} of {len(differences)} above 0; mean {mean:.4f} "
        f"({mean - reach:.4f} to {mean + reach:.4f}), each bound at 95 %"
    )


if __name__ == "__main__":
    main()
