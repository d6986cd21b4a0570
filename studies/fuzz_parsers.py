"""What reads files and option texts that others wrote, each with inputs that it accepts, for `fuzz`."""

import atexit
import gzip
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import numpy as np
from matplotlib.figure import Figure

from spikecheck.cli.console import console
from spikecheck.core.scorecard import Baseline, Scores
from spikecheck.core.watched import Header, Step
from spikecheck.gate.baseline import baseline_of, fitting
from spikecheck.gate.comparison import ALPHA
from spikecheck.gate.run import scorecard
from spikecheck.gate.suite import contestant, own_suite
from spikecheck.report.json_file import read_baseline, text
from spikecheck.report.scorecard import render_scorecard, scorecard_junit, scorecard_markdown
from studies.called import answered, called
from studies.fuzz_mutations import as_assignment, as_baseline, as_bytes, as_json, as_lines, as_range
from studies.fuzz_texts import ARGUMENTS, CONDITION_NAMES, CONDITIONS, MEANT, MEANT_RANGES, RANGES, TEXTS

HERE = Path(__file__).resolve().parents[1]
Ask = Callable[[Path], tuple[str, int]]
_DEVICE: dict[str, str | int | float] = {"device": "cpu"}
_GATE = ("gate", "--plan", "--optimizer", "adam", "--against", "adam")
_SEEDS, _ALIKE = 4, 3
"""Of a baseline; and settings that a report's search has tried, of which a few stand for all."""
_OWN = ("--workload", "mlp", "--at", "steps=20", "--seeds", "2")


@dataclass(frozen=True)
class Parser:
    """Something that reads what others wrote."""

    name: str
    real: tuple[bytes, ...]
    """Inputs that it accepts, from which others are made."""
    ask: Ask
    """Reads the input in a file: what is wrong with how it was taken, and its exit code; see `called`."""
    mutated: Callable[[random.Random, bytes], bytes]
    wrong: tuple[bytes, ...] = ()
    """Inputs that nobody should write, which are tried and changed further as well."""


def parsers() -> list[Parser]:
    """All of them; those that draw figures, half a second each, come last, after those that only make them."""
    return [*_of_reports(), *_of_gates(), *_of_logs(), *_of_options(), *_of_figures(_undrawn), *_of_figures(_file)]


@cache
def _reports() -> tuple[bytes, bytes]:
    """A report of this version and one of an older one, each of a single claim."""
    report = gzip.decompress((HERE / "reports" / "reproduction.json.gz").read_bytes())
    old = (HERE / "tests" / "report" / "report_before_answers.json").read_bytes()
    return _trimmed(report), _trimmed(old)


def _of_reports() -> list[Parser]:
    report, old = _reports()
    part, rest = _parts(report)
    other, beside = (str(_beside(*one)) for one in (("report.json", report), ("part.json", rest)))
    junit = ("--junit", str(_folder() / "made.xml"))
    return [
        Parser("report", (report, old), _file("report", "FILE"), as_json),
        Parser("report --junit", (report, old), _file("report", "FILE", "--quiet", *junit), as_json),
        Parser("recheck", (report, old), _file("recheck", "FILE"), as_json),
        Parser("compare, reports", (report,), _file("compare", "FILE", other), as_json),
        Parser("merge", (part,), _file("merge", "FILE", beside, "--quiet"), as_json),
    ]


def _of_figures(way: Callable[..., Ask]) -> list[Parser]:
    made, quiet = str(_folder() / "made"), ("report", "FILE", "--quiet")
    drawn = "" if way is _file else ", figures not drawn"
    return [
        Parser(f"report --{form}{drawn}", _reports(), way(*quiet, f"--{form}", f"{made}.{suffix}"), as_json)
        for form, suffix in (("markdown", "md"), ("html", "html"))
    ]


def _of_gates() -> list[Parser]:
    card = _thinned((HERE / "tests" / "browser" / "card.json").read_bytes())
    baseline = text(_baseline()).encode()
    words = (*_GATE[:4], "--set", "lr=0.01", "--baseline", "FILE")
    return [
        Parser("compare, scorecards", (card,), _file("compare", "FILE", str(_beside("card.json", card))), as_json),
        Parser("gate --baseline, its plan", (baseline,), _file(*words), as_baseline),
        Parser("gate --baseline, its scorecard", (baseline,), _judged, as_baseline),
    ]


def _of_logs() -> list[Parser]:
    plain = json.dumps({"step": 1, "loss": 2.5, "lr": 0.1}).encode()
    rows = b"\n".join(json.dumps({"step": i, "loss": 2 / (i + 1), "lr": 0.1}).encode() for i in range(40))
    table = b"step,loss,lr\n" + b"\n".join(f"{i},{2 / (i + 1)},0.1".encode() for i in range(40))
    return [
        Parser("diagnose, JSON lines", (rows, plain), _file("diagnose", "FILE"), as_lines),
        Parser("diagnose, CSV", (table,), _file("diagnose", "FILE"), as_bytes),
        Parser("watch", (_log(),), _file("watch", "FILE"), as_lines),
    ]


