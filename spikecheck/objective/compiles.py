"""Which trainings have compiled derivatives, where there is a compiler. It is part of what a run is stored under."""

from spikecheck.core.import_path import BUILT_IN
from spikecheck.core.setting import Setting

SHALLOW_FROM = 1_000
"""Fewest updates for which a shallow network's training is compiled: compiling takes about what it saves (`nox -s bench`)."""
MODULE_FROM = 5_000
"""The same of a user's module: compiling takes seconds in every process, and saves a millisecond or two per update."""


def should_compile(setting: Setting) -> bool:
    """Whether a setting's trainings are compiled where a compiler exists. It depends on the setting alone, as digests must."""
    if setting.model not in BUILT_IN["model"]:
        return setting.batch is None and setting.steps >= MODULE_FROM
    shallow = (setting.problem, setting.model, setting.depth, setting.loss) == ("sines", "mlp", 1, "mse")
    return shallow and setting.steps >= SHALLOW_FROM
