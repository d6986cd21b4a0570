"""The first run made once more from the fork on, with nothing changed: does it come again, and what was usual in it?"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.optim import Optimizer

from spikecheck.watch.training import Snapshot, Training
from spikecheck.why.arms import AGAIN
from spikecheck.why.fork import run_fork
from spikecheck.why.precision_arm import autocast_seen
from spikecheck.why.scene import Scene, Usual


@dataclass
class _Noted:
    """What one optimizer did, step by step."""

    rates: list[tuple[float, ...]] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)

    def note(self, optimizer: Optimizer, *step: object) -> None:
        """A hook before a step."""
        self.rates.append(tuple(float(group["lr"] or 0.0) for group in optimizer.param_groups))
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        self.norms.append(float(torch.nn.utils.get_total_norm(gradients)))


def run_again(training: Training, state: Snapshot, scene: Scene) -> tuple[list[float], Usual]:
    """The losses from the fork on with nothing changed, and what the optimizers did meanwhile."""
    optimizers = [part for part in training.state.values() if isinstance(part, Optimizer)]
    with _noted(optimizers) as noted, autocast_seen() as seen:
        losses = run_fork(training, state, AGAIN, scene, 0)
    return losses, _usual(noted, scene.onset - scene.start, autocast=bool(seen))


def first_difference(losses: Sequence[float], others: Sequence[float]) -> int | None:
    """Place of the first loss that is not the same to the bit; None where all are."""
    same = np.array(losses, dtype=np.float64).view(np.uint64) == np.array(others, dtype=np.float64).view(np.uint64)
    return None if same.all() else int(np.argmin(same))


@contextmanager
def _noted(optimizers: list[Optimizer]) -> Iterator[list[_Noted]]:
    noted = [_Noted() for _ in optimizers]
    with ExitStack() as stack:
        for optimizer, own in zip(optimizers, noted, strict=True):
            stack.callback(optimizer.register_step_pre_hook(own.note).remove)
        yield noted


def _usual(noted: list[_Noted], before: int, *, autocast: bool) -> Usual:
    """Medians over the steps before the onset, and how far the whole window departs from them."""
    stepped = [one for one in noted if one.rates]
    if len(stepped) < len(noted) or not stepped:
        return Usual(autocast=autocast)
    early = max(before, 1)
    rates = [np.array([row[: min(map(len, one.rates))] for row in one.rates]) for one in stepped]  # groups may be added
    norms = [np.nan_to_num(np.array(one.norms), posinf=0.0) for one in stepped]
    usual_rates = [np.median(one[:early], axis=0) for one in rates]
    usual_norms = [float(np.median(one[:early])) for one in norms]
    return Usual(
        rates=tuple(tuple(map(float, one)) for one in usual_rates),
        rate_varies=max(_departs(one, usual) for one, usual in zip(rates, usual_rates, strict=True)),
        norms=tuple(usual_norms),
        norm_exceeds=max(_departs(one, usual, above=True) for one, usual in zip(norms, usual_norms, strict=True)),
        autocast=autocast,
    )


def _departs(values: np.ndarray, usual: np.ndarray | float, *, above: bool = False) -> float:
    """Largest relative distance from the usual; 0 where that is 0."""
    ratios = np.divide(
        values, usual, out=np.ones_like(values), where=np.broadcast_to(np.asarray(usual) > 0.0, values.shape)
    )
    return float((ratios.max() if above else np.abs(ratios - 1.0).max() + 1.0) - 1.0)
