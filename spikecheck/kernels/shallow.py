"""Triton functions for one hidden layer and the mean squared error, with a member's parameters in registers.

Neurons lie across lanes, `GROUP` of them at a time. A kind of parameter is a tuple of tensors [M, GROUP], for M members per
program. Tensors must hold a power of two of numbers: 20 neurons are five groups of 4, so that no lane is wasted. Points are
processed one after another, so a member's bits depend neither on the other members nor on its place among them.

Axes: B members, P parameters, N points, W neurons, M members of a program, K vectors.
"""

import triton
import triton.language as tl

_SQRT_HALF = tl.constexpr(0.7071067811865476)
_NORMAL = tl.constexpr(0.3989422804014327)
SIZES = ("x_hop", "y_hop", "members", "points", "width", "size")
"""Arguments for whose values no specialised kernels are compiled."""


@triton.jit
def read(base, rows, real, columns, width, blocks: tl.constexpr, GROUPS: tl.constexpr, BIAS: tl.constexpr):
    """Read M members' numbers in the layout of parameters: GROUPS tensors [M, GROUP] per block, then the output biases."""
    parts = ()
    for i in tl.static_range(blocks * GROUPS):
        lane = (i % GROUPS) * columns.shape[0] + columns
        there = real[:, None] & (lane < width)[None, :]
        at = rows[:, None] + (i // GROUPS) * width + lane[None, :]
        parts = parts + (tl.load(base + at, mask=there, other=0.0),)
    if BIAS:
        parts = parts + (tl.load(base + rows + blocks * width, mask=real, other=0.0)[:, None],)
    return parts


@triton.jit
def write(base, rows, real, columns, width, numbers, blocks: tl.constexpr, GROUPS: tl.constexpr, BIAS: tl.constexpr):
    """Write what `read` reads."""
    for i in tl.static_range(blocks * GROUPS):
        lane = (i % GROUPS) * columns.shape[0] + columns
        there = real[:, None] & (lane < width)[None, :]
        at = rows[:, None] + (i // GROUPS) * width + lane[None, :]
        tl.store(base + at, numbers[i], mask=there)
    if BIAS:
        tl.store(base + rows + blocks * width, tl.sum(numbers[blocks * GROUPS], 1), mask=real)


@triton.jit
def zeros(like, count: tl.constexpr, BIAS: tl.constexpr):
    """`count` tensors of zeros, and one for the output bias."""
    parts = ()
    for _ in tl.static_range(count):
        parts = parts + (like[0] * 0,)
    if BIAS:
        parts = parts + (like[count] * 0,)
    return parts


@triton.jit
def tanh(z):
    """tanh z with an error of at most 4e-16. (Where exp overflows to infinity, its inverse is 0.)"""
    return 1 - 2 / (tl.exp(2 * z) + 1)


@triton.jit
def activated(z, ACTIVATION: tl.constexpr):
    """A neuron's value, and its first and second derivative with respect to its signal z."""
    if ACTIVATION == "relu":
        value = tl.maximum(z, 0.0, propagate_nan=tl.PropagateNan.ALL)  # NaN stays NaN
        slope = tl.where(z > 0, value * 0 + 1, value * 0)
        curve = value * 0
    elif ACTIVATION == "gelu":
        below = 0.5 * (1 + tl.erf(z * _SQRT_HALF))
        density = tl.exp(-0.5 * z * z) * _NORMAL
        value = z * below
        slope = below + z * density
        curve = density * (2 - z * z)
    else:
        value = tanh(z)
        slope = 1 - value * value
        curve = -2 * value * slope
        if ACTIVATION == "xtanh":
            curve = 2 * slope + z * curve
            slope = value + z * slope
            value = z * value
    return value, slope, curve


@triton.jit
def sweep(theta, x, y, x_at, y_at, points, GROUPS: tl.constexpr, BIAS: tl.constexpr, ACTIVATION: tl.constexpr):
    """Every member's loss [M], and N/2 times its gradient in the layout of `theta`."""
    pulls = zeros(theta, 3 * GROUPS, BIAS)
    squares = tl.sum(theta[0] * 0, 1)[:, None]
    for n in range(points):
        here = tl.load(x + x_at + n)[:, None]
        signal = theta[0] * 0
        values = ()
        slopes = ()
        for k in tl.static_range(GROUPS):
            value, slope, _ = activated(theta[k] * here + theta[GROUPS + k], ACTIVATION)
            signal += value * theta[2 * GROUPS + k]
            values = values + (value,)
            slopes = slopes + (slope,)
        error = tl.sum(signal, 1)[:, None] - tl.load(y + y_at + n)[:, None]
        if BIAS:
            error += theta[3 * GROUPS]
        squares += error * error
        by_weight = ()
        by_bias = ()
        by_outgoing = ()
        for k in tl.static_range(GROUPS):
            pull = error * slopes[k]
            by_weight = by_weight + (pulls[k] + pull * here,)
            by_bias = by_bias + (pulls[GROUPS + k] + pull,)
            by_outgoing = by_outgoing + (pulls[2 * GROUPS + k] + error * values[k],)
        shift = ()
        if BIAS:
            shift = (pulls[3 * GROUPS] + error,)
        pulls = by_weight + by_bias + by_outgoing + shift
    gradients = ()
    for k in tl.static_range(2 * GROUPS):
        gradients = gradients + (pulls[k] * theta[2 * GROUPS + k % GROUPS],)
    for k in tl.static_range(GROUPS):
        gradients = gradients + (pulls[2 * GROUPS + k],)
    if BIAS:
        gradients = gradients + (pulls[3 * GROUPS],)
    return tl.sum(squares, 1) / points, gradients


@triton.jit
def sweep_along(
    theta, along, x, y, x_at, y_at, points, GROUPS: tl.constexpr, BIAS: tl.constexpr, ACTIVATION: tl.constexpr
):
    """`sweep`, and N/2 times the Hessian's product with `along`: every line of `sweep` differentiated in that direction."""
    pulls = zeros(theta, 3 * GROUPS, BIAS)
    turns = zeros(theta, 3 * GROUPS, BIAS)
    squares = tl.sum(theta[0] * 0, 1)[:, None]
    for n in range(points):
        here = tl.load(x + x_at + n)[:, None]
        signal = theta[0] * 0
        change = theta[0] * 0
        values = ()
        slopes = ()
        value_changes = ()
        slope_changes = ()
        for k in tl.static_range(GROUPS):
            value, slope, curve = activated(theta[k] * here + theta[GROUPS + k], ACTIVATION)
            step = along[k] * here + along[GROUPS + k]
            signal += value * theta[2 * GROUPS + k]
            change += value * along[2 * GROUPS + k] + slope * step * theta[2 * GROUPS + k]
            values = values + (value,)
            slopes = slopes + (slope,)
            value_changes = value_changes + (slope * step,)
            slope_changes = slope_changes + (curve * step,)
        error = tl.sum(signal, 1)[:, None] - tl.load(y + y_at + n)[:, None]
        error_change = tl.sum(change, 1)[:, None]
        if BIAS:
            error += theta[3 * GROUPS]
            error_change += along[3 * GROUPS]
        squares += error * error
        by_weight = ()
        by_bias = ()
        by_outgoing = ()
        turn_by_weight = ()
        turn_by_bias = ()
        turn_by_outgoing = ()
        for k in tl.static_range(GROUPS):
            pull = error * slopes[k]
            turn = error_change * slopes[k] + error * slope_changes[k]
            by_weight = by_weight + (pulls[k] + pull * here,)
            by_bias = by_bias + (pulls[GROUPS + k] + pull,)
            by_outgoing = by_outgoing + (pulls[2 * GROUPS + k] + error * values[k],)
            turn_by_weight = turn_by_weight + (turns[k] + turn * here,)
            turn_by_bias = turn_by_bias + (turns[GROUPS + k] + turn,)
            bent = error_change * values[k] + error * value_changes[k]
            turn_by_outgoing = turn_by_outgoing + (turns[2 * GROUPS + k] + bent,)
        shift = ()
        turn_of_shift = ()
        if BIAS:
            shift = (pulls[3 * GROUPS] + error,)
            turn_of_shift = (turns[3 * GROUPS] + error_change,)
        pulls = by_weight + by_bias + by_outgoing + shift
        turns = turn_by_weight + turn_by_bias + turn_by_outgoing + turn_of_shift
    gradients = ()
    images = ()
    for k in tl.static_range(2 * GROUPS):
        outgoing = theta[2 * GROUPS + k % GROUPS]
        gradients = gradients + (pulls[k] * outgoing,)
        images = images + (pulls[k] * along[2 * GROUPS + k % GROUPS] + turns[k] * outgoing,)
    for k in tl.static_range(GROUPS):
        gradients = gradients + (pulls[2 * GROUPS + k],)
        images = images + (turns[2 * GROUPS + k],)
    if BIAS:
        gradients = gradients + (pulls[3 * GROUPS],)
        images = images + (turns[3 * GROUPS],)
    return tl.sum(squares, 1) / points, gradients, images


@triton.jit
def per_point(like, points):
    """2/N in the precision of the numbers that `like` points to: Triton would divide integers in float32."""
    return tl.full((), 2, like.dtype.element_ty) / points


@triton.jit
def times(numbers, factor, count: tl.constexpr, BIAS: tl.constexpr):
    """Every tensor multiplied by a number."""
    parts = ()
    for i in tl.static_range(count):
        parts = parts + (numbers[i] * factor,)
    if BIAS:
        parts = parts + (numbers[count] * factor,)
    return parts


@triton.jit(do_not_specialize=SIZES)
def gradient(
    parameters,
    losses,
    gradients,
    x,
    y,
    x_hop,
    y_hop,
    members,
    points,
    width,
    size,
    GROUP: tl.constexpr,
    GROUPS: tl.constexpr,
    TOGETHER: tl.constexpr,
    BIAS: tl.constexpr,
    ACTIVATION: tl.constexpr,
):
    """Write losses [B] and gradients [B, P] at `parameters` [B, P]. Points are [1, N] with hop 0, or [B, N] with hop N."""
    member = tl.program_id(0) * TOGETHER + tl.arange(0, TOGETHER)
    real = member < members
    member = tl.where(real, member, 0).to(tl.int64)
    columns = tl.arange(0, GROUP)
    theta = read(parameters, member * size, real, columns, width, 3, GROUPS, BIAS)
    loss, pulls = sweep(theta, x, y, member * x_hop, member * y_hop, points, GROUPS, BIAS, ACTIVATION)
    parts = times(pulls, per_point(parameters, points), 3 * GROUPS, BIAS)
    tl.store(losses + member, loss, mask=real)
    write(gradients, member * size, real, columns, width, parts, 3, GROUPS, BIAS)


@triton.jit(do_not_specialize=SIZES)
def products(
    parameters,
    vectors,
    losses,
    gradients,
    images,
    x,
    y,
    x_hop,
    y_hop,
    members,
    points,
    width,
    size,
    GROUP: tl.constexpr,
    GROUPS: tl.constexpr,
    TOGETHER: tl.constexpr,
    BIAS: tl.constexpr,
    ACTIVATION: tl.constexpr,
):
    """`gradient`, and the Hessians' products `images` [B, K, P] with `vectors` [B, K, P]."""
    member = tl.program_id(0) * TOGETHER + tl.arange(0, TOGETHER)
    vector, count = tl.program_id(1), tl.num_programs(1)
    real = member < members
    member = tl.where(real, member, 0).to(tl.int64)
    columns = tl.arange(0, GROUP)
    there = (member * count + vector) * size
    theta = read(parameters, member * size, real, columns, width, 3, GROUPS, BIAS)
    along = read(vectors, there, real, columns, width, 3, GROUPS, BIAS)
    loss, pulls, turns = sweep_along(
        theta, along, x, y, member * x_hop, member * y_hop, points, GROUPS, BIAS, ACTIVATION
    )
    write(
        images,
        there,
        real,
        columns,
        width,
        times(turns, per_point(parameters, points), 3 * GROUPS, BIAS),
        3,
        GROUPS,
        BIAS,
    )
    if vector == 0:
        tl.store(losses + member, loss, mask=real)
        parts = times(pulls, per_point(parameters, points), 3 * GROUPS, BIAS)
        write(gradients, member * size, real, columns, width, parts, 3, GROUPS, BIAS)
