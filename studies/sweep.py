"""Every optimizer of torch.optim and of five other packages, unmodified, compared with torch's ordinary loop.

    python studies/sweep.py [--out docs/sweep.md] [PACKAGE or PACKAGE:CLASS ...]      (nox -s thirdparty installs them)

The ordinary loop is an `nn.Module`, `zero_grad`, `backward` and `step`, from the same parameters on the same data. It shares
no code with the laboratory except the seed of an optimizer's draws. Where the two end at different numbers, the loop is run
again from parameters changed by a relative 1e-13. If that alone makes as large a difference, it is chaos and not a fault.
"""

import argparse
import inspect
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from spikecheck.core.errors import SpikecheckError
from spikecheck.core.setting import Setting
from spikecheck.models.mlp import MLP
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.instances import Coupled
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.tensors.seeding import seed_of
from spikecheck.training.loop import begin, train
from spikecheck.training.rule_for import rule_for

PACKAGES = {
    "torch.optim": "torch",
    "pytorch_optimizer": "pytorch-optimizer",
    "heavyball": "heavyball",
    "schedulefree": "schedulefree",
    "lion_pytorch": "lion-pytorch",
    "prodigyopt": "prodigyopt",
}
"""Module, and the package that contains it. pytorch_optimizer and heavyball have Muon, SOAP and related optimizers."""
STEPS, MEMBERS, LR, MOVED = 200, 2, 0.01, 1e-13
ROUNDING = 1e-9
"""Largest difference of a parameter, relative to the largest parameter, that counts as rounding."""
CHAOS = 100.0
"""A difference counts as chaos up to this multiple of the difference that the moved start makes."""
SECONDS = 240


@dataclass(frozen=True)
class Compared:
    """One optimizer and its verdict: same, chaos, refused, different or late."""

    path: str
    verdict: str
    says: str
    runs_as: str = ""


class Net(nn.Module):
    """A member's perceptron as a user would write it."""

    def __init__(self, flat: Tensor, sizes: tuple[int, ...]) -> None:
        super().__init__()
        inputs, width, outputs = sizes
        self.first, self.second = nn.Linear(inputs, width).double(), nn.Linear(width, outputs, bias=False).double()
        weight, bias, outgoing = flat.split_with_sizes([inputs * width, width, width * outputs])
        with torch.no_grad():
            self.first.weight.copy_(weight.view(inputs, width).T)
            self.first.bias.copy_(bias)
            self.second.weight.copy_(outgoing.view(width, outputs).T)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs [N, O] at inputs [N, D]."""
        outputs: Tensor = self.second(torch.tanh(self.first(x)))
        return outputs

    def flat(self) -> Tensor:
        """All parameters in the laboratory's order."""
        parts = (self.first.weight.T, self.first.bias, self.second.weight.T)
        return torch.cat([part.detach().reshape(-1) for part in parts])


def setting_of(path: str) -> Setting:
    """The setting in which an optimizer is tried."""
    return Setting(problem="mnist1d", points=60, width=8, optimizer=path, lr=LR, steps=STEPS)


def ours(setting: Setting) -> tuple[Tensor, str]:
    """Every member's final parameters as the laboratory trains them, and how the optimizer ran."""
    goal = build_objective([setting] * MEMBERS)
    for _ in range(2):
        rule = rule_for(goal)
        assert isinstance(rule, NamedOptimizer)
        start = begin(goal, rule, goal.initial(range(MEMBERS)), torch.full((MEMBERS,), LR, dtype=torch.float64))
        try:
            end = train(goal, rule, start, torch.full((MEMBERS,), STEPS), _silent).end
        except Coupled:
            continue
        parts = ["one instance for all" if rule.shares_an_instance else "one instance a member"]
        parts += ["closure"] if rule.abilities.closure else []
        parts += ["cannot be resumed"] if rule.abilities.resumes else []
        return end.params, ", ".join(parts)
    raise AssertionError


def _silent(steps: int) -> None:
    """Report no progress: two hundred steps take little time."""


def ordinary(setting: Setting, member: int, moved: float = 0.0) -> Tensor:
    """The final parameters of one nn.Module in torch's ordinary loop."""
    goal = build_objective([setting] * MEMBERS)
    for closure in (False, True):
        try:
            return _looped(goal, setting, member, moved, closure)
        except Exception:
            if closure:
                raise
    raise AssertionError


