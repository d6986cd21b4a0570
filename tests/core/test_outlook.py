"""What a verification would cost: every number of it is printed."""

from dataclasses import fields, replace
from io import StringIO

import pytest
from rich.console import Console

from spikecheck.core.outlook import Outlook
from spikecheck.report.outlook_page import render_outlook

SLAS = Outlook(claim="slas", settings=9, runs=1_200, share=0.4, seeds=256, fewest=14, required=0.8, power=0.97)
OTHER = Outlook(claim="adam", settings=8, runs=1_100, share=0.3, seeds=128, fewest=12, required=None, power=0.9)


def printed(outlook: Outlook) -> str:
    out = StringIO()
    render_outlook([outlook], Console(file=out, width=100))
    return out.getvalue()


@pytest.mark.parametrize("name", [field.name for field in fields(Outlook)])
def test_a_change_of_any_field_is_seen(name: str) -> None:
    assert printed(replace(SLAS, **{name: getattr(OTHER, name)})) != printed(SLAS)
