"""Two processes that train one model together log what one process with the joined batch does."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.watched import Look, Step
from spikecheck.watch.log import WatchLog

SCRIPT = Path(__file__).parent / "joint_training.py"
WITHIN = 120
"""Seconds after which processes count as waiting for one another for ever."""


TRAININGS = {
    "plain": ["0.0:all", "0.5:all"],
    "ddp": ["0.0:none", "0.0:first", "0.0:all", "0.5:none", "0.5:all", "0.0:failing"],
    "fsdp": ["0.0:none", "0.0:first", "0.0:all", "0.5:none", "0.5:all"],
}
"""By the way of joining: the norm to which gradients are clipped, 0 for none, and who watches.

Regression: after a training that one process watched alone, the Watches of later ones did not find one another.
"""


@dataclass(frozen=True)
class Trained:
    """The trainings of one way, made one after the other by the same processes."""

    folder: Path
    way: str

    def ends(self, watched: str, clip: float = 0.0) -> list[Any]:
        """The parameters at the end, of each process."""
        files = sorted(self.folder.glob(f"{self.way}-{clip}-{watched}-*.json"))
        assert len(files) == (1 if self.way == "plain" else 2)
        return [json.loads(end.read_text()) for end in files]

    def steps(self, watched: str, clip: float = 0.0) -> list[Step]:
        """What the first process logged."""
        return list(WatchLog.open(self.folder / f"{self.way}-{clip}-{watched}-0.jsonl").ordered())


def train(folder: Path, way: str) -> Trained:
    """The trainings of a way. torchrun lets two processes meet at a port of their own."""
    alone = [sys.executable, "-W", "ignore"]
    together = [*alone, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words = [*(alone if way == "plain" else together), str(SCRIPT), str(folder), way, *TRAININGS[way]]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            _, errors = process.communicate(timeout=WITHIN)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # the processes that torchrun started as well
            raise
    assert process.returncode == 0, errors
    return Trained(folder, way)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("plain"), "plain")


@pytest.fixture(scope="module")
def ddp(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("ddp"), "ddp")


@pytest.fixture(scope="module")
def fsdp(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("fsdp"), "fsdp")


def figures(look: Look) -> dict[str, Any]:
    """Every number of a look."""
    layers = {
        f"{name}.{key}": value for name, layer in look.layers.items() for key, value in layer.model_dump().items()
    }
    names = ("slope", "change", "update_norm", "gradient_norm")
    return {**layers, **{name: getattr(look, name) for name in names}}


@pytest.mark.parametrize("clip", [0.0, 0.5], ids=["free", "clipped"])
@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_two_processes_log_the_numbers_of_one_with_the_joined_batch(
    way: str, clip: float, plain: Trained, request: pytest.FixtureRequest
) -> None:
    joined: Trained = request.getfixturevalue(way)
    watched = joined.ends("all", clip)
    assert watched[0] == watched[1] == joined.ends("none", clip)[0]  # to the last bit
    assert not list(joined.folder.glob(f"*-{clip}-all-1.jsonl"))
    steps, alone = joined.steps("all", clip), plain.steps("all", clip)
    assert {step.processes for step in steps} == {2}
    assert [step.loss for step in steps] == pytest.approx([step.loss for step in alone], rel=1e-4)
    for step, other in zip(steps, alone, strict=True):
        assert (step.look is None) == (other.look is None)
        if step.look is not None and other.look is not None:
            assert figures(step.look) == pytest.approx(figures(other.look), rel=1e-3, abs=1e-6)
            assert step.look.slope_from == other.look.slope_from == "gradient"
            assert step.look.overshoot == pytest.approx(other.look.overshoot, abs=3e-3)


def test_the_first_of_two_ddp_processes_may_watch_alone(ddp: Trained) -> None:
    assert ddp.ends("first") == ddp.ends("none")
    steps = ddp.steps("first")
    assert len(steps) == 30 and {step.processes for step in steps} == {1}
    # The gradient is the mean of both processes', the loss is this one's: the slope is taken from the half step.
    assert {step.look.slope_from for step in steps if step.look is not None} == {"half step"}


def test_a_closure_that_fails_in_one_ddp_process_stops_neither(ddp: Trained) -> None:
    assert ddp.ends("failing") == ddp.ends("none")
    # Step 9 waited for the look at step 10 to join its losses, and there the second process left.
    assert [step.processes for step in ddp.steps("failing")] == [2] * 9 + [1] * 21


def test_sharded_parameters_are_not_watched_by_one_process_alone(fsdp: Trained) -> None:
    assert fsdp.ends("first") == fsdp.ends("none")
    assert len(fsdp.steps("first")) == 0
