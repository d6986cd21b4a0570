"""Whether the remaining time on the screen is right: a list of commands, each watched on its own terminal.

    python studies/progress.py [--out docs/progress.md] [COMMAND …]

An estimate counts as right in a second in which it is within a factor of two of the time that the command still took, or
within two seconds of it; a range, where that time lies in it, or within two seconds of it. The first command starts with an
empty store and no compiled kernels; later ones use the results of earlier ones.
"""

import argparse
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

COMMANDS = (
    "verify --claim spikes-come --seed 41",
    "verify --claim spikes-come --seed 41",
    "verify --seed 42",
    "verify --claim momentum-threshold --claim adam-threshold --seed 43",
    "verify --claim rapid-descent --profile full --seed 44",
    "verify --claim 'f*' --claim 't*' --profile quick --seed 45",
    "verify --claim edge-of-stability --profile ci --seed 46",
    "verify --workload gpt --at steps=200 --seeds 6",
    "map --claim catapult --x lr --y width --seeds 18",
    "map --claim condensation --x lr --y width --seeds 16",
    "replay momentum-threshold --at width=40",
    "show catapult",
    "gate --optimizer torch.optim:Adamax --set lr=0.004 --against adam --seeds 5",
    "gate --optimizer torch.optim:RAdam --set lr=0.01 --against torch.optim:NAdam --against-set lr=0.01 --dataset digits",
    "gate --optimizer nesterov --set lr=0.05 --against gd --dataset mnist1d --seeds 16",
    (
        "gate --workload resnet --optimizer torch.optim:SGD --set lr=0.05 --against torch.optim:SGD "
        "--against-set lr=0.1 --seeds 4"
    ),
    "diagnose --workload gpt --steps 400 --seed 3",
    "selftest --rounds 25",
)
"""Written down on 29 November 2026, after the last change of the estimate and before any of them was watched for it. Of the
commands that it was made with, one is here again: `show catapult`."""
_ESTIMATE = re.compile(r"(?:((?:\d+:)?\d+:\d\d) to|about) ((?:\d+:)?\d+:\d\d) left")
_SHARE = re.compile(r"(\d+) %")
_NAMED = re.compile(r"(starting|compiling)[^…]*…")
_ERASED = "\x1b[1A\x1b[2K"
"""What goes before the next screen, once for each line of the last one."""
_SLACK = 2.0
"""Seconds by which an estimate, which is in whole seconds, may be wrong."""


@dataclass(frozen=True)
class Second:
    """What the screen showed at one time, in seconds since the command began."""

    at: float
    share: int | None
    least: float | None
    most: float | None
    """Ends of the range of the time left, in seconds; equal for an estimate, None where nothing is said of it."""
    named: bool
    """Whether the screen named another activity: starting, compiling."""


@dataclass(frozen=True)
class Watched:
    """What the screen showed during one whole command."""

    command: str
    took: float
    seconds: Sequence[Second]

    @property
    def estimates(self) -> list[Second]:
        """The seconds in which an estimate of the time left was shown."""
        return [second for second in self.seconds if second.least is not None and second.least == second.most]

    @property
    def ranges(self) -> list[Second]:
        """The seconds in which a range of the time left was shown."""
        return [second for second in self.seconds if second.least != second.most]

    def right(self, seconds: Sequence[Second]) -> int:
        """The number of these seconds in which the estimate or range was right."""
        return sum(map(self._right, seconds))

    @property
    def rises(self) -> bool:
        """Whether the percentage never falls."""
        shares = [second.share for second in self.seconds if second.share is not None]
        return all(one <= two for one, two in pairwise(shares))

    @property
    def still(self) -> float:
        """The longest time, in seconds, without a change of percentage or estimate and without a named activity."""
        longest, since, before = 0.0, 0.0, None
        for second in self.seconds:
            now = (second.share, second.least, second.most, second.named)
            if now != before or second.named:
                since, before = second.at, now
            longest = max(longest, second.at - since)
        return longest

    def _right(self, second: Second) -> bool:
        assert second.least is not None
        assert second.most is not None
        true = self.took - second.at
        if second.least != second.most:
            return second.least - _SLACK <= true <= second.most + _SLACK
        return abs(second.least - true) <= _SLACK or true / 2 <= second.least <= 2 * true


