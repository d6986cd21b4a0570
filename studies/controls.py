"""The runs behind reports/findings.md and docs/decisions.md: `python studies/controls.py` (about two minutes)."""

from typing import TYPE_CHECKING

import numpy as np

from spikecheck import (
    SETTING_A,
    SETTING_B,
    Anatomy,
    Continue,
    Directions,
    Hold,
    Inject,
    Jitter,
    Laboratory,
    LowerRate,
    Recipe,
    Setting,
    Snapshot,
    SpikeDefinition,
    Stability,
    Trail,
)
from spikecheck.measures import (
    alignment,
    centroid,
    cosines,
    effective_ratio,
    low_modes,
    low_ratio,
    part_errors,
    spectrum,
)
from spikecheck.objective.objective import numbers_of

if TYPE_CHECKING:
    from spikecheck.core.intervention import Fork

SEEDS = range(1000, 1032)


def low_frequency_by_rank(lab: Laboratory) -> None:
    """Print the share of J v_k at frequencies up to that of sin x, by rank k: medians over seeds, at the onset."""
    for name, setting in (("A", SETTING_A), ("B", SETTING_B)):
        runs = lab.runs([Recipe(setting=setting, seed=s, probe=Directions(at="onset")) for s in SEEDS]).values()
        modes = round(2 * setting.interval) + 1
        deviations = np.array([run.records["directions"]["deviation"][:, :, 0] for run in runs])
        shares = np.median([[low_modes(d, modes) for d in member] for member in deviations], axis=0)
        centroids = np.median([[centroid(d) for d in member] for member in deviations], axis=0)
        print(f"setting {name}, {len(deviations)} runs, ranks 1 to 12")
        print("  share no faster than sin x:", " ".join(f"{share:.2f}" for share in shares))
        print("  centroid in DCT modes:     ", " ".join(f"{c:.1f}" for c in centroids))


def multipliers_by_optimizer(lab: Laboratory) -> None:
    """Print the linearised update's multiplier across the valley at the first spike's landmarks, by rule and rate."""
    rules = [(name, lr) for name in ("gd", "heavy-ball", "rmsprop", "adam") for lr in (0.1, 0.05)]
    for name, lr in rules:
        setting = SETTING_A.but(optimizer=name, lr=lr)
        runs = lab.runs([Recipe(setting=setting, seed=s, probe=Stability()) for s in SEEDS]).values()
        seen = [run for run in runs if {"onset", "peak", "recovery"} <= run.records["stability"].keys()]
        if not seen:
            print(f"{name} at lr {lr}: no spike that recovers")
            continue
        at = {m: [float(run.records["stability"][m][0]) for run in seen] for m in ("onset", "peak", "recovery")}
        medians = ", ".join(f"{np.median(values):.2f} at the {landmark}" for landmark, values in at.items())
        onsets = [run.spikes[0].onset for run in seen]
        rise = np.median([run.spikes[0].peak - run.spikes[0].onset for run in seen])
        above = sum(value > 1 for value in at["onset"])
        print(
            f"{name} at lr {lr}: above 1 at the onset in {above} of {len(seen)}; medians {medians}; "
            f"onset at step {np.median(onsets):.0f} (earliest {min(onsets)}), peak {rise:.0f} later"
        )


def decay_by_direction(lab: Laboratory) -> None:
    """Print what is left after 20 steps of a displacement to ten times the loss, by its direction."""
    arms: dict[str, Fork] = {"the spike itself": Continue(at="onset", horizon=200)}
    arms |= {f"injected along v_{k}": Inject(at="onset", rank=k, rise=10.0, horizon=200) for k in (1, 2, 3, 6, 12)}
    for name, arm in arms.items():
        setting = SETTING_A.but(intervention=arm)
        runs = lab.runs([Recipe(setting=setting, seed=s, probe=Anatomy(outputs=True)) for s in SEEDS]).values()
        rows = [kept(run.records["anatomy"], setting) for run in runs if not run.diverged]
        low, high, start = np.median([row for row in rows if row is not None], axis=0)
        print(f"{name}: after 20 steps low keeps {low:.4f}, high {high:.3f}; low share at first {start:.2f}")


def kept(record, setting: Setting):  # type: ignore[no-untyped-def]
    """The shares of low- and high-frequency energy left 20 steps after the peak, and the low share at the peak."""
    peak = int(np.argmax(record["loss"]))
    if len(record["loss"]) < peak + 60:
        return None
    deviation = record["outputs"][:, :, 0] - record["outputs"][-1, :, 0]
    modes = round(2 * setting.interval) + 1
    before, after = (np.square(deviation[at]).sum() * spectrum(deviation[at]) for at in (peak, peak + 20))
    low, high = after[:modes].sum() / before[:modes].sum(), after[modes:].sum() / before[modes:].sum()
    return low, high, before[:modes].sum() / before.sum()


