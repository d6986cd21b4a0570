"""Linear regressions under Adam, so of constant curvature: in one the second moment falls, another has a fault elsewhere.

    spikecheck diagnose --workload studies.decayed_worlds:quiet ...

Decision 4, in its fifth amendment, says what an answer must name; it was written before any was diagnosed.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from spikecheck.tensors.seeding import generator_of
from spikecheck.watch.training import Training
from studies.planted_parts import Clock, Window
from workloads.parts import MakeOptimizer

STEPS = 900
INPUTS, BATCH, POINTS = 20, 64, 4_096
_RATE, _BETAS, _EPS = 0.03, (0.9, 0.98), 1e-15
_SCALE = 1e-4
"""Of the loss: Adam does not mind, but eps = 1e-3 is then far above the root of the second moment, as in a slingshot."""
_NOISE, _FLOOR = 0.1, 1e-4
"""Standard deviations of the noise of labels, which are about 4. Where all points are in every batch, the gradient vanishes
at the best weights however large the noise is; it only keeps the loss from falling by 20 orders of magnitude."""
_REPORTED = 1e-13
"""Standard deviation of what is added to every loss that a step of `quiet` reports, without a gradient: a third of the lowest
loss. Else that is constant to the last digits, and the nudge of a fork's weights alone is a spike in it."""
_LONGER, _LENGTH = 100.0, 3
_ONSETS = range(500, 550)


def quiet(make_optimizer: MakeOptimizer | None, seed: int, device: str) -> Training:
    """All points at every step: gradients vanish, the second moment falls, and nothing else changes.

    Args:
        make_optimizer: called with the named parameters; None for Adam at rate 0.03, betas 0.9 and 0.98, eps 1e-15.
        seed: of the points and the weights to be found.
        device: such as "cpu" or "cuda".
    """
    return _regression(make_optimizer, seed, device, BATCH, _FLOOR, Window(0, 0), _REPORTED)


def overlong(make_optimizer: MakeOptimizer | None, seed: int, device: str) -> Training:
    """Batches of noisy points, which keep the second moment up; three updates are made 100 times as long after the step.

    Args:
        make_optimizer: as of `quiet`.
        seed: of the points, of the weights to be found, and of the first step that is too long.
        device: such as "cpu" or "cuda".
    """
    onset = _ONSETS[int(torch.randint(len(_ONSETS), (), generator=generator_of(seed, "onset")))]
    return _regression(make_optimizer, seed, device, POINTS, _NOISE, Window(onset, _LENGTH))


def _regression(
    make_optimizer: MakeOptimizer | None,
    seed: int,
    device: str,
    points: int,
    noise: float,
    window: Window,
    reported: float = 0.0,
) -> Training:
    torch.manual_seed(seed)
    model = nn.Linear(INPUTS, 1, bias=False, dtype=torch.float64).to(device)
    default = torch.optim.Adam(model.parameters(), lr=_RATE, betas=_BETAS, eps=_EPS)
    optimizer = default if make_optimizer is None else make_optimizer(model.named_parameters())
    clock = Clock()

    def loss_of(pair: list[Tensor]) -> Tensor:
        wrong = model(pair[0].to(device)) - pair[1].to(device)
        loss: Tensor = 0.5 * _SCALE * wrong.square().mean()
        return loss

    def step(pair: list[Tensor]) -> Tensor:
        optimizer.zero_grad()
        loss = loss_of(pair)
        loss.backward()  # type: ignore[no-untyped-call]
        before = model.weight.detach().clone()
        optimizer.step()
        if clock.made in window:
            with torch.no_grad():
                model.weight.lerp_(before, 1.0 - _LONGER)
        added = torch.randn((), generator=generator_of(seed, "reported", clock.made))
        clock.made += 1
        return loss + reported * float(added)

    return Training(
        step=step,
        batches=DataLoader(_points(seed, points, noise), batch_size=BATCH, shuffle=points > BATCH),
        state={"model": model, "optimizer": optimizer, "clock": clock},
        loss=loss_of,
        about={"points": points, "noise": noise, "onset": window.onset},
    )


def _points(seed: int, points: int, noise: float) -> TensorDataset:
    """Normal inputs [N, 20] and labels [N, 1]."""
    generator = generator_of(seed, "regression")
    options: dict[str, Any] = {"generator": generator, "dtype": torch.float64}
    inputs = torch.randn(points, INPUTS, **options)
    wanted = torch.randn(INPUTS, 1, **options)
    return TensorDataset(inputs, inputs @ wanted + noise * torch.randn(points, 1, **options))
