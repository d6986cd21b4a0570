"""Trainings whose loss spikes for a known reason: the workloads that ship, each with one cause planted.

    spikecheck diagnose --workload studies.planted_causes:mlp ...

docs/causes.md defines the causes and says what an answer must name; it was written before any answer was seen. The plant
begins at a step that the seed draws.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.tensors.seeding import generator_of
from spikecheck.watch.training import Training
from studies.planted_parts import (
    ChangedBatches,
    Clock,
    RepeatedBatches,
    Window,
    relabelled,
    replaced,
    scale_gradients,
)
from workloads.gpt import GPT, _text
from workloads.gpt import gpt as shipped_gpt
from workloads.mlp import mlp as shipped_mlp
from workloads.parts import MakeOptimizer
from workloads.resnet import resnet as shipped_resnet

Family = Literal["data", "schedule", "step", "lag", "rounding", "momentum", "none"]
"""What an answer must name: a row of the table of arms. "none": no cause."""

STEPS = 1_050
"""Steps of a training, of which 120 or more follow the onset."""
ONSETS = range(880, 930)
WITHIN = 100
"""Steps from the onset in which the detector's first spike is the plant's."""
_SCHEDULE = 3_000
"""Steps at which the shipped schedules end: the rate is still high at the onset."""
_QUIET = 2.0**-7
_OFFSET, _OVERFLOW = 2.0**11, 2.0**16


@dataclass
class Planted:
    """A training that a cause is planted in."""

    training: Training
    clock: Clock
    window: Window
    seed: int
    of: "Shipped"
    batches: Any
    around: Callable[[], AbstractContextManager[None]] = nullcontext
    """Entered around every step."""

    @property
    def now(self) -> bool:
        """Whether the step that is being made lies in the window."""
        return self.clock.made in self.window


@dataclass(frozen=True)
class Shipped:
    """A workload, and what plants must know of it."""

    make: Callable[..., Training]
    options: Mapping[str, Any]
    classes: Callable[[], int]
    rare: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    """What a point becomes that nothing in the data is like."""
    optimizers: Mapping[str, MakeOptimizer] = field(default_factory=dict)
    """What stands in for the shipped optimizer, by cause; "" for all other causes."""


@dataclass(frozen=True)
class Cause:
    """One cause that can be planted."""

    family: Family
    length: int
    plant: Callable[[Planted], None]
    workloads: tuple[str, ...] = ("gpt", "resnet", "mlp")
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of a shipped workload that the plant needs."""


def gpt(
    make_optimizer: MakeOptimizer | None, seed: int, device: str, *, cause: str = "none", onset: int = 0
) -> Training:
    """The workload gpt, tiny, eight sequences a step, with a cause planted.

    Args:
        make_optimizer: called with the named parameters; None for the shipped one, or the one that the cause needs.
        seed: of the training, of the step at which the plant begins, and of what it draws.
        device: such as "cpu" or "cuda".
        cause: a name in `CAUSES`.
        onset: step at which the plant begins; 0 for one that the seed draws from `ONSETS`.
    """
    return _planted("gpt", make_optimizer, seed, device, cause, onset)


def resnet(
    make_optimizer: MakeOptimizer | None, seed: int, device: str, *, cause: str = "none", onset: int = 0
) -> Training:
    """The workload resnet, tiny, eight images a step, with a cause planted; arguments as of `gpt`."""
    return _planted("resnet", make_optimizer, seed, device, cause, onset)


def mlp(
    make_optimizer: MakeOptimizer | None, seed: int, device: str, *, cause: str = "none", onset: int = 0
) -> Training:
    """The workload mlp, tiny, with a cause planted; arguments as of `gpt`."""
    return _planted("mlp", make_optimizer, seed, device, cause, onset)


def onset_of(seed: int) -> int:
    """The step at which the plant of a seed begins."""
    return ONSETS[int(torch.randint(len(ONSETS), (), generator=generator_of(seed, "onset")))]


def _planted(
    name: str, make_optimizer: MakeOptimizer | None, seed: int, device: str, cause: str, onset: int
) -> Training:
    planned, of = _cause(cause, name), SHIPPED[name]
    maker = make_optimizer or of.optimizers.get(cause, of.optimizers.get(""))
    training = of.make(maker, seed, device, **of.options, **planned.options.get(name, {}))
    window = Window(onset or onset_of(seed), planned.length)
    planted = Planted(
        training, Clock(), window, seed, of, ChangedBatches(training, window, seed, lambda batch, _: batch)
    )
    planned.plant(planted)

    def step(batch: Any) -> Any:
        with planted.around():
            loss = training._step(batch)
        planted.clock.made += 1
        return loss

    return Training(
        step=step,
        batches=planted.batches,
        state={**training.state, "clock": planted.clock},
        loss=training._loss,
        about={**training.about, "cause": cause, "onset": window.onset},
    )


def _cause(cause: str, workload: str) -> Cause:
    if cause not in CAUSES:
        raise UnknownName("cause", cause, CAUSES)
    if workload not in CAUSES[cause].workloads:
        raise SettingError(
            f"cause={cause!r}: is not planted in {workload}; choose {', '.join(CAUSES[cause].workloads)}"
        )
    return CAUSES[cause]


def _nothing(planted: Planted) -> None:
    pass


def _random_labels(planted: Planted, share: float = 1.0) -> None:
    change = relabelled(planted.of.classes(), share)
    planted.batches = ChangedBatches(planted.training, planted.window, planted.seed, change)