def directions_over_time(lab: Laboratory) -> None:
    """Print the number of directions of the input weights from a small initialisation, by step."""
    for activation, multiplicity in (("tanh", 1), ("xtanh", 2)):
        setting = SETTING_A.but(width=50, gamma=2.0, activation=activation, steps=10_000)
        runs = lab.runs([Recipe(setting=setting, seed=s, probe=Trail()) for s in SEEDS]).values()
        for steps in (0, 50, 100, 200, 500, 1_000, 2_000, 5_000):
            counts = []
            for run in runs:
                record = run.records["trail"]
                weights = record["input_weights"][int(np.searchsorted(record["steps"], steps))]
                counts.append(round(effective_ratio(weights) * len(weights)))
            spread = f"{np.median(counts):.0f}, {min(counts)} to {max(counts)}"
            fallen = np.median([run.loss[steps] / run.loss[0] for run in runs])
            print(f"{activation} (at most {2 * multiplicity}), step {steps}: directions {spread}; loss {fallen:.3f}")


def errors_on_real_data(lab: Laboratory) -> None:
    """Print relative low- and high-frequency errors on training and held-out points, for small and large initial weights."""
    base = Setting(
        problem="mnist1d", points=100, width=20, input_std=0.2, output_std=0.1, optimizer="adam", lr=0.02, steps=3_000
    )
    for setting in (base, base.but(problem="digits", steps=1_000)):
        for name, scale in (("good", 1.0), ("bad", 3.0)):
            asked = [Recipe(setting=setting.but(init_scale=scale), seed=s, probe=Directions(pairs=1)) for s in range(8)]
            runs = lab.runs(asked).values()
            data = numbers_of(setting)
            delta = 0.1 * float(np.square(data.x - data.x.mean(0)).sum(1).mean())
            seen = [run.records["directions"] for run in runs]
            train = np.median([part_errors(data.x, data.y, r["train_outputs"], delta) for r in seen], axis=0)
            test = np.median([part_errors(data.x_test, data.y_test, r["outputs"], delta) for r in seen], axis=0)
            share = low_ratio(data.x, data.y - data.y.mean(0), delta)
            print(
                f"{setting.problem}, {name}: low, high error on train {train[0]:.2f}, {train[1]:.2f}; "
                f"on test {test[0]:.2f}, {test[1]:.2f}; low share of the labels about their mean {share:.2f}"
            )


def who_condenses(lab: Laboratory) -> None:
    """Print the gain of mean |cos| through a spike over the calm twin, by the neurons' weight |a||u|: medians over seeds."""
    spiking, calm = (
        SETTING_A.but(intervention=arm) for arm in (Continue(horizon=3_000), LowerRate(factor=0.25, horizon=3_000))
    )
    runs = lab.runs([Recipe(setting=s, seed=seed) for s in (spiking, calm) for seed in range(1000, 1064)])
    ends = {(r.setting, r.seed): run.snapshots["end"] for r, run in runs.items() if not run.diverged}
    seeds = [seed for s, seed in ends if s == spiking and (calm, seed) in ends]
    gains = np.array([_by_weight(ends[spiking, s]) - _by_weight(ends[calm, s]) for s in seeds])
    names = (
        "the ten lightest neurons",
        "the ten heaviest",
        "one of each",
        "all, weighted by |a||u|",
        "share of the heaviest two",
    )
    for name, gain in zip(names, gains.T, strict=True):
        print(f"{name}: gain {np.median(gain):+.3f}, above 0 in {(gain > 0).sum()} of {len(gain)}")


def _by_weight(end: Snapshot) -> np.ndarray:
    amplitudes = np.abs(end.output_weights[:, 0])
    weights = amplitudes * np.linalg.norm(end.input_weights, axis=1)
    order, half = np.argsort(weights), len(weights) // 2
    alike = np.abs(cosines(end.input_weights))
    light, heavy = order[:half], order[half:]
    within = [(alike[np.ix_(part, part)].sum() - half) / (half * (half - 1)) for part in (light, heavy)]
    across, weighted = alike[np.ix_(light, heavy)].mean(), alignment(end.input_weights, amplitudes)
    return np.array([*within, across, weighted, weights[order[-2:]].sum() / weights.sum()])


def held_twins(lab: Laboratory) -> None:
    """Print the final sharpness of twins at the edge, at setting A, where 2/lr is 20, and how many of them spike."""
    definition = SpikeDefinition(lead=300)
    arms: dict[str, Fork] = {
        f"held, looked at every {n} steps": Hold(horizon=3_000, every=n, definition=definition) for n in (5, 20)
    }
    arms["noise of 0.001"] = Jitter(noise=1e-3, horizon=3_000, definition=definition)
    arms["spiking"] = Continue(horizon=3_000, definition=definition)
    for name, arm in arms.items():
        setting = SETTING_A.but(intervention=arm)
        runs = lab.runs([Recipe(setting=setting, seed=s, probe=Directions(pairs=1)) for s in SEEDS]).values()
        whole = [run for run in runs if not run.diverged]
        ends = [run.records["directions"]["values"][0] for run in whole]
        low, middle, high = np.percentile(ends, [5, 50, 95])
        spiked = sum(run.has_spike for run in whole)
        print(
            f"{name}: {len(runs)} twins, {len(runs) - len(whole)} diverge, {spiked} spike; "
            f"sharpness at the end {middle:.1f}, {low:.1f} to {high:.1f} (5 % to 95 %)"
        )


if __name__ == "__main__":
    laboratory = Laboratory()
    held_twins(laboratory)
    who_condenses(laboratory)
    low_frequency_by_rank(laboratory)
    multipliers_by_optimizer(laboratory)
    decay_by_direction(laboratory)
    directions_over_time(laboratory)
    errors_on_real_data(laboratory)
