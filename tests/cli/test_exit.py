"""Ctrl-C wherever it comes, and what a process leaves with."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic_core import SchemaError

from spikecheck.cli.exit import INTERRUPTED, report_error

_PRESSED = """
import time
from spikecheck.cli.exit import rethrow_lost_interrupt
rethrow_lost_interrupt()
{before}
try:
    {within}
    until = time.monotonic() + 5
    while time.monotonic() < until:
        pass
    print("lost")
except KeyboardInterrupt:
    print("raised")
"""
_IN_A_CALLBACK = """
import gc
def callback(phase, info):
    gc.callbacks.remove(callback)
    raise KeyboardInterrupt
gc.callbacks.append(callback)
"""
_IN_COMPILED_CODE = """
from numpy.lib import _npyio_impl
from scipy.stats import qmc
read = _npyio_impl.NpzFile.__getitem__
def pressed(file, name):
    _npyio_impl.NpzFile.__getitem__ = read
    raise KeyboardInterrupt
_npyio_impl.NpzFile.__getitem__ = pressed
"""


@pytest.mark.parametrize(
    ("before", "within"),
    [(_IN_A_CALLBACK, "gc.collect()"), (_IN_COMPILED_CODE, "qmc.Sobol(2)")],
    ids=["callback", "Cython"],
)
def test_ctrl_c_where_nothing_can_be_raised_is_neither_printed_nor_lost(before: str, within: str) -> None:
    """Regressions: in a garbage collector's callback, and in a function that Cython compiled, it printed a traceback."""
    script = _PRESSED.format(before=before, within=within)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("raised\n", "")


def test_an_error_that_nobody_catches_is_still_shown() -> None:
    script = (
        "from spikecheck.cli.exit import rethrow_lost_interrupt\nrethrow_lost_interrupt()\nraise ValueError('shown')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "ValueError: shown" in done.stderr


def test_ctrl_c_within_exec_leaves_with_the_code_of_an_interruption(tmp_path: Path) -> None:
    """Regression: Python remembered it though it was caught, and `python -m` ended by a signal instead."""
    script = """
from spikecheck.cli.exit import exit_with
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    exit_with(130)
"""
    (tmp_path / "pressed.py").write_text(script)
    done = subprocess.run([sys.executable, "-m", "pressed"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def pressed_in_a_class() -> BaseException:
    """What Python makes of a Ctrl-C that comes while a class gets its attributes' names."""

    class Presses:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    try:
        type("Built", (), {"attribute": Presses()})
    except BaseException as error:
        return error
    raise AssertionError


def pressed_in_a_model() -> BaseException:
    """What pydantic's core makes of one that comes while it builds a validator."""
    said = 'Error building "model" validator:\n  SchemaError: Error building "enum" validator:\n  KeyboardInterrupt: '
    return SchemaError(said)


@pytest.mark.parametrize("error", [pressed_in_a_class(), pressed_in_a_model(), KeyboardInterrupt()])
def test_a_ctrl_c_is_one_also_where_a_library_has_made_an_error_of_it(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    """Regression: in the first moments of a command, Ctrl-C was "internal error: ...; please report", exit code 70."""
    assert report_error(error) == INTERRUPTED
    assert capsys.readouterr().err.startswith("interrupted; ")


@pytest.mark.parametrize("error", [RuntimeError("KeyboardInterrupt"), SchemaError("no field"), ValueError("x")])
def test_other_errors_are_no_ctrl_c(error: BaseException) -> None:
    assert report_error(error) == 70
