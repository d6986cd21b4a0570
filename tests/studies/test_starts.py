"""How the first moments of a command end, by what is said and by the exit code."""

from pathlib import Path

import pytest

import spikecheck
from studies.starts import FAULT, LINE, PYTHONS, SILENT, ended, starts

OWN = f'Traceback (most recent call last):\n  File "{Path(spikecheck.__file__)}", line 4\nKeyboardInterrupt\n'
PYTHON = 'Traceback (most recent call last):\n  File "<frozen site>", line 75, in <module>\nKeyboardInterrupt\n'


@pytest.mark.parametrize(
    ("said", "code", "how"),
    [
        ("", -2, SILENT),
        ("interrupted; nothing was begun\n", 130, LINE),
        ("interrupted; nothing was begun\n", -2, LINE),
        ("\ninterrupted; everything trained so far is kept, run again to go on\n", 130, LINE),
        (PYTHON, 1, PYTHONS),
        (PYTHON, -2, PYTHONS),
        (PYTHON, 0, FAULT),
        (OWN, -2, FAULT),
        ("", 0, FAULT),
        ("one\ntwo\n", 130, FAULT),
    ],
)
def test_a_fault_is_a_traceback_of_spikechecks_or_a_command_that_went_on(said: str, code: int, how: str) -> None:
    assert ended(said, code) == how


def test_rounds_go_on_from_those_that_are_done() -> None:
    (row,) = starts(8, 7)
    assert row["number"] == 7
    assert row["ended"] in (SILENT, LINE, PYTHONS)
