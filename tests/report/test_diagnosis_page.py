"""A log's diagnosis in the terminal."""

import io

import numpy as np
import pytest
from rich.console import Console

from spikecheck.report.diagnosis_page import render_diagnosis
from spikecheck.report.page import Page
from spikecheck.watch.diagnosis import Diagnosis, diagnose


def shown(losses: np.ndarray) -> str:
    return page_of(diagnose({"step": np.arange(float(len(losses))), "loss": losses}, "loss", "step"))


def page_of(diagnosis: Diagnosis) -> str:
    out = io.StringIO()
    render_diagnosis(diagnosis, Page(Console(file=out, width=80)))
    return out.getvalue()


def test_a_loss_that_becomes_nan_is_not_said_to_reach_a_number() -> None:
    """Regression: the page said that it "reaches inf", where the log has NaN."""
    text = shown(np.array([2.0, 1.0, np.inf]))
    assert "step 2: the loss is no longer a finite number; it did not come back" in text
    assert "inf" not in text.replace("finite", "")


def test_a_spike_has_its_peak_and_its_height_above_the_level() -> None:
    losses = 1.0 + 0.01 * np.random.default_rng(0).standard_normal(400)
    losses[300] = 3.0
    text = shown(losses)
    assert "1 loss spike in 400 losses, steps 0 to 399." in text
    assert "step 300: the loss reaches 3 at step 300, " in text and "over at step 301" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_step_at_which_a_loss_is_first_not_finite_is_named() -> None:
    """Regression: it was the step at which the loss began to rise, whose loss is finite."""
    losses = 1.0 + 0.01 * np.random.default_rng(0).standard_normal(400)
    losses[300:] = np.where(np.arange(100) < 72, 2.0 ** np.arange(100), np.inf)
    text = shown(losses)
    assert "the loss rises, and is no longer a finite number at step 372; it did" in " ".join(text.split())


@pytest.mark.parametrize(
    ("level", "says"), [(0.0, "far above its level of 1"), (0.01, "e+72 spreads above its level of")]
)
def test_a_height_beyond_any_scale_is_short(level: float, says: str) -> None:
    losses = 1.0 + level * np.random.default_rng(0).standard_normal(400)
    losses[300:] = 4.5e70
    moved = diagnose({"step": np.arange(400.0), "loss": losses, "norm": losses}, "loss", "step")
    text = page_of(moved)
    assert says in " ".join(text.split()) and "not finite" not in text
    assert max(map(len, text.split("What this log")[0].split())) < 80 and "00000" not in text
