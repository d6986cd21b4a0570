"""What a claim says before it is verified."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from spikecheck.core.explanation import Explanation
from spikecheck.report.explain import render_explanation, render_list

CLAIM = Explanation(
    id="condensation",
    kind="tendency",
    says="loss spikes can facilitate condensation [bold]\x1b[1m",
    where="arXiv 2305.12133v1, abstract",
    reference={"width": 20, "gamma": None},
    axes={"width": [20, 50, 100], "activation": ["tanh", "relu"]},
    beside={},
    arms=[("spiking", "goes on through the spike")],
    measure="Mean |cos| between input weights",
    unit="gain of mean |cos|",
    rule="gain > 0 in at least 80 % of the seeds",
    also_not=[],
    control=["two calm twins", "calm: at an eighth of the rate"],
    positive=["weights turned together", "planted: by 0.05"],
    quotes="loss spikes can facilitate condensation",
    reading="Can is no law: an average effect",
    cannot_tell="The twin lacks more than the spike",
    definitions={"spike": "spike: the loss exceeds 3 x its minimum"},
    source="claims/condensation.py",
)
ROWS = [("condensation", "tendency", "a statement " * 12), ("[b]x[/b]\x1b[2J", "law", "short")]


@pytest.mark.parametrize("width", [80, 120])
def test_everything_is_there_and_fits(capture: Callable[..., str], width: int) -> None:
    text = capture(lambda console: render_explanation(CLAIM, console), width=width)
    assert all(len(line) <= width for line in text.splitlines())
    for said in ("passes when it replicates", "width=20, gamma=none", "width: 20, 50, 100", "two calm twins",
                 "spike: the loss exceeds", "claims/condensation.py", "[bold]", "weights turned together",
                 "planted: by 0.05", '"loss spikes can facilitate condensation"', "Can is no law: an average effect",
                 "The twin lacks more than the spike"):  # fmt: skip
        assert said in text
    assert "\x1b" not in text
    assert "Judged besides" not in text  # nothing is: no empty section
    assert text.count('"') == 2  # around the quotation alone


def test_of_a_claim_without_quotation_or_positive_control_no_section_is_empty(capture: Callable[..., str]) -> None:
    bare = replace(CLAIM, positive=[], quotes="", reading="", cannot_tell="")
    text = capture(lambda console: render_explanation(bare, console))
    for heading in ("own words", "Reading", "Positive control", "cannot tell"):
        assert heading not in text
        assert heading in capture(lambda console: render_explanation(CLAIM, console))


def test_a_piped_list_is_one_whole_line_a_claim(capture: Callable[..., str]) -> None:
    lines = capture(lambda console: render_list(ROWS, console), width=40).splitlines()
    assert len(lines) == 2
    assert lines[0] == f"condensation  tendency  {'a statement ' * 12}"
    assert lines[1] == "[b]x[/b][2J   law       short"


def test_a_list_on_a_terminal_is_wrapped_and_whole(capture: Callable[..., str]) -> None:
    text = capture(lambda console: render_list(ROWS, console), width=60, force_terminal=True, color_system=None)
    assert all(len(line) <= 60 for line in text.splitlines())
    assert text.count("statement") == 12
    assert "[b]x[/b][2J" in text
