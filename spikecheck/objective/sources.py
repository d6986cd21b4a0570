"""The files behind a setting that may change. Their digest is part of what a run is stored under."""

import hashlib
from importlib import import_module

from spikecheck.core.import_path import BUILT_IN, source_digest
from spikecheck.core.recipe import DRIVER_EPOCH, MODULE_EPOCH
from spikecheck.core.setting import Setting

_FROM_FILES = ("mnist", "fashion-mnist")
"""Problems whose files may differ from the published ones. Their modules, which bring torch, are imported when needed."""


def sources(setting: Setting) -> str:
    """A digest of the files behind a setting that may change: sources named by MODULE:NAME, and images; "" without any.

    CIFAR-10's files are not included, since any but the published ones are refused.
    """
    named = {"problem": setting.problem, "model": setting.model, "optimizer": setting.optimizer}
    own = {condition: path for condition, path in named.items() if path not in BUILT_IN[condition]}
    digests = [source_digest(condition, path) for condition, path in own.items()]
    digests += [f"driver {DRIVER_EPOCH}"] if "optimizer" in own else []
    digests += ["rates in float64"] if "optimizer" in own and setting.dtype != "float64" else []
    digests += [f"module {MODULE_EPOCH}"] if "model" in own else []
    digests += [_images(setting.problem)] if setting.problem in _FROM_FILES else []
    return hashlib.sha256("".join(digests).encode()).hexdigest() if digests else ""


def _images(problem: str) -> str:
    module, _ = BUILT_IN["problem"][problem].split(":")
    digest: str = import_module(module).data_digest()
    return digest
