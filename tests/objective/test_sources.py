"""The digest of the files behind a setting."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from spikecheck.core.setting import Setting
from spikecheck.objective.sources import sources

Write = Callable[[str], str]

OWN_PROBLEM = """
import numpy as np
from types import SimpleNamespace
def make(setting):
    x = np.linspace(-1, 1, setting.points)[:, None]
    return SimpleNamespace(x=x, y={y})
"""


def test_sources_change_with_the_file_that_a_setting_names(write: Write) -> None:
    assert sources(Setting()) == sources(Setting(problem="digits")) == ""
    first, second = (write(OWN_PROBLEM.format(y=y)) for y in ("x", "2 * x"))
    by_problem = [sources(Setting(problem=f"{module}:make")) for module in (first, second)]
    by_model = sources(Setting(model=f"{first}:make"))
    assert len({*by_problem, by_model}) == 3  # a model's has the epoch in it of how models of one's own are trained
    assert sources(Setting(model=f"{first}:make")) == by_model
    assert sources(Setting(problem=f"{first}:make")) == by_problem[0]


@pytest.mark.parametrize("problem", ["sines", "digits"])
def test_problems_that_cannot_change_are_known_without_torch(problem: str) -> None:
    code = (
        "import sys; from spikecheck.core.setting import Setting; from spikecheck.objective.sources import sources; "
        f"print(repr(sources(Setting(problem={problem!r}))), 'torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["''", "False"]
