"""Feeds spikecheck's parsers with mutated files and option texts. Run it as `python studies/reliability.py --part fuzz`.

Files are mutated in their structure (a value of another kind, a missing key, deep nesting, a huge number, a hostile text)
and in their bytes; option texts in their signs, and others are made from a grammar. Each input goes through the command line
in this process, up to where it would train. A failure is an exit code 70, an exception, an error of several lines, an escape
sequence in what is printed, more than ten seconds of the processor, or much memory.
"""

import math
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any

from studies.called import INTERNAL
from studies.fuzz_parsers import Parser, parsers

ANSWERS = (0, 1, 3)
"""Exit codes of inputs that were accepted."""
SLOW = 10.0
"""Seconds of the processor, at most, for one input; it is ended there."""
MEMORY = 500 * 2**20
"""Bytes by which this process may grow over all inputs of a parser."""
_GENTLE = 0.6
"""Share of changed inputs that are made from one which is accepted, rather than from a wrong one, where there are such."""


class _TooLong(BaseException):
    """An input took longer than it may: nothing that reads it catches this."""


def fuzz(inputs: int, seconds: float, already: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row of counts for each parser that has had fewer inputs, added to its row in `already`; see `fuzzed`."""
    known = {row["parser"]: row for row in already}
    with tempfile.TemporaryDirectory(prefix="spikecheck-fuzz-") as folder:
        for parser in parsers():
            before = known.get(parser.name, {})
            if before.get("inputs", 0) < inputs:
                yield fuzzed(parser, inputs, Path(folder), seconds, before)


def fuzzed(
    parser: Parser,
    inputs: int,
    folder: Path,
    seconds: float = math.inf,
    already: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The counts of one parser, which goes on from `already` up to so many inputs, for about so many seconds."""
    counts = {name: already.get(name, 0) for name in ("inputs", "accepted", "refused")}
    longest, slowest = already.get("longest", 0.0), already.get("slowest", 0)
    failures, memory = list(already.get("failures", [])), 0
    until = time.monotonic() + seconds
    while counts["inputs"] < inputs and time.monotonic() < until:
        failure, code, took = _one(parser, counts["inputs"], folder / "input")
        longest, slowest = max((longest, slowest), (took, counts["inputs"]))
        failures += [f"input {counts['inputs']}: {failure}"] if failure else []
        counts["inputs"] += 1
        counts["accepted" if code in ANSWERS else "refused"] += 1
        memory = memory or _memory()  # after the first input, which pays for imports
    if _memory() - memory > MEMORY:
        failures.append(f"grew by {(_memory() - memory) / 2**20:.0f} MiB")
    return {"parser": parser.name, **counts, "longest": longest, "slowest": slowest, "failures": failures[:50]}


def _one(parser: Parser, number: int, path: Path) -> tuple[str, int, float]:
    """What is wrong with how the parser took this input, its exit code, and its seconds of the processor."""
    path.write_bytes(made(parser, number))
    began = time.process_time()
    try:
        with _ended_after(SLOW):
            failure, code = parser.ask(path)
    except _TooLong:
        failure, code = f"more than {SLOW:.0f} s", INTERNAL
    return failure, code, time.process_time() - began


def made(parser: Parser, number: int) -> bytes:
    """The input of this number: first those that are there, then changed ones."""
    there = (*parser.real, *parser.wrong)
    if number < len(there):
        return there[number]
    draw = random.Random(f"{parser.name} {number}")
    first = parser.wrong if parser.wrong and draw.random() > _GENTLE else parser.real
    return parser.mutated(draw, draw.choice(first))


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """A context that is left by `_TooLong` after so many seconds of the processor."""

    def end(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def _memory() -> int:
    """The largest resident size of this process so far, in bytes."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
