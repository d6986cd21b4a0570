"""Feeds spikecheck's parsers with mutated files and option texts. Run it as `python studies/reliability.py --part fuzz`.

Files are mutated in their structure (a value of another kind, a missing key, deep nesting, a huge number, a hostile text)
and in their bytes. Each input goes through the command line in this process; an exit code 70, an exception, more than ten
seconds of the processor or much memory counts as a failure.
"""

import gzip
import io
import json
import math
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spikecheck.cli.exit import report_error
from spikecheck.cli.main import cli
from spikecheck.core.scorecard import Scores
from spikecheck.core.watched import Header, Step
from spikecheck.gate.baseline import baseline_of
from spikecheck.gate.suite import contestant, own_suite
from spikecheck.report.json_file import text
from studies.fuzz_texts import CONDITIONS, HOSTILE, MEANT, RANGES, TEXTS

HERE = Path(__file__).resolve().parents[1]
SLOW = 10.0
"""Seconds of the processor, at most, for one input."""
GENTLE = 0.4
"""Share of inputs in which one digit is changed, so that many are accepted and go through all that comes after reading."""
MEMORY = 500 * 2**20
"""Bytes by which this process may grow over all inputs of a parser."""
_SIGNS = "=.,:()[]{}'\"\\-+*e0123456789jnaif \n\t\x00\x1b\u202e\ud800lr"


@dataclass(frozen=True)
class Parser:
    """Something that reads what others wrote."""

    name: str
    real: tuple[bytes, ...]
    """Inputs that it accepts, from which others are made."""
    words: Callable[[Path], Sequence[str]]
    """The command line that reads the input in this file."""
    mutated: Callable[[random.Random, bytes], bytes]


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
    longest, failures, memory = already.get("longest", 0.0), list(already.get("failures", [])), 0
    until = time.monotonic() + seconds
    while counts["inputs"] < inputs and time.monotonic() < until:
        failure, code, took = _one(parser, counts["inputs"], folder / "input")
        longest = max(longest, took)
        failures += [f"input {counts['inputs']}: {failure}"] if failure else []
        counts["inputs"] += 1
        counts["accepted" if code in (0, 1, 3) else "refused"] += 1
        memory = memory or _memory()  # after the first input, which pays for imports
    if _memory() - memory > MEMORY:
        failures.append(f"grew by {(_memory() - memory) / 2**20:.0f} MiB")
    return {"parser": parser.name, **counts, "longest": longest, "failures": failures[:50]}


def _one(parser: Parser, number: int, path: Path) -> tuple[str, int, float]:
    """What is wrong with how the parser took this input, its exit code, and its seconds of the processor."""
    draw = random.Random(f"{parser.name} {number}")
    real = number < len(parser.real)
    path.write_bytes(parser.real[number] if real else parser.mutated(draw, draw.choice(parser.real)))
    began = time.process_time()
    failure, code = called(parser.words(path))
    seconds = time.process_time() - began
    return failure or (f"{seconds:.0f} s" if seconds > SLOW else ""), code, seconds


def called(words: Sequence[str]) -> tuple[str, int]:
    """What is wrong with how the command line took these words, empty where nothing is; and its exit code."""
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        try:
            code = cli.main(list(words), prog_name="spikecheck", standalone_mode=False)
        except (Exception, KeyboardInterrupt) as error:
            try:
                code = report_error(error)
            except Exception as again:
                return f"the error cannot be told: {type(again).__name__}: {again}", 70
    code = code if isinstance(code, int) else 0
    if code == 70:
        return said.getvalue().strip()[:300], code
    if "\x1b]" in out.getvalue() or "\x1b[2J" in out.getvalue() + said.getvalue():
        return "a terminal escape came through", code
    lines = said.getvalue().count("\n")
    return ("an error of several lines" if code in (2, 4, 5) and lines != 1 else ""), code


