"""Two processes that train one model together log what one process with the joined batch does."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.watched import Look, Step
from spikecheck.watch.log import WatchLog

SCRIPT = Path(__file__).parent / "joint_training.py"
WITHIN = 120
"""Seconds after which processes count as waiting for one another for ever."""


def train(folder: Path, way: str, clip: float = 0.0, watched: str = "all") -> tuple[list[Any], list[Any]]:
    """Parameters at the end, of each process: of a training that nobody watches, and then of the watched one.

    The same processes make both: most of their time is torch's import. torchrun lets them meet at a port of their own.
    """
    alone = [sys.executable, "-W", "ignore"]
    together = [*alone, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words = [*(alone if way == "plain" else together), str(SCRIPT), str(folder), way, str(clip), watched]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            _, errors = process.communicate(timeout=WITHIN)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # the processes that torchrun started as well
            raise
    assert process.returncode == 0, errors
    bare, own = (sorted(folder.glob(f"{way}-{who}-*.json")) for who in ("none", watched))
    assert len(bare) == len(own) == (1 if way == "plain" else 2)
    return [json.loads(end.read_text()) for end in bare], [json.loads(end.read_text()) for end in own]


def logged(folder: Path, way: str) -> list[Step]:
    return list(WatchLog.open(folder / f"{way}0.jsonl").ordered())


def figures(look: Look) -> dict[str, Any]:
    """Every number of a look."""
    layers = {
        f"{name}.{key}": value for name, layer in look.layers.items() for key, value in layer.model_dump().items()
    }
    names = ("slope", "change", "update_norm", "gradient_norm")
    return {**layers, **{name: getattr(look, name) for name in names}}


@pytest.fixture(scope="module", params=[0.0, 0.5], ids=["free", "clipped"])
def one(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[float, Path, list[Step]]:
    folder = tmp_path_factory.mktemp("one")
    train(folder, "plain", request.param)
    return request.param, folder, logged(folder, "plain")


@pytest.mark.parametrize("way", ["ddp", "fsdp"])
def test_two_processes_log_the_numbers_of_one_with_the_joined_batch(
    way: str, one: tuple[float, Path, list[Step]]
) -> None:
    clip, folder, alone = one
    bare, watched = train(folder, way, clip)
    assert watched[0] == watched[1] == bare[0]  # to the last bit
    assert not (folder / f"{way}1.jsonl").exists()
    steps = logged(folder, way)
    assert {step.processes for step in steps} == {2}
    assert [step.loss for step in steps] == pytest.approx([step.loss for step in alone], rel=1e-4)
    for step, other in zip(steps, alone, strict=True):
        assert (step.look is None) == (other.look is None)
        if step.look is not None and other.look is not None:
            assert figures(step.look) == pytest.approx(figures(other.look), rel=1e-3, abs=1e-6)
            assert step.look.slope_from == other.look.slope_from == "gradient"
            assert step.look.overshoot == pytest.approx(other.look.overshoot, abs=3e-3)


def test_the_first_of_two_ddp_processes_may_watch_alone(tmp_path: Path) -> None:
    bare, watched = train(tmp_path, "ddp", watched="first")
    assert watched == bare
    steps = logged(tmp_path, "ddp")
    assert len(steps) == 30 and {step.processes for step in steps} == {1}
    # The gradient is the mean of both processes', the loss is this one's: the slope is taken from the half step.
    assert {step.look.slope_from for step in steps if step.look is not None} == {"half step"}


def test_a_closure_that_fails_in_one_ddp_process_stops_neither(tmp_path: Path) -> None:
    bare, watched = train(tmp_path, "ddp", watched="failing")
    assert watched == bare
    steps = logged(tmp_path, "ddp")
    # Step 9 waited for the look at step 10 to join its losses, and there the second process left.
    assert [step.processes for step in steps] == [2] * 9 + [1] * 21


def test_sharded_parameters_are_not_watched_by_one_process_alone(tmp_path: Path) -> None:
    bare, watched = train(tmp_path, "fsdp", watched="first")
    assert watched == bare
    assert len(logged(tmp_path, "fsdp")) == 0