def _looped(goal: Objective, setting: Setting, member: int, moved: float, closure: bool) -> Tensor:
    assert isinstance(goal.model, MLP)
    start = goal.initial(range(MEMBERS))[member]
    noise = torch.randn(len(start), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    net = Net(start * (1.0 + moved * noise), goal.model.sizes)
    module, _, name = setting.optimizer.partition(":")
    optimizer = getattr(import_module(module), name)(net.parameters(), lr=LR)
    if hasattr(optimizer, "train") and hasattr(optimizer, "eval"):
        optimizer.train()
    x, y = goal.train.x[0], goal.train.y[0]

    def evaluated() -> Tensor:
        optimizer.zero_grad()
        with torch.enable_grad():
            loss: Tensor = (net(x) - y).square().mean()
            loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    for done in range(STEPS):
        number = seed_of(member, "optimizer", done)
        torch.default_generator.manual_seed(number)
        random.seed(number)
        np.random.seed(number % 2**32)  # noqa: NPY002 - some optimizers draw from it
        evaluated()
        if closure:
            optimizer.step(evaluated)
        else:
            optimizer.step()
    return net.flat()


def compared(path: str) -> Compared:
    """Compare the laboratory's training with the ordinary loop."""
    setting = setting_of(path)
    try:
        measured, how = ours(setting)
    except SpikecheckError as error:
        return Compared(path, "refused", f"{_line(error)}{_in_the_loop(setting)}")
    theirs = torch.stack([ordinary(setting, member) for member in range(MEMBERS)])
    apart = _apart(measured, theirs)
    if apart <= ROUNDING:
        return Compared(path, "same", f"{apart:.0e}", how)
    moved = _apart(torch.stack([ordinary(setting, member, MOVED) for member in range(MEMBERS)]), theirs)
    verdict = "chaos" if apart <= CHAOS * moved else "different"
    return Compared(path, verdict, f"{apart:.0e}; {moved:.0e} from a start moved by {MOVED:g}", how)


def _in_the_loop(setting: Setting) -> str:
    try:
        end = ordinary(setting, 0)
    except Exception as error:
        return f" (the ordinary loop: {type(error).__name__}: {_line(error)})"
    still = torch.equal(end, build_objective([setting] * MEMBERS).initial(range(MEMBERS))[0])
    return f" (the ordinary loop {'moves none either' if still else 'runs'})"


def _apart(one: Tensor, other: Tensor) -> float:
    if not (one.isfinite().all() and other.isfinite().all()):
        return 0.0 if torch.equal(one.isfinite(), other.isfinite()) else float("inf")
    return float((one - other).abs().max() / other.abs().max())


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def classes(module: str) -> list[str]:
    """The public optimizers of a module."""
    shown = vars(import_module(module)).items()
    paths = [
        f"{module}:{name}"
        for name, value in shown
        if inspect.isclass(value) and issubclass(value, torch.optim.Optimizer) and not name.startswith("_")
    ]
    return sorted(set(paths) - {f"{module}:Optimizer"})


def in_a_process_of_its_own(path: str) -> Compared:
    """Compare in a separate process, since an optimizer may crash, hang or change global state."""
    line = [sys.executable, __file__, "--one", path]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Compared(path, "late", f"not done after {SECONDS} s")
    if done.returncode:
        return Compared(
            path, "different", (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:300]
        )
    return Compared(**json.loads(done.stdout.splitlines()[-1]))


def text(comparisons: Sequence[Compared]) -> str:
    """The page."""
    counts = Counter(one.verdict for one in comparisons)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES.values())
    lines = [
        "# Every optimizer against torch's ordinary loop\n",
        f"Made by `python studies/sweep.py` ({packages}): {told}. {STEPS} full-batch steps at a rate of {LR:g} on 60 signals",
        "of mnist1d, two seeds, against an `nn.Module` with `zero_grad`, `backward`, `step`. *Same*: the parameters end",
        f"within {ROUNDING:g} of the largest. *Chaos*: further apart, but no more than {CHAOS:g} times as far as the ordinary",
        f"loop ends from itself when its start is moved by {MOVED:g}. *Different* would be a fault of spikecheck's.\n",
        "| optimizer | verdict | apart, or why | runs as |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{one.path}` | {one.verdict} | {one.says.replace('|', '/')} | {one.runs_as} |" for one in comparisons]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Compare all optimizers, two at a time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("only", nargs="*", default=list(PACKAGES), help="packages' modules, or MODULE:CLASS")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "sweep.md")
    parser.add_argument("--one", metavar="MODULE:CLASS", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.one:
        print(json.dumps(asdict(compared(asked.one))))
        return
    paths = [path for part in asked.only for path in ([part] if ":" in part else classes(part))]
    with ThreadPoolExecutor(2) as pool:
        comparisons = list(pool.map(_told(in_a_process_of_its_own), paths))
    asked.out.write_text(text(comparisons), encoding="utf-8")
    if any(one.verdict in ("different", "late") for one in comparisons):
        raise SystemExit(1)


def _told(work: Callable[[str], Compared]) -> Callable[[str], Compared]:
    def telling(path: str) -> Compared:
        comparison = work(path)
        print(f"{comparison.path}: {comparison.verdict}: {comparison.says[:200]}", file=sys.stderr, flush=True)
        return comparison

    return telling


if __name__ == "__main__":
    main()
