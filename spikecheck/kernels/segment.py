"""Many updates in one kernel: parameters and the rule's state stay in registers, losses are written at every step.

The passes over the points are those of `shallow`; the rules are those of `optimizers.rules`. A member whose loss is not finite
keeps the state at which that happened. A member that has made all its updates keeps its last state.
"""

import triton
import triton.language as tl

from spikecheck.kernels.shallow import SIZES, per_point, read, sweep, write


@triton.jit
def moved(p, g, first, second, numbers, rate, pace, root, RULE: tl.constexpr, DECAYED: tl.constexpr):
    """Some parameters, and up to two slots of the rule's state, after one update.

    `numbers`: momentum or beta1, beta2, eps, weight decay. `pace` is Adam's learning rate divided by its first bias
    correction; `root` is the square root of its second.
    """
    pull = g
    kept = p
    if DECAYED:
        if RULE == "adamw":
            kept = p * (1 - rate * numbers[3])
        else:
            pull = g + numbers[3] * p
    if RULE == "gd":
        after = p - rate * pull
    elif RULE == "heavy-ball":
        first = numbers[0] * first + pull
        after = p - rate * first
    elif RULE == "nesterov":
        first = numbers[0] * first + pull
        after = p - rate * (pull + numbers[0] * first)
    elif RULE == "rmsprop":
        first = numbers[1] * first + (1 - numbers[1]) * (pull * pull)
        after = p - rate * pull / (tl.sqrt(first) + numbers[2])
    else:
        first = numbers[0] * first + (1 - numbers[0]) * pull
        second = numbers[1] * second + (1 - numbers[1]) * (pull * pull)
        after = kept - (pace * first) / (tl.sqrt(second) / root + numbers[2])
    return after, first, second


@triton.jit(do_not_specialize=(*SIZES, "steps", "rate_hop"), do_not_specialize_on_alignment=("losses",))
def segment(
    parameters,
    first,
    second,
    losses,
    done,
    alive,
    until,
    x,
    y,
    rates,
    corrections,
    roots,
    constants,
    new_parameters,
    new_first,
    new_second,
    new_done,
    new_alive,
    steps,
    rate_hop,
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
    RULE: tl.constexpr,
    DECAYED: tl.constexpr,
    SLOTS: tl.constexpr,
):
    """Make `steps` = T updates of B members, and write the losses [T, B] before each.

    They start from `parameters` and the rule's state `first`, `second`, all [B, P].

    A member moves while its loss is finite and `done` < `until`, both [B] counts of updates; `alive` [B] is 0 once its loss
    was not finite. `rates` are [1, B] with `rate_hop` 0, or [T, B] with `rate_hop` B. Adam's `corrections`, of the first
    moment's bias, and `roots`, of the second moment's, are [T, B]. `constants` are the four `numbers` of `moved`.
    """
    member = tl.program_id(0) * TOGETHER + tl.arange(0, TOGETHER)
    real = member < members
    member = tl.where(real, member, 0).to(tl.int64)
    columns = tl.arange(0, GROUP)
    row = member * size
    theta = read(parameters, row, real, columns, width, 3, GROUPS, BIAS)
    one = ()
    two = ()
    if SLOTS > 0:
        one = read(first, row, real, columns, width, 3, GROUPS, BIAS)
    if SLOTS > 1:
        two = read(second, row, real, columns, width, 3, GROUPS, BIAS)
    made = tl.load(done + member, mask=real, other=0)
    living = tl.load(alive + member, mask=real, other=0) != 0
    last = tl.load(until + member, mask=real, other=0)
    numbers = (tl.load(constants), tl.load(constants + 1), tl.load(constants + 2), tl.load(constants + 3))
    share = per_point(parameters, points)
    for step in range(steps):
        loss, pulls = sweep(theta, x, y, member * x_hop, member * y_hop, points, GROUPS, BIAS, ACTIVATION)
        at = member + step * members
        tl.store(losses + at, loss, mask=real)
        living = living & (tl.abs(loss) < float("inf"))
        moves = living & (made < last)
        rate = tl.load(rates + member + step * rate_hop)[:, None]
        pace = rate
        root = rate
        if SLOTS > 1:
            pace = rate / tl.load(corrections + at)[:, None]
            root = tl.load(roots + at)[:, None]
        theta_after = ()
        one_after = ()
        two_after = ()
        for i in tl.static_range(3 * GROUPS + BIAS):
            m = 0.0
            v = 0.0
            if SLOTS > 0:
                m = one[i]
            if SLOTS > 1:
                v = two[i]
            p, m, v = moved(theta[i], pulls[i] * share, m, v, numbers, rate, pace, root, RULE, DECAYED)
            moving = moves[:, None]
            if i < 3 * GROUPS:  # lanes without a neuron stay 0, even where eps is 0
                moving = moving & ((i % GROUPS) * GROUP + columns < width)[None, :]
            theta_after = theta_after + (tl.where(moving, p, theta[i]),)
            if SLOTS > 0:
                one_after = one_after + (tl.where(moving, m, one[i]),)
            if SLOTS > 1:
                two_after = two_after + (tl.where(moving, v, two[i]),)
        theta = theta_after
        one = one_after
        two = two_after
        made = made + moves.to(tl.int64)
    write(new_parameters, row, real, columns, width, theta, 3, GROUPS, BIAS)
    if SLOTS > 0:
        write(new_first, row, real, columns, width, one, 3, GROUPS, BIAS)
    if SLOTS > 1:
        write(new_second, row, real, columns, width, two, 3, GROUPS, BIAS)
    tl.store(new_done + member, made, mask=real)
    tl.store(new_alive + member, living.to(tl.int8), mask=real)
