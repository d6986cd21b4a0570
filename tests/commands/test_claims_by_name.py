"""Claims are named in one way in every command: as arguments, or by --claim."""

from pathlib import Path
from typing import Any

import pytest

from spikecheck.report import json_file
from tests.commands.planted import FAILS, HOLDS


def test_verify_takes_claims_as_arguments_and_by_option_alike(spikecheck: Any, answers: Any) -> None:
    asked = answers((HOLDS, HOLDS), (HOLDS, HOLDS))
    assert spikecheck("verify", "slas", "--claim", "condensation", "--quiet") == 0
    assert asked == ["condensation", "slas"]


def test_a_report_is_shown_of_some_claims(spikecheck: Any, answers: Any, capsys: Any) -> None:
    """And leaves as verify of these alone would have."""
    answers((HOLDS, HOLDS), (FAILS, FAILS))
    spikecheck("verify", "slas", "condensation", "--json", "report.json", "--quiet")
    found = {verdict.id: verdict.passed for verdict in json_file.read(Path("report.json")).claims}
    capsys.readouterr()
    for name, passed in found.items():
        for words in ((name,), ("--claim", name), ("--claim", f"{name[:4]}*")):
            assert spikecheck("report", "report.json", *words) == (0 if passed else 1)
            shown = capsys.readouterr().out
            assert name in shown
            assert not any(other in shown for other in found if other != name)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain",), "no claim is given; add CLAIM or --claim CLAIM"),
        (("replay",), "no claim is given; add CLAIM or --claim CLAIM"),
        (("map", "--x", "lr"), "no claim is given; add CLAIM or --claim CLAIM"),
        (("explain", "slas", "--claim", "condensation"), "--claim condensation: the claim slas is given as well"),
        (("map", "slas", "--claim", "slsa"), "--claim slsa: the claim slas is given as well"),
        (("show", "--claim", "slsa"), "no claim is called 'slsa'; did you mean: slas"),
        (("report", "report.json", "slsa"), "no claim of this report is called 'slsa'; known: condensation"),
        (("verify", "slsa"), "no claim is called 'slsa'; did you mean: slas"),
    ],
)
def test_a_claim_that_is_missing_or_given_twice_is_one_line(
    spikecheck: Any, answers: Any, capsys: Any, words: tuple[str, ...], said: str
) -> None:
    answers((HOLDS, HOLDS))
    spikecheck("verify", "condensation", "--json", "report.json", "--quiet")
    capsys.readouterr()
    assert spikecheck(*words) == 2
    shown = capsys.readouterr()
    assert " ".join(shown.err.split()).count(said) == 1
    assert shown.out == ""
