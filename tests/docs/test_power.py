"""The page on power: its figures are those of the rules, and it stands as it would be written now."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from spikecheck import Outcome, Prediction
from spikecheck.stats.bounds import judge
from spikecheck.stats.looks import nominal_alpha
from studies import power

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("truth", [0.5, 0.8, 0.9])
def test_one_look_has_the_binomial_tails_that_decide(truth: float) -> None:
    found = power.of_share(truth, (32,))
    assert found.of[Outcome.HOLDS] == pytest.approx(
        binom.sf(29, 32, truth)
    )  # 30 of 32, as tests/stats/test_bounds.py says
    assert found.of[Outcome.FAILS] == pytest.approx(binom.cdf(21, 32, truth))
    assert found.seeds == 32


def test_chances_add_up_and_a_simulation_agrees() -> None:
    sizes, rounds = (32, 64, 128), 2_000
    exact = power.of_share(0.88, sizes)
    assert sum(exact.of.values()) == pytest.approx(1.0)
    held = np.random.default_rng(1).random((rounds, 128)) < 0.88
    scores = np.where(held, 1.0, -1.0)
    rule, alpha = Prediction(above=0.0, of_seeds=0.8), nominal_alpha(0.05, sizes)
    stopped = []
    for row in scores:
        for size in sizes:
            outcome = judge(int((row[:size] > 0).sum()), row[:size].tolist(), rule, alpha).outcome
            if outcome is not Outcome.UNDECIDED or size == 128:
                stopped.append((outcome, size))
                break
    assert np.mean([outcome is Outcome.HOLDS for outcome, _ in stopped]) == pytest.approx(
        exact.of[Outcome.HOLDS], abs=0.04
    )
    assert np.mean([size for _, size in stopped]) == pytest.approx(exact.seeds, abs=3.0)


def test_a_mean_errs_in_at_most_one_of_twenty_at_both_ends() -> None:
    sizes = (32, 64, 128)
    assert power.of_mean(0.0, sizes, rounds=1_500).of[Outcome.HOLDS] <= 0.05 + 0.017
    assert power.of_mean(0.25, sizes, rounds=1_500).of[Outcome.FAILS] <= 0.05 + 0.017


def test_the_page_stands_as_it_would_be_written_now() -> None:
    """Its exact half; the other is simulated by the same rules."""
    written = (DOCS / "power.md").read_text(encoding="utf-8")
    labels = [f"{100 * share:g} %" for share in power.SHARES]
    assert "\n".join(power.table("true share", power.SHARES, labels, power.of_share)) in written
