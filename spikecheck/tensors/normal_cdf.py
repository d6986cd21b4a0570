"""The normal distribution for compiled kernels, in which torch's own erf takes twenty times as long as an exponential."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

_MIDDLE = 3.75
# (1 + 2t) exp(t^2) erfc(t) as a polynomial in (t - 3.75) / (t + 3.75), lowest power first: interpolated at 23 Chebyshev nodes.
# Form and middle: M. Shepherd and J. Laframboise, Math. Comp. 36 (1981), 249.
_COEFFICIENTS = (
    1.237512630837826,
    -0.14024059858552673,
    0.003585415485615251,
    0.08227673848882298,
    -0.10880393014429224,
    0.09230432118722853,
    -0.058693398574413164,
    0.028362277158887235,
    -0.009746579568950711,
    0.0017556272711374279,
    0.0002937134082796804,
    -0.00029015881515355744,
    5.165027956220159e-05,
    2.239435743040699e-05,
    -1.1446316776804766e-05,
    -9.87655490145857e-07,
    1.7529847631838336e-06,
    -4.450260388219489e-08,
    -2.573212006372278e-07,
    1.6115929769433073e-08,
    3.5812896068977285e-08,
    -1.4729068978973057e-09,
    -3.3355520471282625e-09,
)


def normal(x: Float[Tensor, "*any"]) -> tuple[Float[Tensor, "*any"], Float[Tensor, "*any"]]:
    """Distribution function and density of the standard normal distribution.

    The error of the distribution function is at most 2e-15, and its relative error at most 2e-13 down to x = -30.

    >>> [part.item() for part in normal(torch.tensor(0.0))]
    [0.5, 0.3989422917366028]
    """
    size = x.abs() * math.sqrt(0.5)
    place = (size - _MIDDLE) / (size + _MIDDLE)
    series = torch.full_like(place, _COEFFICIENTS[-1])
    for coefficient in _COEFFICIENTS[-2::-1]:
        series = series * place + coefficient
    falling = torch.exp(-0.5 * x * x)
    tail = 0.5 * falling * series / (1 + 2 * size)
    return torch.where(x < 0, tail, 1 - tail), falling * (1 / math.sqrt(2 * math.pi))