def _of_options() -> list[Parser]:
    sets, conditions = as_assignment(ARGUMENTS), as_assignment(CONDITION_NAMES)
    rate = ("--set", "lr=0.01")
    return [
        Parser("--set", _texts(MEANT), _option(*_GATE, *rate, "--set", "TEXT"), sets, _texts(TEXTS)),
        Parser("--at", _texts(CONDITIONS), _option(*_GATE, *rate, "--at", "TEXT"), conditions, _texts(TEXTS)),
        Parser("--tune", _texts(MEANT_RANGES), _option(*_GATE, *_OWN, "--tune", "TEXT"), as_range, _texts(RANGES)),
    ]


def _file(*words: str) -> Ask:
    return lambda path: called([str(path) if word == "FILE" else word for word in words])


def _undrawn(*words: str) -> Ask:
    """The same, with every figure made of all its parts, but not drawn: for that matplotlib takes most of the time."""
    ask = _file(*words)

    def asked(path: Path) -> tuple[str, int]:
        with patch.object(Figure, "savefig", _nothing):
            return ask(path)

    return asked


def _nothing(figure: Figure, out: IO[Any], **options: Any) -> None:
    """Write what is no picture, in place of a figure's own."""
    text = '<svg viewBox="0 0 1 1"></svg>'
    out.write(text if options.get("format") == "svg" else text.encode())


def _option(*words: str) -> Ask:
    def ask(path: Path) -> tuple[str, int]:
        given = path.read_bytes().decode("utf-8", "surrogatepass")
        return called([given if word == "TEXT" else word for word in words])

    return ask


def _texts(texts: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(text.encode("utf-8", "surrogatepass") for text in texts)


def _judged(path: Path) -> tuple[str, int]:
    """The gate without its trainings: the candidate's numbers are at hand."""

    def ask() -> int:
        suite = own_suite({}, _SEEDS, 0)
        baseline = fitting(read_baseline(path), path, suite, _DEVICE)
        card = scorecard(
            *(_candidate(), baseline.contestant, str(path), suite),
            own=_scores(),
            other=baseline.scores,
            alpha=ALPHA,
            command="fuzz",
            environment=_DEVICE,
            runs=(0, 0),
            seconds=0.0,
        )
        render_scorecard(card, console())
        scorecard_markdown(card)
        scorecard_junit(card)
        return 0

    return answered(ask)


def _candidate() -> Any:
    return contestant("adam", {"lr": 0.01})


def _scores() -> Scores:
    """Numbers of four seeds in every setting, which vary."""
    suite, generator = own_suite({}, _SEEDS, 0), np.random.default_rng(0)
    values = {
        measure.name: {
            place: tuple(
                float(x) for x in (np.zeros(_SEEDS) if measure.law == "count" else generator.normal(size=_SEEDS))
            )
            for place in suite.settings
        }
        for measure in suite.measures
    }
    return Scores(values=values)


def _baseline() -> Baseline:
    suite = own_suite({}, _SEEDS, 0)
    return baseline_of(_candidate(), _scores(), suite, reason="fuzz", command="spikecheck gate", environment=_DEVICE)


def _trimmed(raw: bytes) -> bytes:
    """A report with its claim of the fewest characters, and few of what is alike: mutation is to reach every field."""
    document = json.loads(raw)
    document["claims"] = sorted(document["claims"], key=lambda verdict: len(json.dumps(verdict)))[:1]
    for verdict in document["claims"]:
        verdict |= {name: verdict[name][:_ALIKE] for name in ("tried", "robustness") if name in verdict}
        for name in ("steps", "loss", "sharpness_steps", "sharpness"):
            verdict["typical"][name] = verdict["typical"][name][:: len(verdict["typical"][name]) // 20 + 1]
    return json.dumps(document).encode()


def _thinned(raw: bytes) -> bytes:
    """A scorecard whose curves have few points."""
    document = json.loads(raw)
    for sides in document["curves"].values():
        for band in sides.values():
            band |= {name: band[name][:: len(band[name]) // 5 + 1] for name in ("steps", "median", "low", "high")}
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
    path = _folder() / name
    path.write_bytes(content)
    return path


@cache
def _folder() -> Path:
    """A folder of this process, which is removed when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="spikecheck-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _log() -> bytes:
    """A short log of a watched training."""
    head = Header(model="Net", optimizer="SGD", parameters=5, every=1, started="2026-01-01T00:00:00+00:00")
    steps = [Step(step=i, loss=2 / (i + 1), lr=(0.1,)) for i in range(30)]
    return "\n".join(
        [head.model_dump_json(by_alias=True), *(s.model_dump_json(exclude_defaults=True) for s in steps)]
    ).encode()
