"""A net of one input, one hidden layer and one output, a second time: in NumPy, with every derivative written out by hand.

Nothing here calls the package's numerics, torch or automatic differentiation, so what both agree on is no shared mistake.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

Numbers = NDArray[np.float64]
Complex = NDArray[Any]
"""Real, or complex where a derivative is taken by a step along the imaginary axis."""
Jet = Callable[[Complex], tuple[Complex, Complex, Complex]]


def tanh(z: Complex) -> tuple[Complex, Complex, Complex]:
    """Value, first and second derivative; the slope as 1/cosh^2, where the package has 1 - tanh^2."""
    value, slope = np.tanh(z), 1.0 / np.cosh(z) ** 2
    return value, slope, -2.0 * value * slope


def relu(z: Complex) -> tuple[Complex, Complex, Complex]:
    """Flat at and below 0, and bent nowhere."""
    positive = (z.real > 0.0).astype(z.dtype)
    return positive * z, positive, np.zeros_like(z)


def gelu(z: Complex) -> tuple[Complex, Complex, Complex]:
    """z Phi(z) with the normal distribution's own Phi, not the approximation by a tanh."""
    below = 0.5 * erfc(-z / math.sqrt(2.0))
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    return z * below, below + z * density, (2.0 - z**2) * density


def xtanh(z: Complex) -> tuple[Complex, Complex, Complex]:
    """z tanh z."""
    value, slope, bend = tanh(z)
    return z * value, value + z * slope, 2.0 * slope + z * bend


JETS: Mapping[str, Jet] = {"tanh": tanh, "relu": relu, "gelu": gelu, "xtanh": xtanh}


@dataclass(frozen=True, eq=False)
class Net:
    """f(x) = sum_w a_w phi(u_w x + b_w) and its mean squared error at N points, for W neurons.

    Parameters `theta` are (u_1 ... u_W, b_1 ... b_W, a_1 ... a_W), [3 W].
    """

    x: Numbers
    """[N]"""
    y: Numbers
    """[N]"""
    activation: str

    def outputs(self, theta: Complex, x: Numbers | None = None) -> Complex:
        """f at the training points, or at others: [N]."""
        weights, biases, amplitudes = split(theta)
        value, _, _ = JETS[self.activation](_signals(weights, biases, self.x if x is None else x))
        found: Complex = value @ amplitudes
        return found

    def loss(self, theta: Complex) -> Any:
        """Mean of (f - y)^2; complex where theta is."""
        return np.mean((self.outputs(theta) - self.y) ** 2)

    def losses(self, path: Sequence[Numbers]) -> Numbers:
        """Of every state of a path."""
        return np.array([self.loss(theta) for theta in path])

    def jacobian(self, theta: Complex, x: Numbers | None = None) -> Complex:
        """df/dtheta at every point, [N, 3 W]."""
        at = self.x if x is None else x
        weights, biases, amplitudes = split(theta)
        value, slope, _ = JETS[self.activation](_signals(weights, biases, at))
        pulled = amplitudes * slope
        return np.concatenate([pulled * at[:, None], pulled, value], axis=1)

    def gradient(self, theta: Complex) -> Complex:
        """(2/N) sum_n (f_n - y_n) df_n/dtheta."""
        return 2.0 / len(self.x) * (self.outputs(theta) - self.y) @ self.jacobian(theta)

    def hessian(self, theta: Numbers) -> Numbers:
        """(2/N) sum_n [df_n df_n' + (f_n - y_n) d^2 f_n]; the second derivatives of f couple a neuron with itself only."""
        jacobian = self.jacobian(theta)
        return 2.0 / len(self.x) * (jacobian.T @ jacobian + self._pulled_bends(theta))

    def _pulled_bends(self, theta: Numbers) -> Numbers:
        """sum_n (f_n - y_n) d^2 f_n / dtheta^2."""
        weights, biases, amplitudes = split(theta)
        _, slope, bend = JETS[self.activation](_signals(weights, biases, self.x))
        error = self.outputs(theta) - self.y
        bent = amplitudes * bend
        uu, ub, bb = (error * self.x**power @ bent for power in (2, 1, 0))
        ua, ba = (error * self.x**power @ slope for power in (1, 0))
        blocks = [[uu, ub, ua], [ub, bb, ba], [ua, ba, np.zeros_like(bb)]]
        return np.block([[np.diag(entries) for entries in row] for row in blocks])

    def shares(self, theta: Numbers, direction: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """What every neuron adds to f and to its first and second derivative along a direction, each [N, W]."""
        weights, biases, amplitudes = split(theta)
        turned, shifted, grown = split(direction)
        value, slope, bend = JETS[self.activation](_signals(weights, biases, self.x))
        push = _signals(turned, shifted, self.x)
        first = value * grown + slope * push * amplitudes
        second = 2.0 * slope * push * grown + bend * push**2 * amplitudes
        return value * amplitudes, first, second

    def curvature(self, outputs: Numbers, first: Numbers, second: Numbers) -> Numbers:
        """The loss's second derivative along a line from the outputs' derivatives along it, each [N] or [N, columns]."""
        error = (outputs.T - self.y).T
        found: Numbers = 2.0 * np.mean(first**2 + error * second, axis=0)
        return found


def split(theta: Complex) -> tuple[Complex, Complex, Complex]:
    """Incoming weights, biases and outgoing weights, each [W]."""
    weights, biases, amplitudes = np.split(theta, 3)
    return weights, biases, amplitudes


def _signals(weights: Complex, biases: Complex, x: Numbers) -> Complex:
    return x[:, None] * weights + biases
