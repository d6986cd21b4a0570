"""How often detectors of loss spikes alarm falsely, and which spikes they find: `python studies/detectors.py` writes
docs/detectors.md; `--ours` measures spikecheck's detector alone.

Noise is planted, so the truth is known. The peers are written from the sources named in PEERS, with their default
thresholds and with the threshold at which they alarm falsely once in 10,000 steps of the same noise, which in a real
training nobody knows.
"""

import math
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from spikecheck.watch.detector import detect

STEPS, WARM_UP = 200_000, 5_000
SPIKES, APART = 50, 500
"""Planted spikes of each height, and mean of the steps from one to the next."""
WITHIN = 30
"""Steps after its onset in which a spike has to be noticed."""
HEIGHTS = (2, 3, 4, 6, 8, 12)
LEVEL, SPREAD = 2.5, 0.1
"""Of the planted loss: relative rules depend on both."""

Alarms = Callable[[np.ndarray], list[int]]
Noise = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
"""Losses without spikes [steps], and their spread at each step [steps]."""


def ours(losses: np.ndarray) -> list[int]:
    """spikecheck's: every spike's alarm."""
    return [spike.alarm for spike in detect(range(len(losses)), losses)]


def lightning(losses: np.ndarray, rtol: float = 2.0) -> list[int]:
    """Farther from the running mean of ten than `rtol` times that mean, and above the last loss."""
    kept: deque[float] = deque(maxlen=10)
    alarms, last = [], 0.0
    for step, loss in enumerate(losses.tolist()):
        mean = sum(kept) / len(kept) if kept else loss
        if kept and loss > last and abs(loss - mean) >= abs(rtol * mean):
            alarms.append(step)
        else:
            kept.append(loss)
            last = loss
    return alarms


def llm_c(losses: np.ndarray, threshold: float = 3.0, window: int = 128) -> list[int]:
    """z-score among the last `window` losses, itself included; two outliers in a row are left out of the window."""
    kept: deque[float] = deque(losses[:window].tolist(), maxlen=window)
    total, squares = sum(kept), sum(loss * loss for loss in kept)
    alarms, skipped = [], 0
    for step, loss in enumerate(losses[window:].tolist(), window):
        oldest = kept[0]
        mean = (total + loss - oldest) / window
        variance = (squares + loss * loss - oldest * oldest) / window - mean * mean
        outlier = variance > 0.0 and (loss - mean) / math.sqrt(variance) > threshold
        skipped = skipped + 1 if outlier else 0
        if outlier:
            alarms.append(step)
        if not outlier or skipped >= 3:
            kept.append(loss)
            total, squares = total + loss - oldest, squares + loss * loss - oldest * oldest
    return alarms


def llm_foundry(losses: np.ndarray, multiplier: float = 2.0) -> list[int]:
    """Five losses in a row at least `multiplier` times the mean of the last hundred."""
    kept: deque[float] = deque(losses[:100].tolist(), maxlen=100)
    total = sum(kept)
    alarms, row = [], 0
    for step, loss in enumerate(losses[100:].tolist(), 100):
        row = row + 1 if loss >= multiplier * total / 100 else 0
        if row > 4:
            alarms.append(step)
        total += loss - kept[0]
        kept.append(loss)
    return alarms


PEERS: dict[str, tuple[Callable[..., list[int]], float, float, float]] = {
    "Lightning SpikeDetection (lightning/fabric/utilities/spike.py)": (lightning, 2.0, 0.0, 8.0),
    "llm.c z-score (llmc/outlier_detector.h)": (llm_c, 3.0, 0.5, 11.0),
    "llm-foundry KillLossSpike": (llm_foundry, 2.0, 1.0, 4.0),
}
"""The rule, its default threshold (llm.c's default is off; 3 is usual), and the range in which an equal one is looked
for."""


