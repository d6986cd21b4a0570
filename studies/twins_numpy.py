"""Three cells of reports/twins.md by a second implementation: `python studies/twins_numpy.py` (about ten minutes).

It uses NumPy only and nothing from spikecheck: initial weights, gradients, spikes, forks and alignment are its own. The
Hessian at every step and the gradient of the sharpness are in closed form, where spikecheck tracks an eigenpair and takes
differences. For every cell it prints the spiking twin's gain over the calm one, the held twin's share of it, and the held
twin's mean lr x sharpness.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import sem, t

Numbers = NDArray[np.float64]

LEAD, HORIZON, FACTOR, DENSE = 80, 3_000, 3.0, 25


@dataclass(frozen=True)
class Problem:
    """A sum of sines on N points, and the initialisation of nets for it. Parameters are [S, 3, W]: w, b, a of tanh nets."""

    x: Numbers
    y: Numbers
    width: int
    stds: tuple[float, float, float]
    steps: int

    def starts(self, seeds: int, root: int) -> Numbers:
        """Independent normal initial parameters."""
        draw = np.random.default_rng(root)
        return np.stack([draw.normal(0, std, (seeds, self.width)) for std in self.stds], 1)

    def gradient(self, nets: Numbers) -> tuple[Numbers, Numbers]:
        """Losses [S] and gradients [S, 3, W]."""
        w, b, a = nets.swapaxes(0, 1)[..., None]
        value = np.tanh(w * self.x + b)
        error = (a * value).sum(1) - self.y
        pull = 2 / len(self.x) * error[:, None]
        by_signal = pull * a * (1 - value**2)
        return (error**2).mean(1), np.stack([by_signal @ self.x, by_signal.sum(2), (pull * value).sum(2)], 1)

    def hessian(self, nets: Numbers) -> Numbers:
        """Hessians [S, 3W, 3W]."""
        w, b, a = nets.swapaxes(0, 1)[..., None]
        value = np.tanh(w * self.x + b)
        slope = 1 - value**2
        error = (a * value).sum(1)[:, None] - self.y
        jacobian = np.concatenate([a * slope * self.x, a * slope, value], 1)
        hessians = jacobian @ jacobian.swapaxes(1, 2)
        bent, tilted = error * a * (-2 * value * slope), error * slope
        blocks = {
            (0, 0): bent @ self.x**2,
            (0, 1): bent @ self.x,
            (1, 1): bent.sum(2),
            (0, 2): tilted @ self.x,
            (1, 2): tilted.sum(2),
        }
        own = np.arange(self.width)
        for (one, other), block in blocks.items():
            for row, column in {(one, other), (other, one)}:
                hessians[:, row * self.width + own, column * self.width + own] += block
        scaled: Numbers = 2 / len(self.x) * hessians
        return scaled

    def rise(self, nets: Numbers, along: Numbers) -> Numbers:
        """The gradient of v.H v with respect to the parameters, for fixed v: [S, 3, W].

        With the outputs F and their derivatives F' and F'' along v, v.H v is 2/N sum (F'^2 + (F - y) F'').
        """
        w, b, a = nets.swapaxes(0, 1)[..., None]
        dw, db, da = along.swapaxes(0, 1)[..., None]
        value, way = np.tanh(w * self.x + b), dw * self.x + db
        one = 1 - value**2
        two = -2 * value * one
        three = -2 * one**2 - 2 * value * two
        error = (a * value).sum(1)[:, None] - self.y
        first = (da * value + a * one * way).sum(1)[:, None]
        second = (2 * da * one * way + a * two * way**2).sum(1)[:, None]
        by_signal = (
            2 * first * (da * one + a * two * way)
            + a * one * second
            + error * (2 * da * two * way + a * three * way**2)
        )
        by_outgoing = 2 * first * one * way + value * second + error * two * way**2
        parts = [by_signal @ self.x, by_signal.sum(2), by_outgoing.sum(2)]
        return 2 / len(self.x) * np.stack(parts, 1)


A = Problem(
    x=np.linspace(-2 * np.pi, 2 * np.pi, 20),
    y=np.sin(np.linspace(-2 * np.pi, 2 * np.pi, 20)),
    width=20,
    stds=(20**-0.5,) * 3,
    steps=5_000,
)
B = Problem(
    x=np.linspace(-np.pi, np.pi, 40),
    y=np.sin(np.linspace(-np.pi, np.pi, 40)) + np.sin(3 * np.linspace(-np.pi, np.pi, 40)),
    width=50,
    stds=(0.3, 0.3, 0.1),
    steps=6_000,
)
CELLS = {"A, 0.1": (A, 0.1), "A, 0.125": (A, 0.125), "B, 0.1": (B, 0.1)}


def alignment(nets: Numbers) -> Numbers:
    """Mean |cos| between the input weights (w, b) of different neurons: [S]."""
    directions = nets[:, :2].swapaxes(1, 2)
    directions = directions / np.linalg.norm(directions, axis=2, keepdims=True)
    cosines = np.abs(directions @ directions.swapaxes(1, 2))
    width = nets.shape[2]
    mean: Numbers = (cosines.sum((1, 2)) - width) / (width * (width - 1))
    return mean


def forks(problem: Problem, nets: Numbers, rate: float) -> Numbers:
    """The nets that spike late enough, LEAD steps before the loss first exceeds FACTOR times its running minimum."""
    lowest, crossed = np.full(len(nets), np.inf), np.zeros(len(nets), dtype=bool)
    recent, parted = [nets], {}
    for step in range(problem.steps + 1):
        losses, slopes = problem.gradient(nets)
        new = ~crossed & (losses > FACTOR * lowest)
        if step >= LEAD:
            parted.update({int(seed): recent[0][seed] for seed in new.nonzero()[0]})
        crossed |= new
        lowest = np.minimum(lowest, losses)
        nets = nets - rate * slopes
        recent = [*recent, nets][-LEAD - 1 :]
    return np.stack([parted[seed] for seed in sorted(parted)])


def trained(problem: Problem, nets: Numbers, rate: float, steps: int) -> Numbers:
    """The nets after `steps` steps of gradient descent."""
    for _ in range(steps):
        nets = nets - rate * problem.gradient(nets)[1]
    return nets


def top_pair(hessians: Numbers, near: Numbers | None) -> tuple[Numbers, Numbers]:
    """The largest eigenvalue [S] and its vector [S, P], by Rayleigh quotient iteration where nearby vectors are given."""
    if near is None:
        values, vectors = np.linalg.eigh(hessians)
        return values[:, -1], vectors[:, :, -1]
    for _ in range(2):
        values = np.einsum("sp,spq,sq->s", near, hessians, near)
        shifted = hessians - values[:, None, None] * (1 + 1e-12) * np.eye(hessians.shape[1])
        near = np.linalg.solve(shifted, near[:, :, None])[:, :, 0]
        near = near / np.linalg.norm(near, axis=1, keepdims=True)
    return np.einsum("sp,spq,sq->s", near, hessians, near), near


def held_step(
    problem: Problem, nets: Numbers, rate: float, ceiling: float, near: Numbers | None = None
) -> tuple[Numbers, Numbers, Numbers]:
    """One step of the constrained trajectory (Damian et al., arXiv 2209.15594), with the sharpness and vector before it."""
    sharpness, along = top_pair(problem.hessian(nets), near)
    slopes = problem.gradient(nets)[1].reshape(along.shape)
    rise = problem.rise(nets, along.reshape(nets.shape)).reshape(along.shape)
    across = (slopes * along).sum(1, keepdims=True)
    step = -rate * (slopes - across * along) - across / sharpness[:, None] * along
    sideways = rise - (rise * along).sum(1, keepdims=True) * along
    excess = sharpness[:, None] + (rise * step).sum(1, keepdims=True) - ceiling
    step -= np.maximum(excess, 0) / (sideways**2).sum(1, keepdims=True) * sideways
    return nets + step.reshape(nets.shape), sharpness, along


def held(problem: Problem, nets: Numbers, rate: float, steps: int) -> tuple[Numbers, Numbers]:
    """The held twins' final parameters, and their mean lr x sharpness [S] over the second half."""
    seen, near = [], None
    for step in range(steps):
        again = step % DENSE == 0  # finds an eigenvalue that has overtaken the first
        nets, sharpness, near = held_step(problem, nets, rate, 2 / rate, None if again else near)
        seen.append(rate * sharpness)
    return nets, np.mean(seen[steps // 2 :], axis=0)


def interval(values: Numbers) -> str:
    """The mean with its 95 % interval by Student's t."""
    reach = t.ppf(0.975, len(values) - 1) * sem(values)
    return f"{values.mean():+.3f} [{values.mean() - reach:+.3f}, {values.mean() + reach:+.3f}]"


def main() -> None:
    """Print every cell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=64)
    parser.add_argument("--root", type=int, default=0, help="the seed of the initial weights")
    asked = parser.parse_args()
    for name, (problem, rate) in CELLS.items():
        parted = forks(problem, problem.starts(asked.seeds, asked.root), rate)
        spiking = alignment(trained(problem, parted, rate, HORIZON))
        calm = alignment(trained(problem, parted, rate / 4, 4 * HORIZON))
        ends, edge = held(problem, parted, rate, HORIZON)
        still = alignment(ends)
        sound = np.isfinite(spiking) & np.isfinite(calm) & np.isfinite(still)
        total, ceiling, direct = (
            (one - other)[sound] for one, other in ((spiking, calm), (still, calm), (spiking, still))
        )
        print(
            f"{name}: {sum(sound)} of {asked.seeds} seeds; total {interval(total)}; ceiling {interval(ceiling)};",
            end=" ",
        )
        print(f"direct {interval(direct)}; share of the ceiling {ceiling.mean() / total.mean():.2f};", end=" ")
        print(f"held twins' mean lr x sharpness {edge[sound].mean():.4f}", flush=True)


if __name__ == "__main__":
    main()