def parsers() -> list[Parser]:
    """All of them, each with real inputs."""
    report = _trimmed(gzip.decompress((HERE / "reports" / "reproduction.json.gz").read_bytes()))
    old = (HERE / "tests" / "report" / "report_before_answers.json").read_bytes()
    card = (HERE / "tests" / "browser" / "card.json").read_bytes()
    plain = json.dumps({"step": 1, "loss": 2.5, "lr": 0.1}).encode()
    rows = b"\n".join(json.dumps({"step": i, "loss": 2 / (i + 1), "lr": 0.1}).encode() for i in range(40))
    table = b"step,loss,lr\n" + b"\n".join(f"{i},{2 / (i + 1)},0.1".encode() for i in range(40))
    log = _log()

    def file(*words: str) -> Callable[[Path], Sequence[str]]:
        return lambda path: [words[0], *(str(path) if word == "FILE" else word for word in words[1:])]

    def option(*words: str) -> Callable[[Path], Sequence[str]]:
        return lambda path: [word.replace("TEXT", path.read_bytes().decode("utf-8", "surrogatepass")) for word in words]

    ranges, numbers, conditions = (
        tuple(text.encode("utf-8", "surrogatepass") for text in each)
        for each in (RANGES, TEXTS + 5 * MEANT, TEXTS + 4 * CONDITIONS)
    )
    gate = ("gate", "--plan", "--optimizer", "adam", "--against", "adam")
    own = ("--workload", "mlp", "--at", "steps=20", "--seeds", "2")
    part, rest = _parts(report)
    return [
        Parser("report", (report, old), file("report", "FILE"), as_json),
        Parser("recheck", (report, old), file("recheck", "FILE"), as_json),
        Parser(
            "compare, reports", (report, old), file("compare", "FILE", str(_beside("report.json", report))), as_json
        ),
        Parser("compare, scorecards", (card,), file("compare", "FILE", str(_beside("card.json", card))), as_json),
        Parser("merge", (part,), file("merge", "FILE", str(_beside("part.json", rest)), "--quiet"), as_json),
        Parser("gate --baseline", (_baseline(),), file(*gate[:4], "--set", "lr=0.01", "--baseline", "FILE"), as_json),
        Parser("diagnose, JSON lines", (rows, plain), file("diagnose", "FILE"), as_lines),
        Parser("diagnose, CSV", (table,), file("diagnose", "FILE"), as_bytes),
        Parser("watch", (log,), file("watch", "FILE"), as_lines),
        Parser("--set", numbers, option(*gate, "--set", "lr=0.01", "--set", "TEXT"), as_text),
        Parser("--at", conditions, option(*gate, "--set", "lr=0.01", "--at", "TEXT"), as_text),
        Parser("--tune", ranges, option(*gate, *own, "--tune", "TEXT"), as_text),
    ]


def as_json(draw: random.Random, raw: bytes) -> bytes:
    """A document with one to three of its values, keys or bytes changed, or with one number or letter of one value."""
    kind = draw.random()
    if kind < 0.1:
        return as_bytes(draw, raw)
    if kind < 0.1 + GENTLE:
        return _retouched(draw, raw)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):  # changed before
        return as_bytes(draw, raw)
    for _ in range(draw.randint(1, 3)):
        document = _with_one_changed(draw, document)
    return json.dumps(document).encode()


def as_lines(draw: random.Random, raw: bytes) -> bytes:
    """A log with some of its lines changed as documents, and sometimes bytes."""
    lines = raw.splitlines()
    for _ in range(draw.randint(1, 3)):
        place = draw.randrange(len(lines))
        lines[place] = (
            as_json(draw, lines[place])
            if lines[place].startswith(b"{") and draw.random() < 0.8
            else as_bytes(draw, lines[place])
        )
        lines[place] = lines[place].replace(b"\n", b" ")
    return b"\n".join(lines) + b"\n"


def as_bytes(draw: random.Random, raw: bytes) -> bytes:
    """Bytes flipped, cut, repeated or replaced by nesting."""
    content = bytearray(raw or b"x")
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(content) or 1)
        kind = draw.randrange(6)
        if kind == 0 and content:
            content[place] = draw.randrange(256)
        elif kind == 1:
            del content[place:]
        elif kind == 2:
            content[place:place] = draw.randbytes(draw.randint(1, 20))
        elif kind == 3:
            content[place:place] = content[place : place + 50] * draw.randint(1, 20)
        elif kind == 4:
            content[place:place] = draw.choice(
                [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 6_000, b'"' + b"a" * 200_000, b"\x1b]0;x\x07"]
            )
        else:
            content[place:place] = draw.choice(
                [b",", b'"', b"\n", b"\r", b"\x00", b";", b"NaN", b"1e999", b"-", b"\xff\xfe", "\u202e".encode()]
            )
    return bytes(content)


