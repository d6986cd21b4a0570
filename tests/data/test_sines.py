"""Sums of sines: what a target says, and the points it is learned on."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.data.sines import sines, terms

NUMBERS = st.floats(0.001, 1000).map(lambda number: float(f"{number:.4g}"))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("sin x", ((1, 1),)),
        ("sin x + sin 4x", ((1, 1), (1, 4))),
        ("0.5 sin 2x + sin x", ((0.5, 2), (1, 1))),
        ("sin(x)-2*sin(3*x)", ((1, 1), (-2, 3))),
        (" - .5sin 1e-1x ", ((-0.5, 0.1),)),
    ],
)
def test_targets_are_read_as_written(target: str, expected: tuple[tuple[float, float], ...]) -> None:
    assert terms(target) == expected


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4))
def test_what_is_written_is_read(wanted: list[tuple[float, float]]) -> None:
    target = " + ".join(f"{amplitude!r} sin {frequency!r}x" for amplitude, frequency in wanted)
    assert terms(target) == tuple(wanted)


@pytest.mark.parametrize(
    "target",
    ["", "sin y", "sin x +", "sin x sin 2x", "+ + sin x", "cos x", "sin x + 3", "2", "sin(x", "sin x)", "* sin x"],
)
def test_what_cannot_be_read_is_refused_with_an_example(target: str) -> None:
    with pytest.raises(SettingError, match=r"target=.*write a sum such as 'sin x \+ 0.5 sin 4x'"):
        terms(target)


def test_points_are_even_and_the_midpoints_of_cells_are_held_out() -> None:
    data = sines(Setting(target="sin x - 2 sin 3x", points=5, interval=1.0))
    assert data.x.flatten().tolist() == pytest.approx([-math.pi, -math.pi / 2, 0, math.pi / 2, math.pi])
    torch.testing.assert_close(data.y, torch.sin(data.x) - 2 * torch.sin(3 * data.x))
    assert data.x_test is not None and data.y_test is not None
    assert data.x_test.flatten()[[0, -1]].tolist() == pytest.approx([-math.pi * 255 / 256, math.pi * 255 / 256])
    assert float(data.x_test.flatten().diff().std()) < 1e-12
    torch.testing.assert_close(data.y_test, torch.sin(data.x_test) - 2 * torch.sin(3 * data.x_test))
