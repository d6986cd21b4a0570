"""Prints the tables of docs/decisions.md on the instruments: `python studies/instrument.py` (about four minutes)."""

from math import comb

import numpy as np

from spikecheck import SETTING_A, SETTING_B, Anatomy, Continue, Laboratory, LowerRate, Recipe, Run, Setting
from spikecheck.measures import alignment, ascent, displacement_r2, growth, rate_error, sign_agreement, spearman
from spikecheck.training import dissection as probes


def anatomies(setting: Setting, seeds: range) -> list[Run]:
    """Runs with every seed's first spike recorded at every step."""
    asked = [Recipe(setting=setting, seed=seed, probe=Anatomy()) for seed in seeds]
    return list(Laboratory().runs(asked).values())


def rise(run: Run) -> slice | None:
    """The ascent within the record."""
    record, spike = run.records["anatomy"], run.spikes[0]
    first = int(record["steps"][0])
    return ascent(record["sharpness"][:, 0], 2.0 / run.setting.lr, spike.onset - first, spike.peak - first)


def by_order() -> None:
    """Print how well each order of the difference resolves the ascent, at setting A."""
    for order in (1, 2, 4, 8):
        probes._WEIGHTS = tuple((-1.0) ** j * comb(order, j) / 2**order for j in range(order + 1))
        rows = []
        for run in anatomies(SETTING_A, range(40)):
            window, record, lr = rise(run), run.records["anatomy"], run.setting.lr
            if window is None or window.start < order or window.stop - window.start < 20:
                continue
            factors = growth(record["swing"][window, 0], record["next_swing"][window, 0])
            sharpness = record["sharpness"][window, 0]
            agreement, _ = sign_agreement(factors, sharpness, lr)
            rows.append((rate_error(factors, sharpness, lr), agreement, displacement_r2(factors, sharpness, lr)))
        error, agreement, r2 = np.array(rows).T
        print(
            f"order {order}: {len(rows)} runs, median error {np.median(error):.3f}, "
            f"error <= 0.05 in {np.mean(error <= 0.05):.2f}, "
            f"agreement >= 0.95 in {np.mean(agreement >= 0.95):.2f}, R2 >= 0.95 in {np.mean(r2 >= 0.95):.2f}"
        )


def by_window() -> None:
    """Print how local SLAS is, at settings A and B."""
    for name, setting, seeds in (("A", SETTING_A, range(1000, 1064)), ("B", SETTING_B, range(1000, 1032))):
        runs = [(run, rise(run)) for run in anatomies(setting, seeds)]
        usable = [(run.records["anatomy"], window) for run, window in runs if window is not None and window.start >= 20]
        for longest in (20, 50, 100, 200, 400):
            parts = [(record, slice(max(0, w.start - longest), w.start)) for record, w in usable]
            rho = np.array([spearman(record["loss"][w], record["sharpness"][w, 0]) for record, w in parts])
            print(f"setting {name}, {longest} steps: rho <= -0.8 in {np.mean(rho <= -0.8):.2f} of {len(rho)}")


def by_horizon() -> None:
    """Print how the alignment gain of the spiking twin depends on the horizon."""
    asked = (("A", SETTING_A, range(1000, 1064), (500, 1000, 2000, 3000, 4000)),
             ("B", SETTING_B, range(1000, 1032), (1000, 3000, 4000, 5000, 6000)))  # fmt: skip
    for name, setting, seeds, horizons in asked:
        for horizon in horizons:
            lab = Laboratory()
            arms = [
                setting.but(intervention=fork)
                for fork in (Continue(horizon=horizon), LowerRate(factor=0.25, horizon=horizon))
            ]
            runs = lab.runs([Recipe(setting=arm, seed=seed) for arm in arms for seed in seeds])
            ends = {(r.setting, r.seed): alignment(run.snapshots["end"].input_weights) for r, run in runs.items()}
            gains = np.array([ends[arms[0], s] - ends[arms[1], s] for s in seeds if (arms[0], s) in ends])
            late = sum(run.has_spike for r, run in runs.items() if r.setting == arms[1])
            gained = f"gain > 0 in {np.sum(gains > 0)} of {len(gains)}, median {np.median(gains):+.3f}"
            print(f"setting {name}, {horizon} steps: calm twins that spike {late}; {gained}", flush=True)


if __name__ == "__main__":
    by_horizon()
    by_window()
    by_order()