def gaussian(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Independent Gaussian noise."""
    return _around(LEVEL, rng.standard_normal(steps), np.full(steps, SPREAD))


def student(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Heavy tails: Student's t with three degrees of freedom."""
    # 1.134: the robust spread (1.4826 times the quartile .7649) of Student's t with three degrees of freedom.
    return _around(LEVEL, rng.standard_t(3, steps) / 1.134, np.full(steps, SPREAD))


def heteroscedastic(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The spread swings between one and three times its smallest value, over 2,000 steps."""
    spread = SPREAD * (2.0 + np.sin(2.0 * np.pi * np.arange(steps) / 2_000))
    return _around(LEVEL, rng.standard_normal(steps), spread)


def trending(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The level falls as the inverse root of the step."""
    level = LEVEL + 5.0 * (1.0 + np.arange(steps) / 50.0) ** -0.5
    return _around(level, rng.standard_normal(steps), np.full(steps, SPREAD))


def periodic(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Batches in the same order every epoch of 700 steps, a stretch of 40 of them three spreads harder."""
    difficulty = rng.standard_normal(700)
    difficulty[100:140] += 3.0
    level = LEVEL + SPREAD * difficulty[np.arange(steps) % 700]
    return _around(level, rng.standard_normal(steps), np.full(steps, SPREAD))


def correlated(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The loss wanders: AR(1) with a memory of ten steps. Not exchangeable, so nothing is promised."""
    drive, noise = rng.standard_normal(steps) * math.sqrt(1 - 0.9**2), np.empty(steps)
    state = 0.0
    for step, push in enumerate(drive.tolist()):
        noise[step] = state = 0.9 * state + push
    return _around(LEVEL, noise, np.full(steps, SPREAD))


def _around(level: np.ndarray | float, noise: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return level + spread * noise, spread


NOISES: dict[str, Noise] = {
    "Gaussian": gaussian,
    "Student t, 3 degrees": student,
    "heteroscedastic": heteroscedastic,
    "trending": trending,
    "periodic by epoch": periodic,
    "correlated (AR 0.9)": correlated,
}

SHAPES: dict[str, np.ndarray] = {"one step": np.ones(1), "decaying over 20 steps": np.exp(-np.arange(40) / 20.0)}


def events(alarms: Sequence[int]) -> int:
    """Alarms, neighbours counted once."""
    return int(np.count_nonzero(np.diff(alarms, prepend=-1_000) > 5))


def equal_threshold(rule: Callable[..., list[int]], low: float, high: float, losses: np.ndarray) -> float:
    """The smallest threshold with at most one false alarm in 10,000 steps."""
    for _ in range(12):
        middle = (low + high) / 2.0
        rare = events(rule(losses, middle)) <= len(losses) / 10_000
        low, high = (low, middle) if rare else (middle, high)
    return high


def power(rule: Alarms, noise: Noise, shape: np.ndarray, height: float, seed: int) -> float:
    """Share of the planted spikes that are noticed."""
    rng = np.random.default_rng(seed)
    # Not evenly: what comes at equal distances is an epoch's, and no spike.
    onsets = WARM_UP + np.cumsum(rng.integers(APART // 2, 3 * APART // 2, SPIKES))
    losses, spread = noise(rng, int(onsets[-1]) + APART)
    for onset in onsets:
        losses[onset : onset + len(shape)] += height * spread[onset] * shape
    alarms = np.array(rule(losses), dtype=int)
    return float(np.mean([bool(((alarms >= onset) & (alarms < onset + WITHIN)).any()) for onset in onsets]))


def _at(rule: Callable[..., list[int]], threshold: float) -> Alarms:
    return lambda losses: rule(losses, threshold)


def judged(name: str, noise: Noise, losses: np.ndarray) -> list[str]:
    """Lines of the table for one noise."""
    rules: dict[str, Alarms] = {"spikecheck": ours}
    for peer, (rule, default, low, high) in PEERS.items():
        equal = equal_threshold(rule, low, high, losses)
        short = peer.split(" (")[0]
        rules[f"{short}, {default:g}"] = _at(rule, default)
        rules[f"{short}, {equal:.3g} (equal)"] = _at(rule, equal)
    return [line(name, noise, losses, label, alarms) for label, alarms in rules.items()]


def line(name: str, noise: Noise, losses: np.ndarray, label: str, alarms: Alarms) -> str:
    """Of the table: one rule on one noise."""
    false = events(alarms(losses)) * 10_000 / len(losses)
    shares = [[power(alarms, noise, shape, height, seed=7) for height in HEIGHTS] for shape in SHAPES.values()]
    told = (
        f"| {name} | {label} | {false:.2f} | {' | '.join(' '.join(f'{100 * s:.0f}' for s in row) for row in shares)} |"
    )
    print(told, flush=True)
    return told


def renewed(table: str, name: str, noise: Noise, losses: np.ndarray) -> list[str]:
    """The table's lines of one noise, with spikecheck's own measured anew."""
    known = [each for each in table.splitlines() if each.startswith(f"| {name} |")]
    return [line(name, noise, losses, "spikecheck", ours), *(each for each in known if "| spikecheck |" not in each)]


def main() -> None:
    """Make the table; with `--ours` the peers' lines stay as they are."""
    numbers = [argument for argument in sys.argv[1:] if argument.isdecimal()]
    steps = int(numbers[0]) if numbers else STEPS
    page = Path(__file__).parents[1] / "docs" / "detectors.md"
    before, _, table = page.read_text(encoding="utf-8").partition("<!-- table -->")
    lines = []
    for name, noise in NOISES.items():
        losses, _ = noise(np.random.default_rng(1), steps)
        lines += renewed(table, name, noise, losses) if "--ours" in sys.argv else judged(name, noise, losses)
    heights = " ".join(map(str, HEIGHTS))
    head: tuple[str, ...] = (
        f"Level {LEVEL}, spread {SPREAD}; {steps:,} steps without a spike; {SPIKES} spikes a height, at chance distances.",
        "",
        f"| noise | detector, threshold | false alarms in 10,000 | one step of {heights} spreads: % found | over 20 steps |",
        "|---|---|---:|---|---|",
    )
    page.write_text(before + "<!-- table -->\n" + "\n".join([*head, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
