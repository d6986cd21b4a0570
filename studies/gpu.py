"""Measures this machine's GPU: `python studies/gpu.py` writes reports/gpu.json and reports/gpu.md.

Parts are run one by one and saved in gpu.json, so an interrupted run can be resumed; `--again` repeats parts that are there.

- tests: the tests that need a GPU.
- verdicts: three claims at their reference settings on 256 seeds, compared with another machine's CPU (`--device cpu`).
- rates: member-steps per second by number of members, width and precision, compared with ordinary torch code.
- commands: spikecheck's own commands, from a shell, with nothing stored.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import nn

from spikecheck import SETTING_A, SETTING_B, Laboratory, Setting, discover
from spikecheck.harness.evidence import gather
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.training.loop import begin, train
from spikecheck.training.one_update import update
from spikecheck.training.rule_for import rule_for

ROOT = Path(__file__).parents[1]
CLAIMS = ("condensation", "ascent-rate", "edge-of-stability")
FIRST_SEED = 10_000
"""No other study uses seeds from here on."""
COMMANDS = {
    "first command": ("verify", "--claim", "condensation"),
    "the same in full": ("verify", "--claim", "condensation", "--profile", "full"),
    "all claims, ci": ("verify", "--profile", "ci"),
    "all claims, full": ("verify", "--profile", "full"),
}
Numbers = dict[str, Any]


# ---- tests -----------------------------------------------------------------------------------------------------------


def tests(device: str, small: bool) -> Numbers:
    """Run the suite's tests of devices and kernels, and those that need a GPU."""
    training = ["tests/training/test_devices.py", "tests/training/test_segment_gpu.py"]
    paths = [*training, "tests/objective/test_gpu_shallow.py", "tests/kernels", "tests/gpu"]
    if small:
        return {"said": "not run"}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    print(done.stdout[-6_000:], done.stderr[-2_000:], sep="\n")
    said = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-500:]
    return {"said": said, "passed": done.returncode == 0, "seconds": time.perf_counter() - started}


# ---- verdicts --------------------------------------------------------------------------------------------------------


def verdicts(device: str, small: bool) -> Numbers:
    """Every claim's effect by seed, and the seconds that it took."""
    seeds = range(FIRST_SEED, FIRST_SEED + (4 if small else 256))
    figures: Numbers = {}
    for name in CLAIMS[: 1 if small else None]:
        claim = discover().claims[name]
        lab = Laboratory(device=device)  # type: ignore[arg-type]
        started = time.perf_counter()
        evidence = gather(claim, lab, {claim.domain.reference: seeds})[claim.domain.reference]
        held = [None if score is None else bool(met) for score, met in zip(evidence.scores, evidence.held, strict=True)]
        figures[name] = {"seconds": time.perf_counter() - started, "scores": list(evidence.scores), "held": held}
        lab.close()
        print(f"{name}: {figures[name]['seconds']:.1f} s", flush=True)
    if device == "cuda":
        figures["peak memory, GiB"] = torch.cuda.max_memory_allocated() / 2**30
    return figures


def compared(mine: Numbers, theirs: Numbers) -> Numbers:
    """Compare one claim on two devices. The seeds are the same, so tests for independent samples are conservative."""
    one, other = ([score for score in each["scores"] if score is not None] for each in (mine, theirs))
    met, met_there = ([bool(h) for h in each["held"] if h is not None] for each in (mine, theirs))
    table = [[sum(met), len(met) - sum(met)], [sum(met_there), len(met_there) - sum(met_there)]]
    return {
        "p of the effects' distributions (Kolmogorov-Smirnov)": float(stats.ks_2samp(one, other).pvalue),
        "p of the shares (Fisher)": float(stats.fisher_exact(np.array(table)).pvalue),
    }


def _share(each: Numbers) -> str:
    held = [h for h in each["held"] if h is not None]
    interval = stats.binomtest(sum(held), len(held)).proportion_ci(0.95, "exact")
    return f"{sum(held)} of {len(held)} [{interval.low:.2f}, {interval.high:.2f}]"


def _mean(each: Numbers) -> str:
    scores = np.array([score for score in each["scores"] if score is not None])
    half = 1.96 * scores.std(ddof=1) / len(scores) ** 0.5
    return f"{scores.mean():.4g} ± {half:.2g}"


# ---- rates -----------------------------------------------------------------------------------------------------------


