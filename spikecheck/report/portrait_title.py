"""Title and setting of a spike's portrait in words, for terminal and figure."""

from spikecheck.core.portrait import Portrait, Twin
from spikecheck.core.setting import Setting
from spikecheck.report.phrases import conditions

_READ_BY_PROBLEM = {"sines": ("target", "points", "interval"), "few-digits": ("points",)}
_ABOUT_DATA = ("target", "points", "interval")
_ABOUT_NETS = ("width", "depth", "activation")


def title(portrait: Portrait) -> str:
    """The portrait's title."""
    return f"The first spike of seed {portrait.seed}"


def described(setting: Setting) -> str:
    """The conditions that this problem and this model read.

    For a user's own problem or model it is unknown which conditions it reads. Conditions of data and nets are then
    listed only if they differ from their defaults.

    >>> described(Setting(problem="digits", width=30))
    'problem=digits, width=30, depth=1, activation=tanh, optimizer=gd, lr=0.1, steps=5000'
    """
    return conditions(setting, without=_unread(setting))


def ending(twin: Twin) -> str:
    """How a twin ended: diverged, or its alignment and loss."""
    if twin.diverged:
        return f"diverges at step {twin.steps[-1]:.0f}"
    aligned = "" if twin.alignment is None else f"mean |cos| {twin.alignment:.3f}, "
    return f"ends at {aligned}loss {twin.loss[-1]:.3g}"


def _unread(setting: Setting) -> frozenset[str]:
    data: set[str] = set(_ABOUT_DATA) - set(_READ_BY_PROBLEM.get(setting.problem, ()))
    nets = set(_ABOUT_NETS) if ":" in setting.model else set()
    changed = set(setting.differences(Setting()))
    own = {name for name, path in (("data", setting.problem), ("nets", setting.model)) if ":" in path}
    said = (changed & set(_ABOUT_DATA) if "data" in own else set()) | (changed & set(_ABOUT_NETS) if nets else set())
    nothing = {name for name, value in setting.differences(Setting()).items() if value is None}
    return frozenset((data | nets) - said) | nothing
