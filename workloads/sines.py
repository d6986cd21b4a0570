"""The network whose spikes under gradient descent the claims take apart: 20 tanh neurons learn sin x, setting A.

The same data, initial weights and precision as `spikecheck.SETTING_A` with the same seed, as a training of a torch module.
"""

import torch
from torch import Tensor, nn

from spikecheck.core.errors import SettingError
from spikecheck.data.sines import sines as points_of
from spikecheck.harness.paper_settings import SETTING_A
from spikecheck.models.mlp import MLP
from spikecheck.watch.training import Training

from .parts import MakeOptimizer, count


def sines(
    make_optimizer: MakeOptimizer | None,
    seed: int,
    device: str,
    *,
    target: str = SETTING_A.target,
    points: int = SETTING_A.points,
    width: int = SETTING_A.width,
) -> Training:
    """A hidden layer of tanh neurons on a sum of sines, the full batch at every step; loss is the mean squared error.

    Args:
        make_optimizer: called with the named parameters; None for gradient descent at setting A's rate.
        seed: of the initial weights; there is nothing else random.
        device: such as "cpu" or "cuda".
        target: a sum such as "sin x + 0.5 sin 4x".
        points: on an even grid over two periods of sin x.
        width: neurons.
    """
    if width < 1:
        raise SettingError(f"width={width!r}: give 1 or more")
    setting = SETTING_A.but(target=target, points=points, width=width)
    model = _model(MLP((1, width, 1), "tanh").initial(setting, seed), width).to(device)
    default = torch.optim.SGD(model.parameters(), lr=setting.lr)
    optimizer = default if make_optimizer is None else make_optimizer(model.named_parameters())
    whole = points_of(setting)

    def loss_of(batch: tuple[Tensor, Tensor]) -> Tensor:
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    def step(batch: tuple[Tensor, Tensor]) -> Tensor:
        loss = loss_of(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return Training(
        step=step,
        batches=[(whole.x.to(device), whole.y.to(device))],
        state={"model": model, "optimizer": optimizer},
        loss=loss_of,
        about={"parameters": count(model), "samples a step": points},
    )


def _model(initial: Tensor, width: int) -> nn.Sequential:
    """The module with these weights: incoming, biases, outgoing; float64."""
    incoming, biases, outgoing = initial.split(width)
    hidden, out = nn.Linear(1, width, dtype=torch.float64), nn.Linear(width, 1, bias=False, dtype=torch.float64)
    with torch.no_grad():
        hidden.weight.copy_(incoming[:, None])
        hidden.bias.copy_(biases)
        out.weight.copy_(outgoing[None])
    return nn.Sequential(hidden, nn.Tanh(), out)
