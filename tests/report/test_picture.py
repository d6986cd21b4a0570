"""The picture of a typical run."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError
from spikecheck.core.verdict import Trace
from spikecheck.report.braille import Canvas
from spikecheck.report.picture import picture

Make = Callable[..., Trace]


@pytest.mark.parametrize("width", [30, 80, 120])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_it_fits_and_names_onset_peak_and_recovery(trace: Make, width: int, *, ascii_only: bool) -> None:
    lines = picture(trace(), width, ascii_only)
    assert all(len(line) <= max(width, 79) for line in lines)
    assert lines[-1].endswith("first spike: o onset 401, p peak 410, r recovery 420")
    assert "opr" in lines[-2].replace("-", "─").replace("─", "")
    assert not ascii_only or all(line.isascii() for line in lines)


def test_gradient_descent_shows_learning_rate_times_sharpness_against_2(trace: Make) -> None:
    lines = picture(trace())
    (heading,) = [line for line in lines if "sharpness" in line]
    assert "learning rate x sharpness" in heading
    assert any(line.lstrip().startswith("2.00│") for line in lines)
    assert any(line.lstrip().startswith("2.45│") for line in lines)  # 0.1 x the largest sharpness


def test_another_rule_shows_sharpness_against_its_own_threshold(trace: Make) -> None:
    assert any("2 x sharpness / its stability threshold" in line for line in picture(trace(threshold=38.0)))


def test_the_scale_of_the_loss_is_the_loss(trace: Make) -> None:
    lines = picture(trace())
    assert lines[1].lstrip().startswith("9.1│")
    assert any(line.lstrip().startswith("0.1│") for line in lines)


def test_a_run_without_a_spike_has_no_marks(trace: Make) -> None:
    lines = picture(trace().model_copy(update={"onset": None, "peak": None, "recovery": None}))
    assert lines[-1].endswith("first spike: none")
    assert not set(lines[-2]) & set("or")


@given(st.lists(st.floats(0.0, 1e300), max_size=20), st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_whatever_the_numbers_it_is_drawn(loss: list[float], sharpness: list[float]) -> None:
    drawn = Trace(
        seed=0,
        steps=tuple(range(len(loss))),
        loss=tuple(loss),
        sharpness_steps=tuple(range(len(sharpness))),
        sharpness=tuple(sharpness),
        threshold=20.0,
        lr=0.1,
        onset=None,
        peak=None,
        recovery=None,
    )
    assert len(picture(drawn)) == 16


@pytest.mark.parametrize("field", ["steps", "loss", "sharpness_steps", "sharpness"])
def test_a_trace_with_a_number_for_every_step_only(trace: Make, field: str) -> None:
    """Regression: a report with one number more was read, and ended in an internal error where it was drawn."""
    document = trace().model_dump()
    named = field.removesuffix("_steps").replace("steps", "loss")
    with pytest.raises(SettingError, match=f"typical.{named}: has .* numbers for .* steps"):
        Trace(**{**document, field: document[field][:-1]})


@pytest.mark.parametrize("field", ["steps", "sharpness_steps", "onset"])
def test_a_step_beyond_every_count_is_refused(trace: Make, field: str) -> None:
    """Regression: the figure of `report --html` could not draw it, an internal error."""
    document = trace().model_dump()
    beyond = 10**400 if field == "onset" else (*document[field][:-1], 10**400)
    with pytest.raises(SettingError, match="has a step beyond 9007199254740991"):
        Trace(**{**document, field: beyond})


def test_a_threshold_of_nothing_is_drawn_as_an_unknown_one(trace: Make) -> None:
    """Regression: everything was divided by it."""
    without, zero = (picture(trace().model_copy(update={"threshold": level})) for level in (None, 0.0))
    assert zero == without


def test_the_canvas_fills_a_full_block() -> None:
    canvas = Canvas(1, 1)
    for x in range(2):
        canvas.curve([(x, 0), (x, 3)])
    assert canvas.lines(ascii_only=False) == ["⣿"]
    assert canvas.lines(ascii_only=True) == [":"]
