"""Ctrl-C in the first moments of a command, in which Python starts and the command line is imported.

Rounds of `crashes` hardly ever end there: it is a hundredth of a run. Here every round does. Of Python's own start, which is
over when the first line of spikecheck is run, spikecheck can decide nothing; a round is a fault of spikecheck's where the
traceback has a line in one of its files, where a traceback is printed and the command goes on, or where it exits otherwise
than by 130 or by the signal. Run it as `python studies/reliability.py --part starts`.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import spikecheck

LATEST = 0.2
"""Seconds after the start at which a round is ended, at most: `spikecheck list` takes longer."""
WORDS = ("list",)
_OWN = str(Path(spikecheck.__file__).parent)
SILENT, LINE, PYTHONS, FAULT = "by the signal, silently", "one line", "a traceback of Python's own start", "a fault"


def starts(rounds: int, done: int) -> Iterator[dict[str, Any]]:
    """Rounds from number `done` on, as each is done."""
    for number in range(done, rounds):
        after = random.Random(number).uniform(0.0, LATEST)
        process = subprocess.Popen(
            [sys.executable, "-m", "spikecheck", *WORDS],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        time.sleep(after)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate()[1]
        yield {
            "number": number,
            "after": round(after, 4),
            "ended": ended(said, process.returncode),
            "said": said[-2000:],
        }


def ended(said: str, code: int) -> str:
    """How a round ended, by what it wrote to stderr and its exit code.

    >>> ended("interrupted; nothing was begun\\n", 130), ended("", -2), ended("", 0)
    ('one line', 'by the signal, silently', 'a fault')
    """
    if "Traceback" in said:
        return PYTHONS if _OWN not in said and code != 0 else FAULT
    if code not in (130, -signal.SIGINT):
        return FAULT
    lines = said.removeprefix("\n").count("\n")  # click ends the terminal's line that shows ^C
    return LINE if lines == 1 else SILENT if not said else FAULT
