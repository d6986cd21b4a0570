"""A log's diagnosis in the terminal."""

import io

import numpy as np
from rich.console import Console

from spikecheck.report.diagnosis_page import render_diagnosis
from spikecheck.report.page import Page
from spikecheck.watch.diagnosis import diagnose


def shown(losses: np.ndarray) -> str:
    out = io.StringIO()
    diagnosis = diagnose({"step": np.arange(float(len(losses))), "loss": losses}, "loss", "step")
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
