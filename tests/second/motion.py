"""How a net of `network` moves: update rules, its sharpest direction, and the constrained trajectory."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from scipy.linalg import eigh

from tests.second.network import Net, Numbers

Path = list[Numbers]
"""Parameters before every update, and after the last."""
AdamState = tuple[Numbers, Numbers, Numbers]
"""Weights, and both moments without their bias correction."""


def descent(net: Net, theta: Numbers, lr: float, steps: int) -> Path:
    """Gradient descent."""
    return _walked(theta, lambda here: here - lr * net.gradient(here), steps)


def heavy_ball(net: Net, theta: Numbers, lr: float, steps: int, momentum: float) -> Path:
    """theta_{t+1} = theta_t - lr g_t + momentum (theta_t - theta_{t-1}): no velocity, so another form than the package's."""
    path = [theta, theta - lr * net.gradient(theta)]
    while len(path) <= steps:
        path.append(path[-1] - lr * net.gradient(path[-1]) + momentum * (path[-1] - path[-2]))
    return path[: steps + 1]


def adam(net: Net, theta: Numbers, lr: float, steps: int, betas: tuple[float, float], eps: float) -> Path:
    """Kingma and Ba, arXiv 1412.6980, algorithm 1."""
    state = (theta, np.zeros_like(theta), np.zeros_like(theta))
    return adam_from(net, state, (0, steps), lr, betas, eps)[0]


def adam_from(
    net: Net, state: AdamState, between: tuple[int, int], lr: float, betas: tuple[float, float], eps: float
) -> tuple[Path, AdamState]:
    """The updates between two steps, and the weights and both moments after them."""
    theta, mean, square = state
    path = [theta]
    for t in range(between[0] + 1, between[1] + 1):
        gradient = net.gradient(path[-1])
        mean = betas[0] * mean + (1 - betas[0]) * gradient
        square = betas[1] * square + (1 - betas[1]) * gradient**2
        unbiased, size = mean / (1 - betas[0] ** t), square / (1 - betas[1] ** t)
        path.append(path[-1] - lr * unbiased / (np.sqrt(size) + eps))
    return path, (path[-1], mean, square)


def along_one_direction(net: Net, theta: Numbers, lr: float, steps: int) -> Path:
    """Gradient descent that moves along the first eigendirection of its start and nowhere else."""
    _, first = sharpest(net, theta)
    return _walked(theta, lambda here: here - lr * (net.gradient(here) @ first) * first, steps)


def eigenpairs(net: Net, theta: Numbers) -> tuple[Numbers, Numbers]:
    """All eigenvalues of the dense Hessian, algebraically largest first, and their unit eigenvectors as rows."""
    values, vectors = eigh(net.hessian(theta))
    return values[::-1], vectors.T[::-1]


def sharpest(net: Net, theta: Numbers) -> tuple[float, Numbers]:
    """lambda_max, the algebraically largest, and v_1."""
    last = len(theta) - 1
    values, vectors = eigh(net.hessian(theta), subset_by_index=[last, last])
    return float(values[0]), vectors[:, 0]


def sharpness_slope(net: Net, theta: Numbers, first: Numbers, step: float = 1e-5) -> Numbers:
    """d lambda_max / dtheta by central differences of v'Hv: v_1 turns with theta, but that changes v'Hv in second order only.

    A parameter changes its own neuron's share of the outputs and no other's, so all neurons are shifted at once.
    """
    neurons = len(theta) // 3
    shares = net.shares(theta, first)
    others = [share.sum(axis=1, keepdims=True) - share for share in shares]

    def shifted(kind: int, by: float) -> Numbers:
        moved = theta.copy()
        moved[kind * neurons : (kind + 1) * neurons] += by
        return net.curvature(*(rest + own for rest, own in zip(others, net.shares(moved, first), strict=True)))

    return np.concatenate([(shifted(kind, step) - shifted(kind, -step)) / (2 * step) for kind in range(3)])


def constrained(net: Net, theta: Numbers, lr: float, steps: int, level: float = 1.0) -> Path:
    """Gradient descent projected, after every step, on where v_1.g = 0 and lambda_max <= level 2/lr.

    The constrained trajectory of Damian et al., arXiv 2209.15594, taken at its word: at every step dense
    eigenpairs at the point that is projected, repeated until both constraints hold; nothing is predicted.
    """
    return _walked(theta, lambda here: projected(net, here - lr * net.gradient(here), level * 2.0 / lr), steps)


def projected(net: Net, theta: Numbers, ceiling: float) -> Numbers:
    """The nearest point at the valley's bottom whose sharpness is at most the ceiling, by Newton's rule."""
    held = False
    for _ in range(_MOST_CORRECTIONS):
        sharpness, first = sharpest(net, theta)
        # Once the ceiling was met it is a constraint: what is beside it by rounding would switch it on and off.
        held = held or sharpness > ceiling
        offsets = [float(net.gradient(theta) @ first)]
        normals = [sharpness * first]
        if held:
            offsets.append(sharpness - ceiling)
            normals.append(sharpness_slope(net, theta, first))
        correction = np.linalg.lstsq(np.array(normals), -np.array(offsets))[0]
        theta = theta + correction
        if np.linalg.norm(correction) < _CLOSE:
            return theta
    raise ArithmeticError(f"no point with a sharpness of at most {ceiling} was found near {theta}")


def displaced_growth(net: Net, theta: Numbers, lr: float, steps: int, size: float = 1e-8) -> tuple[Numbers, Numbers]:
    """How much a displacement along v_1 grows in every step of gradient descent, and lambda_max there: each [steps].

    Two nets that start `size` apart are trained side by side; their difference is seen along the v_1 of the step.
    """
    here, beside = theta, theta + size * sharpest(net, theta)[1]
    factors, values = np.empty(steps), np.empty(steps)
    for t in range(steps):
        values[t], first = sharpest(net, here)
        before = (beside - here) @ first
        here, beside = (at - lr * net.gradient(at) for at in (here, beside))
        factors[t] = abs((beside - here) @ first / before)
    return factors, values


def _walked(theta: Numbers, step: Callable[[Numbers], Numbers], steps: int) -> Path:
    return list(islice(_iterated(theta, step), steps + 1))


def _iterated(theta: Numbers, step: Callable[[Numbers], Numbers]) -> Iterator[Numbers]:
    while True:
        yield theta
        theta = step(theta)


_MOST_CORRECTIONS = 50
_CLOSE = 1e-8
"""The length of a correction that is the last: steps are 1e-3 long, and every correction is a small part of the one before."""
