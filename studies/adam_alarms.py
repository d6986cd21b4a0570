"""How often two warnings of Adam's spikes are false: the preconditioned sharpness, and the overshoot.

    python studies/adam_alarms.py --seeds 8 --out docs/adam-alarms.md

Each training is setting A under torch.optim.Adam in an ordinary loop: sin x on 20 points, 20 tanh neurons, full batch. At
every step two quantities are computed, both 1 at the threshold of stability. The sharpness is the largest eigenvalue of the
dense preconditioned Hessian over 2 (1 + beta1)/((1 - beta1) lr) (arXiv 2207.14484). The overshoot is 1 - dL/(g.u), with dL
the change of the loss in the step u. An alarm is an upward crossing of 1; for `Watch`, as it warns, the third value above 1
in a row. An alarm is true where a spike's onset follows within WITHIN steps; spikes are those of
`spikecheck.SpikeDefinition`. arXiv 2506.04805 counts 1,010 crossings of the sharpness for 77 spikes.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from spikecheck.core.spike import SpikeDefinition
from spikecheck.measures.spikes import spikes

WITHIN = 100
"""Steps from an alarm to the onset that it warns of: as many as forks part before an onset (80), rounded up."""
POINTS, WIDTH, RATE, BETAS, EPS, STEPS = 20, 20, 0.02, (0.9, 0.999), 1e-8, 6_000
THRESHOLD = 2 * (1 + BETAS[0]) / ((1 - BETAS[0]) * RATE)


@dataclass(frozen=True)
class Alarms:
    """What one warning did in all trainings together."""

    raised: int
    true: int
    spikes: int
    announced: int
    """Spikes with an alarm in the WITHIN steps before their onset."""

    def __add__(self, other: "Alarms") -> "Alarms":
        mine, theirs = vars(self).values(), vars(other).values()
        return Alarms(*(one + two for one, two in zip(mine, theirs, strict=True)))


def loss_of(theta: Tensor) -> Tensor:
    """Mean squared error of a two-layer net [3 WIDTH] on sin x at setting A's points."""
    weights, biases, outputs = theta.reshape(3, WIDTH)
    x = torch.linspace(-2 * torch.pi, 2 * torch.pi, POINTS, dtype=theta.dtype)
    predicted = torch.tanh(x[:, None] * weights + biases) @ outputs
    loss: Tensor = (predicted - torch.sin(x)).square().mean()
    return loss


def trained(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Losses [STEPS + 1], sharpness [STEPS] and overshoot [STEPS], both over their thresholds."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(3 * WIDTH, generator=generator, dtype=torch.float64)
    theta = (WIDTH**-0.5 * weights).requires_grad_()  # gamma = 0.5
    adam = torch.optim.Adam([theta], lr=RATE, betas=BETAS, eps=EPS)
    losses, sharpness, overshoot = [], [], []
    for _ in range(STEPS):
        before = theta.detach().clone()
        loss = loss_of(theta)
        (gradient,) = torch.autograd.grad(loss, theta)
        theta.grad = gradient
        adam.step()
        losses.append(float(loss.detach()))
        sharpness.append(preconditioned_sharpness(before, adam.state[theta]) / THRESHOLD)
        moved = theta.detach() - before
        change, slope = loss_of(theta.detach()) - loss.detach(), gradient @ moved
        overshoot.append(float(1 - change / slope))
    return np.array([*losses, float(loss_of(theta.detach()))]), np.array(sharpness), np.array(overshoot)


def preconditioned_sharpness(theta: Tensor, state: dict[str, Tensor]) -> float:
    """The largest eigenvalue of P^-1/2 H P^-1/2, with P = sqrt(v^) + eps of the step that was just made."""
    corrected = state["exp_avg_sq"] / (1 - BETAS[1] ** float(state["step"]))
    scale = (corrected.sqrt() + EPS).rsqrt()
    hessian = torch.func.hessian(loss_of)(theta)
    return float(torch.linalg.eigvalsh(scale[:, None] * hessian * scale)[-1])


def crossings(warning: np.ndarray) -> np.ndarray:
    """Steps at which the warning has come above 1."""
    above = warning > 1
    return np.flatnonzero(above[1:] & ~above[:-1]) + 1


def third_in_a_row(warning: np.ndarray) -> np.ndarray:
    """Steps at which it has been above 1 three times, once in every stretch: `Watch`'s rule, here at every step."""
    above = warning > 1
    thrice = above[2:] & above[1:-1] & above[:-2]
    return crossings(np.concatenate([[0, 0], np.where(thrice, 2.0, 0.0)]))


def counted(raised: np.ndarray, loss: np.ndarray) -> Alarms:
    """Alarms beside the onsets of the spikes."""
    onsets = np.array([spike.onset for spike in spikes(loss, SpikeDefinition())], dtype=int)
    ahead = onsets[None, :] - raised[:, None]
    near = (ahead >= 0) & (ahead <= WITHIN)
    return Alarms(len(raised), int(near.any(1).sum()), len(onsets), int(near.any(0).sum()))


def alarms_of(seed: int) -> dict[str, Alarms]:
    """Every warning's alarms in one training."""
    loss, sharpness, overshoot = trained(seed)
    raised = {
        "preconditioned sharpness": crossings(sharpness),
        "overshoot": crossings(overshoot),
        "overshoot, three steps in a row": third_in_a_row(overshoot),
    }
    return {name: counted(steps, loss) for name, steps in raised.items()}


def page(seeds: int, alarms: dict[str, Alarms]) -> str:
    """The table, in Markdown."""
    rows = [
        f"| {name} | {each.raised:,} | {each.raised - each.true:,} | {each.announced} of {each.spikes} |"
        for name, each in alarms.items()
    ]
    return _PAGE.format(seeds=seeds, steps=STEPS, rate=RATE, betas=BETAS, within=WITHIN, rows="\n".join(rows))


_PAGE = """# False alarms of Adam's spikes

By `python studies/adam_alarms.py --seeds {seeds} --out docs/adam-alarms.md`: {seeds} trainings of {steps:,} steps, setting A
under torch.optim.Adam (lr {rate}, betas {betas}), full batch, measured at every step. An alarm is an upward crossing of the
threshold of stability. It is false where no spike's onset follows within {within} steps.

| warning | alarms | false | spikes announced |
|---|---:|---:|---:|
{rows}

[arXiv 2506.04805](https://arxiv.org/abs/2506.04805) counts 1,010 crossings of the sharpness for 77 spikes. The third line is
the rule by which `spikecheck.Watch` warns, here at every step and not at every tenth.
"""


def main() -> None:
    """Train, count, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--out", type=Path, default=None, help="a Markdown file; printed if not given")
    options = parser.parse_args()
    torch.set_num_threads(1)
    total: dict[str, Alarms] = {}
    for seed in track(range(options.seeds), "trainings"):
        for name, each in alarms_of(seed).items():
            total[name] = total[name] + each if name in total else each
    text = page(options.seeds, total)
    print(text) if options.out is None else options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