def watched(command: str, folder: Path) -> Watched:
    """Run the command on a terminal of 100 columns and record what it shows."""
    ours, theirs = pty.openpty()
    names = {
        "XDG_CACHE_HOME": str(folder),
        "COLUMNS": "100",
        "TERM": "xterm-256color",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    hidden = ("CI", "NO_COLOR", "TORCHINDUCTOR_CACHE_DIR")
    environment = {name: value for name, value in (os.environ | names).items() if name not in hidden}
    began = time.monotonic()
    asked = [sys.executable, "-m", "spikecheck", *shlex.split(command)]
    with subprocess.Popen(
        asked, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        seconds = list(_seconds(ours, began))
        code = process.wait()
    if code not in (0, 1, 3):
        raise SystemExit(f"{command}: exit {code}")
    return Watched(command, time.monotonic() - began, seconds)


def _seconds(terminal: int, began: float) -> Iterator[Second]:
    """Yield what the terminal shows, once a second, until it is closed."""
    text, told = "", 0.0
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                text = (text + os.read(terminal, 65_536).decode(errors="replace"))[-4_000:]
            except OSError:  # Linux reports the closed terminal this way
                return
        at = time.monotonic() - began
        if at - told >= 1.0:
            told = at
            yield _second(at, text)


def _second(at: float, text: str) -> Second:
    last = last_whole_screen(text)
    shares, estimates = _SHARE.findall(last), _ESTIMATE.findall(last)
    least, most = estimates[-1] if estimates else ("", "")
    return Second(
        at,
        int(shares[-1]) if shares else None,
        _from_clock(least or most) if most else None,
        _from_clock(most) if most else None,
        bool(_NAMED.search(last)),
    )


def last_whole_screen(text: str) -> str:
    """The last screen of which all lines are there: a terminal may be read between two lines of one.

    >>> last_whole_screen("a\\r\\n1 %\\r\\n" + _ERASED + "b\\r\\n2 %\\r\\n" + _ERASED + "c\\r\\n")
    'b\\r\\n2 %\\r\\n'
    """
    *_, before, last = ["", "", *re.split(f"(?:{re.escape(_ERASED)})+", text)]
    return last if last.count("\n") >= before.count("\n") else before


def _from_clock(text: str) -> float:
    total = 0.0
    for part in text.split(":"):
        total = 60 * total + int(part)
    return total


def page(commands: Sequence[Watched]) -> str:
    """The page: the table and its summary."""
    took = sum(one.took for one in commands)
    lines = [
        "# Is the time left what the screen says?",
        "",
        f"`python studies/progress.py`: {len(commands)} commands, which took {took:,.0f} seconds. They were written down",
        "after the last change of the estimate and before any of them was watched for it; it was made with others in view, of",
        "which `show catapult` is here again. Nothing else ran on the two cores.",
        f"In {_of(commands, lambda one: one.estimates)} seconds the estimate on the screen was right: within a factor of",
        f"two of the time that the command then took, or within {_SLACK:.0f} seconds. Where the time left was not known that",
        'well, the screen said a range, such as "0:10 to 1:30 left": in',
        f"{_of(commands, lambda one: one.ranges)} seconds it held that time; its ends were a factor of",
        f"{_width(commands):.0f} apart (median). In the other seconds nothing was said of it. Standing still: the longest",
        "time in which neither percentage nor estimate moved and nothing else, such as compiling, was named.",
        "",
        "| command | took | first estimate | estimate right | range right | percentage never falls | standing still |",
        "| --- | --: | --: | --: | --: | --- | --: |",
        *map(_row, commands),
    ]
    return "\n".join(lines) + "\n"


def _row(one: Watched) -> str:
    first = f"{one.estimates[0].at:.0f} s" if one.estimates else "none"
    shares = " | ".join(f"{one.right(some)} of {len(some)}" if some else "" for some in (one.estimates, one.ranges))
    falls = "yes" if one.rises else "no"
    return f"| `{one.command}` | {one.took:.0f} s | {first} | {shares} | {falls} | {one.still:.0f} s |"


def _of(commands: Sequence[Watched], which: Callable[[Watched], list[Second]]) -> str:
    """How many seconds of these were right, of how many."""
    shown, right = sum(len(which(one)) for one in commands), sum(one.right(which(one)) for one in commands)
    return f"{right:,} of {shown:,} ({100 * right / max(shown, 1):.0f} %)"


def _width(commands: Sequence[Watched]) -> float:
    """The median of the ranges' greater ends over their smaller ones."""
    return median(
        [(second.most or 0.0) / max(second.least or 0.0, 1.0) for one in commands for second in one.ranges] or [1.0]
    )


def main() -> None:
    """Watch every command, and write the page."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("commands", nargs="*", metavar="COMMAND")
    asked.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "progress.md")
    given = asked.parse_args()
    commands = []
    with tempfile.TemporaryDirectory() as folder:
        for command in given.commands or COMMANDS:
            one = watched(command, Path(folder))
            commands.append(one)
            print(_row(one), file=sys.stderr)
            given.out.write_text(page(commands), encoding="utf-8")


if __name__ == "__main__":
    main()
