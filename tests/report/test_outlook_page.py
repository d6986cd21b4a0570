"""The page on the expected cost of a verification, for claims about shares and about averages."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.outlook import Outlook
from spikecheck.harness.cost_model import MODERATE
from spikecheck.report.outlook_page import _BEYOND, render_outlook

Make = Callable[..., Any]
SHARE = Outlook(claim="slas", settings=9, runs=1_200, share=0.4, seeds=256, fewest=14, required=0.8, power=0.97)
AVERAGE = Outlook(claim="condensation", settings=9, runs=800, share=0.6, seeds=256, fewest=12, required=None, power=0.9)
TRUE_SHARE = "it is true in 90 % of them"
FAR = "the average lies 0.4 of the seeds' standard deviations beyond its limit"


@pytest.mark.parametrize(
    ("found", "said"),
    [([SHARE], f"{TRUE_SHARE}."), ([AVERAGE], f"{FAR}."), ([SHARE, AVERAGE], f"{TRUE_SHARE}, or {FAR}.")],
)
def test_the_legend_says_what_the_power_is_for(capture: Make, found: list[Outlook], said: str) -> None:
    text = " ".join(capture(lambda console: render_outlook(found, console), width=100).split())
    assert text.endswith(f"if all are applicable and {said}")
    assert f"About {sum(claim.runs for claim in found):,} runs if nothing is stored." in text


def test_the_margin_is_the_forecasts() -> None:
    assert _BEYOND == MODERATE
