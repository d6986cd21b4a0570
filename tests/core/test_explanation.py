"""A claim in words: whatever the harness says of it is printed."""

from dataclasses import fields
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from spikecheck.core.explanation import Explanation
from spikecheck.report.explain import render_explanation

TEXTS: dict[str, Any] = {
    "reference": {"lr": "REFERENCE"},
    "axes": {"lr": ["AXES"]},
    "beside": {"wide": {"width": "BESIDE"}},
    "arms": [("calm", "ARMS")],
    "control": ["CONTROL"],
    "also_not": ["ALSO_NOT"],
    "positive": ["POSITIVE"],
    "definitions": {"spike": "spike: DEFINITIONS"},
    "workload": ["--workload", "WORKLOAD"],
}


def printed(**changes: Any) -> str:
    words = {field.name: TEXTS.get(field.name, field.name.upper()) for field in fields(Explanation)}
    out = StringIO()
    render_explanation(Explanation(**words | changes), Console(file=out, width=100))
    return out.getvalue()


@pytest.mark.parametrize("name", [field.name for field in fields(Explanation)])
def test_every_field_is_printed(name: str) -> None:
    assert name.upper() in printed()


def test_the_command_that_verifies_it_names_the_folder_and_the_workload() -> None:
    assert "spikecheck verify --claim ID --claims-path FOLDER --workload WORKLOAD" in printed()
    assert "spikecheck verify --claim ID\n" in printed(folder="", workload=())