def _without_consequence(planted: Planted) -> None:
    """A batch of random labels that no gradient is taken of, as a guard that skips bad batches does."""
    _random_labels(planted)
    scale_gradients(planted.training, lambda: 0.0 if planted.now else 1.0)


def _rare(planted: Planted) -> None:
    change = replaced(0.25, planted.of.rare)
    planted.batches = ChangedBatches(planted.training, planted.window, planted.seed, change)


def _repeated(planted: Planted) -> None:
    planted.batches = RepeatedBatches(planted.training, planted.window)


def _rate(planted: Planted, factor: float, groups: slice = slice(None)) -> None:
    """The rate of these groups is this much higher within the window. Optimizers read it from them when they step."""

    @contextmanager
    def around() -> Iterator[None]:
        chosen = planted.training.optimizer.param_groups[groups]
        before = [group["lr"] for group in chosen]
        if planted.now:
            for group in chosen:
                group["lr"] *= factor
        yield
        if "scheduler" not in planted.training.state:  # else it has just set the next step's rate
            for group, rate in zip(chosen, before, strict=True):
                group["lr"] = rate

    planted.around = around


def _quiet_before(planted: Planted) -> None:
    """Gradients are a hundredth until the onset: Adam does not mind, but its second moment is small when they grow."""
    scale_gradients(planted.training, lambda: _QUIET if planted.clock.made < planted.window.onset else 1.0)


def _kick(planted: Planted) -> None:
    """The momentum is thirty times itself once."""

    @contextmanager
    def around() -> Iterator[None]:
        if planted.now:
            for slots in planted.training.optimizer.state.values():
                slots["exp_avg" if "exp_avg" in slots else "momentum_buffer"].mul_(30.0)
        yield

    planted.around = around


def _logits_through(planted: Planted, there: Callable[[Tensor], Tensor]) -> None:
    """Within the window, logits go through a function that changes nothing in real numbers."""

    def hook(module: nn.Module, inputs: Any, logits: Tensor) -> Tensor:
        return there(logits) if planted.now else logits

    _head(planted.training.model).register_forward_hook(hook)


def _rounded(planted: Planted) -> None:
    """Logits in bfloat16 get an offset of 2,048 and lose it again; the last of eight bits is then worth 16."""
    device = next(planted.training.model.parameters()).device.type
    if not isinstance(planted.training.model, GPT):
        planted.around = partial(torch.autocast, device, torch.bfloat16)
    _logits_through(planted, lambda logits: logits + _OFFSET - _OFFSET)


def _overflowing(planted: Planted) -> None:
    """Logits in float16 are multiplied by 65,536 and divided by it again; the largest float16 is 65,504."""
    _logits_through(planted, lambda logits: logits * _OVERFLOW / _OVERFLOW)


def _head(model: nn.Module) -> nn.Module:
    """The layer that makes the logits."""
    return model[-1] if isinstance(model, nn.Sequential) else model.get_submodule("head")


def _letters() -> int:
    return _text()[1]


def _rarest(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Nothing but the letter that the text has least of."""
    rarest = int(_text()[0].bincount().argmin())
    return torch.full_like(inputs, rarest), torch.full_like(labels, rarest)


def _bright(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """A picture in which every pixel is white, whatever its class."""
    return torch.full_like(inputs, 16.0), labels


def _by_group(named: Any) -> torch.optim.Optimizer:
    """AdamW as shipped, with the weights that make queries, keys and values in a second group."""
    given = list(named)
    attention = [parameter for name, parameter in given if name.endswith("qkv.weight")]
    others = [parameter for name, parameter in given if not name.endswith("qkv.weight")]
    return torch.optim.AdamW([{"params": others}, {"params": attention}], lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)


SHIPPED: Mapping[str, Shipped] = {
    "gpt": Shipped(
        shipped_gpt,
        {"steps": _SCHEDULE, "batch": 8},
        _letters,
        _rarest,
        {
            "lag": partial(torch.optim.AdamW, lr=1e-2, betas=(0.9, 0.999), weight_decay=0.1),
            "attention": _by_group,
        },
    ),
    "resnet": Shipped(shipped_resnet, {"steps": _SCHEDULE, "batch": 8}, lambda: 10, _bright),
    "mlp": Shipped(shipped_mlp, {}, lambda: 10, _bright, {"": partial(torch.optim.Adam, lr=3e-3)}),
}

CAUSES: Mapping[str, Cause] = {
    "none": Cause("none", 0, _nothing),
    "benign": Cause("none", 1, _without_consequence),
    "bad-batch": Cause("data", 5, _random_labels),
    "label-noise": Cause("data", 20, partial(_random_labels, share=0.5)),
    "repeated-batch": Cause("data", 64, _repeated),
    "rare-input": Cause("data", 5, _rare),
    "rate": Cause("schedule", 10, partial(_rate, factor=30.0)),
    "no-warm-up": Cause("schedule", STEPS, partial(_rate, factor=30.0)),
    "lag": Cause("lag", 0, _quiet_before, ("gpt", "mlp")),
    "rounding": Cause("rounding", 10, _rounded, ("mlp",)),
    "overflow": Cause("rounding", 5, _overflowing, ("gpt",), {"gpt": {"precision": "float16"}}),
    "momentum": Cause("momentum", 1, _kick),
    "attention": Cause("schedule", 20, partial(_rate, factor=100.0, groups=slice(1, None)), ("gpt",)),
}
