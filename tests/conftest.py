"""What every test runs under: our own Hypothesis profiles, executed shape annotations, one torch thread."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from jaxtyping import install_import_hook

# Shapes are checked where tensors are made; the hook must be in place before those rooms are imported.
install_import_hook(["spikecheck.problems", "spikecheck.dynamics"], "beartype.beartype")

_PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink)


def _profile(name: str, examples: int) -> None:
    """Every field set: a profile inherits other defaults where the variable CI is set."""
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=_PHASES,
        print_blob=True,
        report_multiple_bugs=True,
        stateful_step_count=50,
        suppress_health_check=[HealthCheck.too_slow],
        backend="hypothesis",
    )


_profile("spikecheck-dev", 30)
_profile("spikecheck-ci", 60)
_profile("spikecheck-full", 500)
settings.load_profile(os.environ.get("SPIKECHECK_HYPOTHESIS", "spikecheck-dev"))


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Two busy processes with two torch threads each run many times slower; tests may run under xdist."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _names_in_doctests(doctest_namespace: dict[str, object]) -> None:
    import torch

    from spikecheck.core.setting import Setting
    from spikecheck.core.spike import Spike, SpikeDefinition

    doctest_namespace.update(np=np, torch=torch, Setting=Setting, Spike=Spike, SpikeDefinition=SpikeDefinition)


@pytest.fixture(autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's store."""
    monkeypatch.setenv("SPIKECHECK_STORE", str(tmp_path_factory.getbasetemp() / "store"))
