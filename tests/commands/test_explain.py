"""Explain takes its claim in either way."""

from typing import Any

import pytest


@pytest.mark.parametrize("words", [("slas",), ("--claim", "slas"), ("slas", "--claim", "slas")])
def test_explain_takes_either(spikecheck: Any, capsys: Any, words: tuple[str, ...]) -> None:
    assert spikecheck("explain", *words) == 0
    assert "slas, a " in capsys.readouterr().out