def rates(device: str, small: bool) -> Numbers:
    """Member-steps per second."""
    members = (1, 2) if small else (1, 32, 256, 1_024, 16_384)
    figures: Numbers = {}
    for name, setting in (
        ("A", SETTING_A),
        ("A, float32", SETTING_A.but(dtype="float32")),
        ("A, Adam", SETTING_A.but(optimizer="adam", lr=0.01)),
        ("B (width 200)", SETTING_B),
    ):
        figures[name] = {str(count): _ours(setting, count, device, small) for count in members}
        print(name, {count: f"{rate:.3g}" for count, rate in figures[name].items()}, flush=True)
    images = Setting(problem="mnist1d", points=1_000, width=50, depth=2, steps=2_000, lr=0.05)
    some = members[:2] if small else (1, 32, 256)
    figures["mnist1d, two layers of 50"] = {str(count): _ours(images, count, device, small) for count in some}
    otherwise: Numbers = {"nn.Module and torch.optim.SGD, one member": _ordinary(device, small)}
    for count in members[-2:]:
        otherwise[f"vmap(grad), {count:,} members"] = _vmapped(count, device, small)
        otherwise[f"our steps dispatched one by one, {count:,} members"] = _dispatched(SETTING_A, count, device, small)
    otherwise["mnist1d, dispatched, 256 members"] = _dispatched(images, some[-1], device, small)
    figures["otherwise"] = otherwise
    if device == "cuda":
        figures["floor, tanh alone"] = import_module("studies.gpu_floor").tanh_alone()
    print({name: f"{rate:.3g}" for name, rate in otherwise.items()}, figures.get("floor, tanh alone"), flush=True)
    return figures


def _ours(setting: Setting, members: int, device: str, small: bool) -> float:
    """Member-steps per second of a training as in a laboratory, checkpoints included."""
    steps = 20 if small else 2_000
    goal, lr = _laid(setting, members, device)
    rule = rule_for(goal)
    start = begin(goal, rule, goal.initial(range(members)), lr)
    until = torch.full_like(start.done, steps)
    return members * steps / _seconds(lambda: train(goal, rule, start, until, lambda _: None, 100), device)


def _dispatched(setting: Setting, members: int, device: str, small: bool) -> float:
    """Member-steps per second when Python dispatches every step of all members."""
    steps = 5 if small else 100
    goal, lr = _laid(setting, members, device)
    goal = goal if device == "cpu" else _without_kernels(goal)
    rule = rule_for(goal)
    start = begin(goal, rule, goal.initial(range(members)), lr)
    until = torch.full_like(start.done, steps)

    def stepped() -> None:
        ensemble = start
        for _ in range(steps):
            losses, slopes = goal.gradient(ensemble.params)
            ensemble = update(rule, ensemble, losses, slopes, until)

    return members * steps / _seconds(stepped, device)


def _without_kernels(goal: Objective) -> Objective:
    """The same objective, computed by torch's operations."""
    shallow = import_module("spikecheck.objective.analytic_shallow").Shallow
    if shallow.fits(goal.model, goal.settings[0].loss):
        goal.__dict__["written_out"] = shallow(goal.model, goal.train.x, goal.train.y, goal.members)
    return goal


def _ordinary(device: str, small: bool) -> float:
    """Steps per second of torch's ordinary training loop."""
    steps = 5 if small else 300
    x = torch.linspace(-2 * torch.pi, 2 * torch.pi, 20, dtype=torch.float64, device=device)[:, None]
    y = x.sin()
    model = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 1, bias=False)).to(device, torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    def loop() -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    return steps / _seconds(loop, device)


def _vmapped(members: int, device: str, small: bool) -> float:
    """Member-steps per second of torch's own way to train ensembles: `vmap` of `grad` over stacked parameters."""
    steps = 5 if small else 100
    x = torch.linspace(-2 * torch.pi, 2 * torch.pi, 20, dtype=torch.float64, device=device)[:, None]
    y = x.sin()
    start = [0.3 * torch.randn(members, *shape, dtype=torch.float64, device=device) for shape in ((20,), (20,), (20,))]

    def loss(w: torch.Tensor, b: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        return ((torch.tanh(x * w + b) @ a)[:, None] - y).square().mean()

    slopes = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1, 2)))

    def loop() -> None:
        params = start
        for _ in range(steps):
            params = [p - 0.05 * g for p, g in zip(params, slopes(*params), strict=True)]

    return members * steps / _seconds(loop, device)


def _laid(setting: Setting, members: int, device: str) -> tuple[Objective, torch.Tensor]:
    settings = [setting] * members
    lr = torch.tensor([each.lr for each in settings], dtype=torch.float64, device=device)
    return build_objective(settings, device), lr


def _seconds(work: Callable[[], object], device: str) -> float:
    """The shortest time of three runs, in seconds, after one run that compiles."""
    work()
    times = []
    for _ in range(3):
        _synchronize(device)
        started = time.perf_counter()
        work()
        _synchronize(device)
        times.append(time.perf_counter() - started)
    return min(times)


def _synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


# ---- commands --------------------------------------------------------------------------------------------------------


def commands(device: str, small: bool, limit: float = 150.0) -> Numbers:
    """The seconds that each command takes; a command is stopped after `limit` seconds."""
    figures: Numbers = {}
    for name, words in list(COMMANDS.items())[: 0 if small else None]:
        with tempfile.TemporaryDirectory() as folder:
            env = {**os.environ, "XDG_CACHE_HOME": folder, "TRITON_CACHE_DIR": str(Path(tempfile.gettempdir()) / "tri")}
            options = ("--device", device, "--json", str(Path(folder) / "report.json"))
            started = time.perf_counter()
            try:
                done = subprocess.run(
                    [sys.executable, "-m", "spikecheck", *words, *options],
                    capture_output=True,
                    text=True,
                    env=env,
                    timeout=limit,
                    check=False,
                )
                figures[name] = {"seconds": time.perf_counter() - started, "exit": done.returncode}
                last = done.stderr[-600:]
            except subprocess.TimeoutExpired as stopped:
                figures[name] = {"seconds": limit, "exit": "stopped"}
                last = (stopped.stderr or b"")[-600:].decode()
        print(name, figures[name], last, sep="\n", flush=True)
    return figures


