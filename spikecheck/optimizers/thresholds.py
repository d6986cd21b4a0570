"""Stability thresholds of the built-in update rules: closed forms in their numbers. `rules` says what they bound."""

from spikecheck.core.setting import Setting


def gradient_descent(lr: float, weight_decay: float = 0.0) -> float:
    """2/lr - weight_decay: weight decay adds its value to the curvature.

    >>> gradient_descent(0.1)
    20.0
    """
    return 2 / lr - weight_decay


def heavy_ball(lr: float, momentum: float, weight_decay: float = 0.0, *, nesterov: bool = False) -> float:
    """The curvature at which the linearised map of (theta, v) has an eigenvalue of -1, less weight_decay.

    Source: Cohen et al., arXiv 2103.00065.

    >>> heavy_ball(0.1, 0.9), heavy_ball(0.1, 0.5, nesterov=True)
    (38.0, 15.0)
    """
    lookahead = 1 + 2 * momentum if nesterov else 1
    return 2 / lr * (1 + momentum) / lookahead - weight_decay


def rmsprop(lr: float) -> float:
    """2/lr, for the preconditioned sharpness."""
    return 2 / lr


def adam(lr: float, beta1: float, decoupled_decay: float = 0.0) -> float:
    """The preconditioned sharpness at which the linearised map of (theta, m) has an eigenvalue of -1.

    `decoupled_decay` is the weight decay of AdamW; decay that is added to the gradient leaves the threshold as it is.
    Source: Cohen et al., arXiv 2207.14484.

    >>> round(adam(0.01, 0.9))
    3800
    """
    return (2 - lr * decoupled_decay) * (1 + beta1) / ((1 - beta1) * lr)


def threshold_of(setting: Setting) -> float | None:
    """The stability threshold of the setting's rule at its full learning rate; None where no formula is known.

    >>> threshold_of(Setting(optimizer="heavy-ball", momentum=0.9, lr=0.1))
    38.0
    """
    if setting.named:
        return None
    lr, decay, momentum = setting.lr, setting.weight_decay or 0.0, setting.momentum
    match setting.optimizer:
        case "gd":
            return gradient_descent(lr, decay)
        case "heavy-ball" | "nesterov":
            return heavy_ball(lr, _given(momentum), decay, nesterov=setting.optimizer == "nesterov")
        case "rmsprop":
            return rmsprop(lr)
        case _:
            return adam(lr, _given(setting.beta1), decay if setting.optimizer == "adamw" else 0.0)


def _given(number: float | None) -> float:
    """The number itself; a setting has all numbers of its optimizer."""
    assert number is not None
    return number