def as_text(draw: random.Random, raw: bytes) -> bytes:
    """An option's text with signs exchanged, inserted and removed, or with one digit exchanged."""
    if draw.random() < GENTLE:
        return _retouched(draw, raw)
    text = list(raw.decode("utf-8", "surrogatepass"))
    for _ in range(draw.randint(1, 5)):
        place = draw.randint(0, len(text))
        text[place : place + draw.randint(0, 2)] = [draw.choice(_SIGNS) for _ in range(draw.randint(0, 3))]
    if draw.random() < 0.05:
        text.append(draw.choice("([{-'") * draw.choice([10, 1_000, 5_000]))
    return "".join(text).replace("\x00", "" if draw.random() < 0.9 else "\x00").encode("utf-8", "surrogatepass")


def _retouched(draw: random.Random, raw: bytes) -> bytes:
    """One digit exchanged for another: of a valid input, mostly a valid one, which is read to its end."""
    digits = [place for place, sign in enumerate(raw) if 48 <= sign < 58]
    if not digits:
        return raw
    place = draw.choice(digits)
    return raw[:place] + draw.choice("0123456789").encode() + raw[place + 1 :]


def _with_one_changed(draw: random.Random, document: Any) -> Any:
    """The document with one value exchanged, one key removed or added; where in its tree is drawn."""
    places = list(_places(document))
    if not places:
        return draw.choice(HOSTILE)
    holder, key = draw.choice(places)
    kind = draw.random()
    if kind < 0.15:
        del holder[key]
    elif kind < 0.25 and isinstance(holder, dict):
        holder[draw.choice(["x", "", "\x1b[31m", "schema", "__class__"])] = draw.choice(HOSTILE)
    elif kind < 0.35 and isinstance(holder[key], list):
        holder[key] = holder[key] * draw.choice([0, 2, 3])
    elif kind < 0.45:
        holder[key] = holder[draw.choice(list(holder))] if isinstance(holder, dict) else [holder[key]]
    elif kind < 0.6 and isinstance(holder[key], float):
        holder[key] = draw.choice([-holder[key], holder[key] * 1e6, holder[key] + 1, 0, -1, 1e300])
    else:
        holder[key] = draw.choice(HOSTILE)
    return document


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree that holds a value: its holder and its key."""
    left = [part]
    while left:
        holder = left.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        for key, value in items:
            yield holder, key
            left.append(value)


def _trimmed(raw: bytes) -> bytes:
    """A report with its claim of the fewest characters: mutation is to reach every field."""
    document = json.loads(raw)
    document["claims"] = sorted(document["claims"], key=lambda verdict: len(json.dumps(verdict)))[:1]
    return json.dumps(document).encode()


def _parts(raw: bytes) -> tuple[bytes, bytes]:
    """A report as the first part of two, with a second part that has no claims."""
    document = json.loads(raw)
    return tuple(  # type: ignore[return-value]
        json.dumps(document | {"shard": f"{part}/2", "claims": claims}).encode()
        for part, claims in ((1, document["claims"]), (2, []))
    )


def _beside(name: str, content: bytes) -> Path:
    """A file that stays as it is, to compare with."""
    path = Path(tempfile.gettempdir()) / f"spikecheck-fuzz-{os.getpid()}-{name}"
    path.write_bytes(content)
    return path


def _baseline() -> bytes:

    suite = own_suite({}, 4, 0)
    spec = contestant("adam", {"lr": 0.01})
    names = [measure.name for measure in suite.measures]
    values = {name: dict.fromkeys(suite.settings, (0.0, 1.0, 0.0, 1.0)) for name in names}
    return text(baseline_of(spec, Scores(values=values), suite, "fuzz", "spikecheck gate", {"device": "cpu"})).encode()


def _log() -> bytes:
    """A short log of a watched training."""

    head = Header(model="Net", optimizer="SGD", parameters=5, every=1, started="2026-01-01T00:00:00+00:00")
    steps = [Step(step=i, loss=2 / (i + 1), lr=(0.1,)) for i in range(30)]
    return "\n".join(
        [head.model_dump_json(by_alias=True), *(s.model_dump_json(exclude_defaults=True) for s in steps)]
    ).encode()


def _memory() -> int:
    """The largest resident size of this process so far, in bytes."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
