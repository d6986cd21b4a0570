"""Every workload that ships: trains to a stated loss, replays bit for bit, and has the size it says."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from spikecheck.core.errors import UnknownName
from spikecheck.watch.replay import first_difference, first_unreplayed
from spikecheck.watch.training import Training
from workloads.gpt import GPT, gpt, unigram_entropy
from workloads.gpt import SIZES as GPT_SIZES
from workloads.mlp import SIZES as MLP_SIZES
from workloads.mlp import mlp
from workloads.modular import modular
from workloads.parts import PARAMETERS, count
from workloads.resnet import SIZES as RESNET_SIZES
from workloads.resnet import ResNet, resnet

# Written before any was trained. Below the entropy of single letters a model must use their context. The others are
# classified: who knows nothing of the input reaches the logarithm of the classes at best, so half of it is learned.
TO: dict[str, tuple[Callable[..., Training], int, float]] = {
    "gpt": (gpt, 200, unigram_entropy()),
    "modular": (modular, 250, math.log(23) / 2),
    "resnet": (resnet, 150, math.log(10) / 2),
    "mlp": (mlp, 150, math.log(10) / 2),
}
# With everything random that they have: dropout, augmentation, shuffled loaders, and schedules that are still moving.
RANDOM: dict[str, Callable[..., Training]] = {
    "gpt": partial(gpt, dropout=0.1),
    "gpt in float16": partial(gpt, dropout=0.1, precision="float16"),
    "modular": partial(modular, dropout=0.1),
    "resnet": partial(resnet, batch=256),
    "mlp": partial(mlp, batch=256, dropout=0.5),
}


@pytest.mark.parametrize("name", TO)
def test_it_trains_to_the_stated_loss(name: str) -> None:
    workload, steps, wanted = TO[name]
    losses = workload(None, 1, "cpu").run(steps)
    assert sum(losses[-20:]) / 20 < wanted < losses[0]


@pytest.mark.parametrize("name", RANDOM)
def test_a_fork_in_the_middle_replays_the_run(name: str) -> None:
    """From a step inside an epoch over the end of it: shuffled again, augmented again, the same masks."""
    training = RANDOM[name](None, 2, "cpu")
    training.run(4)
    start = training.snapshot()
    first = training.run(7)
    end = training.snapshot()
    other = RANDOM[name](None, 2, "cpu")  # as another process would make it, and then go on from a file
    other.run(1)
    other.restore(start)
    assert other.run(7) == first
    assert _tensors(other.snapshot().values) == _tensors(end.values)


@pytest.mark.parametrize("name", RANDOM)
def test_it_is_deterministic_and_holds_all_that_it_changes(name: str) -> None:
    make = partial(RANDOM[name], None, 4, "cpu")
    assert first_difference(make, 3) is None
    assert first_unreplayed(make(), 3) is None


@pytest.mark.parametrize("name", RANDOM)
def test_seeds_differ(name: str) -> None:
    one, other = (RANDOM[name](None, seed, "cpu").run(2) for seed in (0, 1))
    assert one != other


@pytest.mark.parametrize("size", PARAMETERS)
def test_a_size_has_the_parameters_it_says(size: str) -> None:
    width = MLP_SIZES[size]
    with torch.device("meta"):
        models = [GPT(103, 32, *GPT_SIZES[size]), ResNet(1, *RESNET_SIZES[size])]
    counts = [*map(count, models), 64 * width + width**2 + 12 * width]
    assert all(abs(math.log(found / PARAMETERS[size])) < math.log(4 / 3) for found in counts)


@pytest.mark.parametrize(("make", "message"), [
    (partial(gpt, size="big"), "no size of a workload is called 'big'"),
    (partial(mlp, data="cats"), "no data of the workload mlp is called 'cats'"),
    (partial(resnet, images="cats"), "no set of images is called 'cats'"),
])  # fmt: skip
def test_an_unknown_name_is_refused_in_one_line(make: Callable[..., Training], message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        make(None, 0, "cpu")


@pytest.mark.parametrize("workload", [gpt, modular, resnet, mlp])
def test_the_optimizer_is_the_one_given(workload: Callable[..., Training]) -> None:
    training = workload(partial(torch.optim.SGD, lr=0.25), 0, "cpu")
    assert type(training.optimizer) is torch.optim.SGD
    assert training.optimizer.defaults["lr"] == 0.25
    assert math.isfinite(training.run(1)[0])


def test_the_loss_of_a_batch_is_that_of_the_step() -> None:
    training = gpt(None, 0, "cpu")
    start = training.snapshot()
    batches: list[Any] = []
    (wanted,) = training.run(1, lambda step: batches.append(step.batch))
    training.restore(start)
    assert float(training.loss(batches[0]).detach()) == wanted


def _tensors(value: Any) -> list[bytes]:
    """Everything in nested containers as text or bytes, in order."""
    if isinstance(value, dict):
        return [part for key in value for part in _tensors(value[key])]
    if isinstance(value, list | tuple):
        return [part for each in value for part in _tensors(each)]
    if isinstance(value, torch.Tensor):
        return [value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()]
    return [repr(value).encode()]
