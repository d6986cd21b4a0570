"""A portrait in the terminal: it fits, its steps are those of the training, and every line drawn is named."""

import re
from pathlib import Path

import pytest
from rich.console import Console

from spikecheck.core.portrait import Portrait
from spikecheck.report.portrait_page import render_portrait
from tests.report.portraits import planted, without_neurons


def rendered(portrait: Portrait, folder: Path, width: int = 80, encoding: str = "utf-8") -> list[str]:
    with (folder / "page").open("w+", encoding=encoding) as file:
        render_portrait(portrait, Console(file=file, width=width))
        file.seek(0)
        return file.read().splitlines()


@pytest.mark.parametrize(("width", "encoding"), [(80, "utf-8"), (100, "utf-8"), (120, "utf-8"), (80, "ascii")])
def test_it_fits_and_says_what_is_there(width: int, encoding: str, tmp_path: Path) -> None:
    lines = rendered(planted(), tmp_path, width, encoding)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "onset 260, peak 265" in text
    assert "loss, log scale" in lines, "regression: the first panel had no heading"
    assert re.search(r"v1 +[#█]{32} 1$", text, re.MULTILINE)
    assert text.count("line: the network, dots: the target") == 3


def test_after_is_when_the_spike_is_over(tmp_path: Path) -> None:
    """Regression: it was the recovery, where the loss may still be almost three times its minimum."""
    text = " ".join(" ".join(rendered(planted(), tmp_path)).split())
    assert "step 270, 5 steps after the peak; counts as over at step 289, after 20 steps of low loss" in text
    assert "Fitted function before the spike, step 180" in text
    assert "Fitted function after the spike, step 289" in text
    assert "input weights 0.400 at step 180, 0.600 at step 289" in text


def test_the_step_axis_begins_where_the_window_does(tmp_path: Path) -> None:
    """Regression: it began at step 0, so that a late spike was squeezed into the last columns."""
    lines = rendered(planted(), tmp_path)
    assert any(" 110 to 329; first spike: o onset 260" in line for line in lines)
    curve = next(line.partition("│")[2] for line in lines if line.startswith("      0.1│"))
    assert curve[0] != " "


def test_a_model_without_neurons_has_no_alignment(tmp_path: Path) -> None:
    text = " ".join(" ".join(rendered(without_neurons(), tmp_path)).split())
    assert "alignment none: the model has no layer of neurons with input weights" in text
    assert "through the spike: ends at loss" in text
    assert "Fitted function" not in text