# ---- the page --------------------------------------------------------------------------------------------------------

PARTS: dict[str, Callable[[str, bool], Numbers]] = {
    "tests": tests,
    "verdicts": verdicts,
    "rates": rates,
    "commands": commands,
}


def machine(device: str) -> Numbers:
    """The machine on which the numbers were measured."""
    figures: Numbers = {"torch": torch.__version__, "cores": os.cpu_count()}
    if device == "cuda":
        said = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        figures["card and driver"] = subprocess.run(said, capture_output=True, text=True, check=False).stdout.strip()
        figures["triton"] = str(import_module("triton").__version__) if find_spec("triton") else "none"
    return figures


def page(figures: Numbers) -> str:
    """The numbers as Markdown."""
    here = figures.get("cuda", {})
    lines = ["# What a GPU gives", "", "Written by `python studies/gpu.py`; every figure is in gpu.json.", ""]
    lines += [f"{name}: {value}  " for name, value in here.get("machine", {}).items()] or ["Not run on a GPU so far."]
    written = {"tests": _tests_part, "verdicts": _verdicts_part, "rates": _rates_part, "commands": _commands_part}
    for part, write in written.items():
        if part in here:
            lines += ["", *write(figures)]
    return "\n".join([*lines, ""])


def _tests_part(figures: Numbers) -> list[str]:
    return ["## Tests", "", figures["cuda"]["tests"]["said"]]


def _verdicts_part(figures: Numbers) -> list[str]:
    lines = ["## The same claims on both devices", ""]
    lines += ["256 seeds each at the claim's reference; 95 % intervals; the CPU is that of another machine.", ""]
    lines += ["| claim | device | seconds | held | mean effect |", "| --- | --- | --: | --- | --- |"]
    for name in CLAIMS:
        sides = {kind: figures.get(kind, {}).get("verdicts", {}).get(name) for kind in ("cuda", "cpu")}
        present = {kind: each for kind, each in sides.items() if each}
        lines += [
            f"| {name} | {kind} | {each['seconds']:.1f} | {_share(each)} | {_mean(each)} |"
            for kind, each in present.items()
        ]
        if len(present) == 2:
            both = compared(present["cuda"], present["cpu"])
            lines += [f"| | | | {', '.join(f'{test}: {p:.2g}' for test, p in both.items())} | |"]
    return lines


def _rates_part(figures: Numbers) -> list[str]:
    rates = figures["cuda"]["rates"]
    lines = ["## Member-steps a second", "", "By number of members, checkpoints included:", ""]
    for name, each in rates.items():
        if isinstance(each, dict) and name != "otherwise":
            lines += [f"- {name}: " + ", ".join(f"{int(count):,}: {rate:.2e}" for count, rate in each.items())]
    lines += ["", "What one would write otherwise, setting A unless said:", ""]
    lines += [f"- {name}: {rate:.2e}" for name, rate in rates["otherwise"].items()]
    if "floor, tanh alone" in rates:
        lines += [f"- the floor, nothing but the 400 tanh of a step: {rates['floor, tanh alone']:.2e}"]
    return lines


def _commands_part(figures: Numbers) -> list[str]:
    lines = ["## Commands, nothing stored, kernels compiled once", ""]
    listed = figures["cuda"]["commands"].items()
    return lines + [f"- {name}: {each['seconds']:.0f} s (exit {each['exit']})" for name, each in listed]


def main() -> None:
    """Run the parts that are missing, and write both files after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--part", choices=PARTS, action="append", help="run only these parts; by default all")
    parser.add_argument("--again", action="store_true", help="repeat parts that are there already")
    parser.add_argument("--small", action="store_true", help="a dry run of some seconds, whose numbers mean nothing")
    parser.add_argument("--out", type=Path, default=ROOT / "reports")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: torch sees no GPU here; use --device cpu")
    sys.path.insert(0, str(ROOT))
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "gpu.json"
    figures: Numbers = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    mine = figures.setdefault(given.device, {})
    mine["machine"] = machine(given.device)
    for name in given.part or PARTS:
        if name in mine and not given.again:
            continue
        print(f"== {name}", flush=True)
        mine[name] = PARTS[name](given.device, given.small)
        for file, text in ((path, json.dumps(figures)), (given.out / "gpu.md", page(figures))):
            beside = file.with_suffix(".part")
            beside.write_text(text + ("\n" if file == path else ""), encoding="utf-8")
            beside.replace(file)
    print(page(figures))


if __name__ == "__main__":
    main()
