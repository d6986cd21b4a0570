"""Unmodified optimizers of other packages in the gate, each against torch's AdamW or SGD at the rate its authors recommend.

    python studies/thirdparty.py [--out docs/thirdparty.md] [--store FOLDER]      (nox -s thirdparty installs them)

Each is one call of `spikecheck gate`, as a user would make it. All trainings are stored, so a second run is quick.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from spikecheck.core.scorecard import Change, Scorecard
from spikecheck.core.setting import Setting
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.instances import Coupled
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.report.json_file import read_scorecard
from spikecheck.training.loop import begin, train
from spikecheck.training.rule_for import rule_for

HERE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Entry:
    """An optimizer of a package, and the reference that it is compared with."""

    package: str
    path: str
    lr: float
    against: str = "torch.optim:AdamW"
    reference_lr: float = 0.02


ENTRIES = (
    Entry("schedulefree", "schedulefree:AdamWScheduleFree", 0.02),
    Entry("schedulefree", "schedulefree:RAdamScheduleFree", 0.02),
    Entry("schedulefree", "schedulefree:SGDScheduleFree", 0.1, "torch.optim:SGD", 0.1),
    # Its README: a rate 3 to 10 times smaller than AdamW's.
    Entry("lion-pytorch", "lion_pytorch:Lion", 0.004),
    # Its README: leave the rate at 1.
    Entry("prodigyopt", "prodigyopt:Prodigy", 1.0),
    Entry("pytorch-optimizer", "pytorch_optimizer:AdaBelief", 0.02),
    Entry("pytorch-optimizer", "pytorch_optimizer:Lamb", 0.02),
    Entry("pytorch-optimizer", "pytorch_optimizer:Tiger", 0.004),
    Entry("pytorch-optimizer", "pytorch_optimizer:SOAP", 0.02),
)

HEAD = """# Optimizers of other packages, through the gate as they come

Made by `nox -s thirdparty` (`python studies/thirdparty.py`): the default suite, 16 seeds a setting, against torch's AdamW at a
rate of 0.02, or SGD at 0.1. Rates are those that the packages' authors name beside Adam's, and tuned no further: a row that is
worse says how these settings train at this rate, and no more. A row is of all settings together or of the one that is named.

| optimizer | rate | package | runs as | exit code | worse | better | seconds |
|---|---:|---|---|---:|---|---|---:|
"""
REFUSED = (
    ("pytorch-optimizer", "pytorch_optimizer:Muon", 0.02),
    ("pytorch-optimizer", "pytorch_optimizer:SophiaH", 0.02),
    ("pytorch-optimizer", "pytorch_optimizer:SAM", 0.02),
)


def gated(entry: Entry, store: Path | None, folder: Path) -> tuple[int, Scorecard | str]:
    """The exit code of `spikecheck gate`, and its scorecard, or its last message where it wrote none."""
    file = folder / f"{entry.path.replace(':', '.')}.json"
    line = [sys.executable, "-m", "spikecheck", "gate", "--optimizer", entry.path, "--set", f"lr={entry.lr}"]
    line += ["--against", entry.against, "--against-set", f"lr={entry.reference_lr}", "--json", str(file)]
    line += ["--store", str(store)] if store is not None else []
    done = subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if not file.exists():
        return done.returncode, done.stderr.strip().splitlines()[-1]
    return done.returncode, read_scorecard(file)


def runs_as(path: str, lr: float) -> str:
    """How an optimizer runs, as seen in a small training; that its rule is not elementwise may only show after some steps."""
    setting = Setting(problem="mnist1d", points=20, width=6, optimizer=path, lr=lr, steps=1_000)
    goal, rates = build_objective([setting] * 2), torch.full((2,), lr, dtype=torch.float64)
    with suppress(Coupled):
        rule = rule_for(goal)
        train(goal, rule, begin(goal, rule, goal.initial(range(2)), rates), torch.full((2,), setting.steps), _silent)
    rule = rule_for(goal)
    assert isinstance(rule, NamedOptimizer)
    able = rule.abilities
    parts = ["one instance for all" if rule.shares_an_instance else "one instance a member"]
    parts += ["closure"] if able.closure else []
    parts += ["train() and eval()"] if able.averages else []
    parts += ["cannot be forked"] if able.resumes else []
    return ", ".join(parts)


def _silent(steps: int) -> None:
    """Report no progress: a thousand steps of so small a net take little time."""


def table(store: Path | None) -> Iterable[str]:
    """Yield one line per optimizer as it is done."""
    with tempfile.TemporaryDirectory() as folder:
        for entry in ENTRIES:
            code, card = gated(entry, store, Path(folder))
            name, package = entry.path.partition(":")[2], f"{entry.package} {version(entry.package)}"
            if isinstance(card, str):
                raise SystemExit(f"{entry.path}: exit code {code}: {card}")
            rows_of = {change: _listed(card, change) for change in (Change.WORSE, Change.BETTER)}
            yield (
                f"| {name} | {entry.lr:g} | {package} | {runs_as(entry.path, entry.lr)} | {code} "
                f"| {rows_of[Change.WORSE]} | {rows_of[Change.BETTER]} | {card.seconds:.0f} |\n"
            )
        yield "\nRefused, with the reason:\n\n"
        for package, path, lr in REFUSED:
            code, said = gated(Entry(package, path, lr), store, Path(folder))
            if not isinstance(said, str):
                raise SystemExit(f"{path}: was expected to be refused, exit code {code}")
            yield f"- {package}'s {path.partition(':')[2]} (exit code {code}): {said}\n"


def _listed(card: Scorecard, change: Change) -> str:
    """Names of the rows for all settings together; rows of one setting are listed only where those are not."""
    whole = {row.name for row in card.rows if row.alarms and not row.where and row.change is change}
    told = [r.title for r in card.rows if r.alarms and r.change is change and (not r.where or r.name not in whole)]
    return ", ".join(told) or "-"


def main() -> None:
    """Train what is not stored yet, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--store", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=HERE / "docs" / "thirdparty.md")
    asked = parser.parse_args()
    lines = [HEAD]
    for line in table(asked.store):
        print(line, end="", file=sys.stderr, flush=True)
        lines.append(line)
    asked.out.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
