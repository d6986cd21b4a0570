"""Runs extra forward passes without side effects on random states, buffers, modes and gradients."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.parallel import DistributedDataParallel

Generator = torch.Generator | random.Random | np.random.Generator | np.random.RandomState


class RandomState:
    """The state of every random generator that a forward pass may use."""

    def __init__(self, devices: Sequence[torch.device], generators: Sequence[Generator] = ()) -> None:
        """Read the states of the CPU's generators, of those of `devices`, and of `generators`."""
        self._generators = [_as_it_is(one) for one in generators]
        self._cpu = torch.get_rng_state()
        self._cuda = {device: torch.cuda.get_rng_state(device) for device in devices if device.type == "cuda"}
        self._mps = torch.mps.get_rng_state() if any(device.type == "mps" for device in devices) else None
        self._python = random.getstate()
        self._numpy: Any = np.random.get_state()  # noqa: NPY002 - the user's, whichever they use

    def put_back(self) -> None:
        """Restore the state of every generator."""
        torch.set_rng_state(self._cpu)
        for device, state in self._cuda.items():
            torch.cuda.set_rng_state(state, device)
        if self._mps is not None:
            torch.mps.set_rng_state(self._mps)
        random.setstate(self._python)
        np.random.set_state(self._numpy)  # noqa: NPY002
        for put_back, state in self._generators:
            put_back(state)


def held_generators(model: nn.Module) -> list[Generator]:
    """The random generators that are attributes of the model's modules."""
    return [value for module in model.modules() for value in vars(module).values() if isinstance(value, Generator)]


def _as_it_is(generator: Generator) -> tuple[Callable[[Any], object], Any]:
    """What sets a generator's state, and its state now."""
    if isinstance(generator, random.Random):
        return generator.setstate, generator.getstate()
    if isinstance(generator, np.random.Generator):
        return partial(setattr, generator.bit_generator, "state"), generator.bit_generator.state
    return generator.set_state, generator.get_state()


@contextmanager
def undisturbed(
    model: nn.Module, devices: Sequence[torch.device], generators: Sequence[Generator] = ()
) -> Iterator[Callable[[], bool]]:
    """A context for forward passes that restores whatever they change, also after an exception.

    What it yields restores modes and buffers between two passes, so that both read the same. It returns whether buffers had
    changed that a pass may read as well, as those of a spectral norm; batch norm does not read what it changes.
    """
    modules = list(model.modules())
    modes = [(module, module.training, dict(module._buffers)) for module in modules]
    buffers = {id(one): one for module in modules for one in module._buffers.values() if one is not None}
    contents = {number: buffer.detach().clone() for number, buffer in buffers.items()}
    parameters = [one for module in modules for one in module._parameters.values() if one is not None]
    gradients = [(parameter, parameter.grad) for parameter in parameters]

    def put_back() -> bool:
        now = list(_held(modules))
        for mode in modes:
            _put_back(*mode)
        changed = [id(one) for one in now] != [id(one) for one in _held(modules)]
        changed = changed or any(_differs(one, contents[id(one)]) for one in now)
        for number, buffer in buffers.items():
            _fill(buffer, contents[number])
        return changed

    with ExitStack() as stack:
        stack.callback(RandomState(devices, generators).put_back)
        stack.callback(put_back)
        for module in modules:
            _without_buffer_broadcast(module, stack)
        stack.callback(_put_back_gradients, gradients)
        stack.enter_context(torch.no_grad())
        yield put_back


def _put_back(module: nn.Module, training: bool, buffers: dict[str, Tensor | None]) -> None:
    """Set attributes directly: `module.train` may be overridden, and it would change the children."""
    if module.training is not training:  # setting a module's attribute takes long
        module.training = training
    if module._buffers or buffers:
        module._buffers.clear()
        module._buffers.update(buffers)


def _held(modules: Sequence[nn.Module]) -> Iterator[Tensor]:
    """The buffers that a pass may read and change. Batch norm in training does not read the statistics that it changes."""
    for module in modules:
        if not isinstance(module, _NormBase):
            yield from (one for one in module._buffers.values() if one is not None)


def _differs(one: Tensor, other: Tensor) -> bool:
    if one.layout is not torch.strided:  # of which torch compares none
        return False
    alike = (one.dtype, one.device, one.shape) == (other.dtype, other.device, other.shape)
    return not alike or not torch.equal(one, other)


def _put_back_gradients(gradients: Sequence[tuple[nn.Parameter, Tensor | None]]) -> None:
    for parameter, gradient in gradients:
        if parameter.grad is not gradient:
            parameter.grad = gradient


def _fill(buffer: Tensor, content: Tensor) -> None:
    buffer.data.copy_(content)


def _without_buffer_broadcast(module: nn.Module, stack: ExitStack) -> None:
    """Do not synchronise buffers: one process must not wait for the others in an extra pass."""
    if isinstance(module, DistributedDataParallel):
        stack.callback(setattr, module, "require_forward_param_sync", module.require_forward_param_sync)
        module.require_forward_param_sync = False
