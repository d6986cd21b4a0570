"""A portrait says the conditions that its problem and model read, and no others."""

from dataclasses import replace

import numpy as np
import pytest

from spikecheck.core.setting import Setting
from spikecheck.report.portrait_title import described, ending
from tests.report.portraits import planted


@pytest.mark.parametrize(
    ("setting", "said", "unsaid"),
    [
        (Setting(), ["target=sin x", "points=20", "width=20"], ["interval"]),
        (Setting(problem="mine:waves"), ["problem=mine:waves", "width=20"], ["target", "points", "interval"]),
        (Setting(problem="mine:waves", points=64), ["points=64"], ["target"]),
        (Setting(problem="digits"), ["problem=digits"], ["target", "points"]),
        (Setting(problem="digits", points=64), ["problem=digits"], ["points"]),
        (Setting(problem="few-digits", points=64), ["points=64"], ["target"]),
        (Setting(model="mine:Net"), ["model=mine:Net", "target=sin x"], ["width", "depth", "activation"]),
        (Setting(model="mine:Net", width=7), ["width=7"], ["depth", "activation"]),
        (Setting(optimizer="torch.optim:SGD"), ["optimizer=torch.optim:SGD"], ["none"]),
    ],
)
def test_only_what_is_read_is_said(setting: Setting, said: list[str], unsaid: list[str]) -> None:
    """Regression: a problem of one's own was described as sin x on 20 points."""
    text = described(setting)
    assert all(part in text for part in said)
    assert not any(part in text for part in unsaid)


def test_a_twin_that_diverged_has_no_alignment() -> None:
    """Regression: it was said to end at a mean |cos| of 0."""
    twin = planted().twins[0]
    assert ending(twin) == "ends at mean |cos| 0.625, loss 0.1"
    assert ending(replace(twin, alignment=None)) == "ends at loss 0.1"
    lost = replace(twin, alignment=None, diverged=True, steps=np.arange(5.0))
    assert ending(lost) == "diverges at step 4"
