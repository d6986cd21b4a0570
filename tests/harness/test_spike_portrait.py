"""A spike's portrait: of a run that has one, in the terminal, as a figure and as an animation."""

import io
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from spikecheck.core.errors import UsageError
from spikecheck.core.portrait import Portrait
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.paper_settings import MNIST1D, SETTING_A
from spikecheck.harness.spike_portrait import SEEDS, _fit, portray, spiking_seed
from spikecheck.lab.laboratory import Laboratory
from spikecheck.report import portrait_figure
from spikecheck.report.portrait_page import render_portrait

SHORT = SETTING_A.but(steps=600)
DEFINITION = SpikeDefinition()


@pytest.fixture(scope="module")
def lab() -> Laboratory:
    return Laboratory()


@pytest.fixture(scope="module")
def portrait(lab: Laboratory) -> Portrait:
    return portray(lab, SHORT, spiking_seed(lab, SHORT, DEFINITION, None), DEFINITION)


def test_it_shows_the_spike_that_the_run_has(portrait: Portrait) -> None:
    spike = portrait.spike
    assert spike.recovery is not None
    assert portrait.steps[0] < spike.onset < spike.peak < spike.recovery < portrait.steps[-1]
    assert portrait.loss[portrait.at(spike.peak)] == pytest.approx(portrait.loss.max(), rel=0.5)
    assert portrait.loss[portrait.at(spike.peak)] > DEFINITION.factor * portrait.loss[portrait.at(spike.trough)]
    assert portrait.swing.max() == 1.0
    assert portrait.swing.argmax() == 0  # plain gradient descent leaves the valley along its first eigendirection


def test_growth_is_what_the_sharpness_says(portrait: Portrait) -> None:
    rise = slice(portrait.at(portrait.spike.onset - 20), portrait.at(portrait.spike.onset))
    predicted = np.abs(1 - SHORT.lr * portrait.sharpness[rise, 0])
    np.testing.assert_allclose(portrait.growth[rise], predicted, rtol=0.05)


def test_both_cosine_matrices_are_ordered_alike(portrait: Portrait) -> None:
    for cosines, mean in zip(portrait.cosines, portrait.alignment, strict=True):
        np.testing.assert_allclose(np.diag(cosines), 1.0)
        np.testing.assert_allclose(cosines, cosines.T)
        apart = ~np.eye(len(cosines), dtype=bool)
        assert cosines[apart].mean() == pytest.approx(mean)


def test_twins_part_before_the_spike_and_one_is_calm(portrait: Portrait) -> None:
    spiking, calm = portrait.twins
    assert spiking.steps[0] == calm.steps[0] == portrait.spike.onset - DEFINITION.lead
    assert spiking.loss[0] == calm.loss[0]
    assert spiking.loss.max() > 2 * calm.loss.max()


def test_a_seed_that_does_not_spike_is_told_so(lab: Laboratory) -> None:
    calm = SHORT.but(lr=0.01)
    with pytest.raises(UsageError, match=f"none of {SEEDS} seeds spikes"):
        spiking_seed(lab, calm, DEFINITION, None)
    found = {seed for seed in range(SEEDS) if _spikes(lab, seed)}
    quiet = next(seed for seed in range(SEEDS) if seed not in found)
    with pytest.raises(UsageError, match=f"--seed {quiet}: its run has no spike that recovers; leave it out"):
        spiking_seed(lab, SHORT, DEFINITION, quiet)


def test_of_a_seed_that_is_given_no_other_is_trained() -> None:
    """Regression: 32 seeds were, for one picture."""
    fresh = Laboratory()
    with suppress(UsageError):
        spiking_seed(fresh, SHORT, DEFINITION, 7)
    assert fresh.runs_trained == 1


def _spikes(lab: Laboratory, seed: int) -> bool:
    try:
        return spiking_seed(lab, SHORT, DEFINITION, seed) == seed
    except UsageError:
        return False


@pytest.mark.parametrize(("width", "encoding"), [(80, "utf-8"), (120, "utf-8"), (80, "ascii")])
def test_the_page_fits_and_says_what_is_there(portrait: Portrait, width: int, encoding: str, tmp_path: Path) -> None:
    with (tmp_path / "page").open("w+", encoding=encoding) as file:
        render_portrait(portrait, Console(file=file, width=width))
        file.seek(0)
        lines = file.read().splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert f"onset {portrait.spike.onset}, peak {portrait.spike.peak}" in text
    assert "calm twin" in text
    assert "loss, log scale" in lines, "regression: the first panel had no heading"
    assert re.search(r"v1 +[#█]{32} 1$", text, re.MULTILINE)
    assert "The fit at the peak" in text


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_figure_is_drawn_alike_twice(portrait: Portrait, suffix: str, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for file in files:
        portrait_figure.write(portrait, file)
    assert files[0].stat().st_size > 10_000
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_animation_moves(portrait: Portrait, tmp_path: Path) -> None:
    portrait_figure.animate(portrait, tmp_path / "fit.gif")
    with Image.open(tmp_path / "fit.gif") as moving:
        assert getattr(moving, "n_frames", 1) > 20
    assert [path.name for path in tmp_path.iterdir()] == ["fit.gif"]


def test_a_network_of_many_inputs_has_no_curve(portrait: Portrait, tmp_path: Path) -> None:
    blind = replace(portrait, fit=None)
    portrait_figure.write(blind, tmp_path / "blind.png")
    render_portrait(blind, Console(file=io.StringIO(), width=80))


@pytest.mark.parametrize(
    ("check", "name", "said"),
    [
        (portrait_figure.check_figure, "a.jpg", r"give FILE.png or FILE.svg"),
        (portrait_figure.check_animation, "a.avi", r"give FILE.gif or FILE.mp4"),
        (portrait_figure.check_figure, "nowhere/a.png", r"cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_trained(
    check: Callable[[Path], None], name: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        check(tmp_path / name)


def test_only_a_function_of_one_number_has_a_curve(portrait: Portrait) -> None:
    assert portrait.fit is not None
    assert portrait.fit.outputs.shape == (len(portrait.steps), len(portrait.fit.x))
    assert _fit(MNIST1D, np.zeros((3, 1_000, 10))) is None
