"""pytest collects claim files: each becomes three tests, `replicates`, `generalises` and `control`.

A module of its own, since pytest imports its plugins in every run: spikecheck, numpy and torch are imported when the
first of these tests runs, not before. A claim file is recognised by its text and executed when its tests run, so that a
broken one fails by itself and the others go on.
"""

import os
import re
import shlex
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _pytest._code.code import ExceptionInfo, TerminalRepr
    from _pytest.terminal import TerminalReporter

    from spikecheck.core.events import Event
    from spikecheck.core.verdict import Verdict
    from spikecheck.harness.claim import Claim
    from spikecheck.lab.laboratory import Laboratory

QUESTIONS = ("replicates", "generalises", "control")
_IMPORTS = re.compile(rb"^(?:from|import)\s+spikecheck\b", re.MULTILINE)
_ASSIGNS = re.compile(rb"^claim\b[^=\n]*=\s*(?:\w+\.)*Claim\(", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """What the command line, or else the ini file, asks for."""

    profile: str
    seed: int
    store: str
    """A folder; empty for the default one."""
    strict: bool


class Refuted(Exception):
    """A question whose answer is not the one the claim needs; its text is what pytest shows."""


# --- options


def pytest_addoption(parser: pytest.Parser) -> None:
    """Every option has a twin for the ini file."""
    group = parser.getgroup("spikecheck", "claims about training")
    group.addoption("--spikecheck-profile", choices=("quick", "ci", "full"), help="how much to train (default: quick)")
    group.addoption("--spikecheck-seed", type=int, metavar="N", help="root of all seeds (default: 0)")
    group.addoption("--spikecheck-store", metavar="DIR", help="folder of stored runs (default: the user's cache)")
    group.addoption("--spikecheck-strict", action="store_true", help="a tendency that stops holding somewhere fails")
    parser.addini("spikecheck_profile", "how much to train: quick, ci or full", default="quick")
    parser.addini("spikecheck_seed", "root of all seeds", default="0")
    parser.addini("spikecheck_store", "folder of stored runs; the user's cache where it is empty", default="")
    parser.addini("spikecheck_strict", "a tendency that stops holding somewhere fails", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and where this process keeps its verdicts."""
    config.addinivalue_line("markers", "spikecheck: one question about a claim; it trains models.")
    config.stash[_VERDICTS] = Verdicts(_asked(config))


def _asked(config: pytest.Config) -> Asked:
    def option(name: str) -> Any:
        given = config.getoption(f"spikecheck_{name}")
        return config.getini(f"spikecheck_{name}") if given is None else given

    try:
        seed = int(option("seed"))
    except ValueError:
        seed = -1
    if seed < 0:
        raise pytest.UsageError(f"spikecheck_seed={option('seed')!r}: give an integer of at least 0")
    strict = bool(config.getoption("spikecheck_strict") or config.getini("spikecheck_strict"))
    return Asked(option("profile"), seed, option("store"), strict)


# --- collection


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ClaimFile | None":
    """Recognise claim files; test files and what begins with an underscore are never taken for one."""
    ordinary = file_path.name.startswith(("_", "test_", "conftest")) or file_path.name.endswith("_test.py")
    if file_path.suffix != ".py" or ordinary or not _defines_a_claim(file_path):
        return None
    return ClaimFile.from_parent(parent, path=file_path)


def _defines_a_claim(file: Path) -> bool:
    text = file.read_bytes()
    return bool(_IMPORTS.search(text) and _ASSIGNS.search(text))


class ClaimFile(pytest.File):
    """One claim."""

    def collect(self) -> Iterator["Question"]:
        """The three questions, without executing the file."""
        for name in QUESTIONS:
            yield Question.from_parent(self, name=name)


class Question(pytest.Item):
    """One question about a claim."""

    def __init__(self, **of_item: Any) -> None:
        super().__init__(**of_item)
        self.add_marker("spikecheck")
        self.extra_keyword_matches.add(self.path.stem.replace("_", "-"))
        if self.config.pluginmanager.hasplugin("xdist"):  # --dist loadgroup then verifies each claim in one worker
            self.add_marker(pytest.mark.xdist_group(self.path.stem))

    def runtest(self) -> None:
        """Verify the claim, if no other question did before, and answer from the verdict."""
        from spikecheck.report.question import Answer

        verdicts = self.config.stash[_VERDICTS]
        verdict = verdicts.of(self.path)
        answer = Answer(self.name, verdict, _again(self.name, verdict, self.path, verdicts.asked))
        self.user_properties.extend(answer.properties(verdicts.asked.profile, verdicts.asked.seed))
        self.add_report_section("call", "spikecheck", answer.text())
        result = answer.result(verdicts.asked.strict)
        if result == "failed":
            raise Refuted(answer.text())
        if result == "skipped":
            pytest.skip(answer.headline)

    def repr_failure(self, excinfo: "ExceptionInfo[BaseException]", style: Any = None) -> "str | TerminalRepr":
        """An answer, or a mistake in a claim file, is shown as its text; only a defect has a traceback."""
        from spikecheck.core.errors import SpikecheckError

        if isinstance(excinfo.value, Refuted | SpikecheckError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where pytest says it is."""
        return self.path, 0, f"{self.path.stem}::{self.name}"


# --- verification


class Verdicts:
    """The claims verified in this process: each once, whichever of its questions comes first."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._known: dict[Path, Verdict | Exception] = {}
        self._laboratory: Laboratory | None = None

    def of(self, file: Path) -> "Verdict":
        """The file's verdict; what went wrong the first time goes wrong again, without training again."""
        if file not in self._known:
            try:
                self._known[file] = self._verify(file)
            except Exception as error:
                self._known[file] = error
        known = self._known[file]
        if isinstance(known, Exception):
            raise known
        return known

    def _verify(self, file: Path) -> "Verdict":
        from spikecheck.core.errors import Interrupted
        from spikecheck.harness.plan import plan_of
        from spikecheck.harness.verify import verify

        claim, plan = _claim_in(file), plan_of(self.asked.profile, self.asked.seed)
        troubles: list[str] = []
        with _fair_share_of_threads():
            lab = self._lab(troubles)
            verdict = verify(claim, lab, plan)
        if isinstance(lab.stopped, Interrupted):
            raise KeyboardInterrupt
        for message in troubles:
            warnings.warn(pytest.PytestWarning(message), stacklevel=2)
        return verdict

    def _lab(self, troubles: list[str]) -> "Laboratory":
        """One for all claims, so that they share what they train at the same setting."""
        from spikecheck.core.events import StoreTrouble
        from spikecheck.lab.laboratory import Laboratory
        from spikecheck.lab.store import Store, default_folder

        def note(event: "Event") -> None:
            if isinstance(event, StoreTrouble):
                troubles.append(event.message)

        if self._laboratory is None:
            folder = Path(self.asked.store) if self.asked.store else default_folder()
            self._laboratory = Laboratory(Store(folder), observe=note)
        return self._laboratory


_VERDICTS = pytest.StashKey[Verdicts]()


def _claim_in(file: Path) -> "Claim":
    """The file's claim, with the counterexamples known for it."""
    from spikecheck.core.errors import ClaimFileError
    from spikecheck.harness.discover import discover

    found = discover([file.parent])
    for name, reason in found.unreadable.items():
        if Path(name).resolve() == file.resolve():
            raise ClaimFileError(reason)
    for claim in found.claims.values():
        if Path(claim.source).resolve() == file.resolve():
            return claim
    raise ClaimFileError(f"{file}: another claim goes by the id {file.stem.replace('_', '-')!r}; rename the file")


@contextmanager
def _fair_share_of_threads() -> Iterator[None]:
    """Beside other workers, torch takes this one's share of the cores: oversubscribed, training is 50 times slower."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(min(before, max(1, (os.cpu_count() or 1) // workers)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


# --- what is shown


def _again(question: str, verdict: "Verdict", file: Path, asked: Asked) -> str:
    """The counterexample's own line, or the whole verification's; with the folder, if it isn't found without."""
    from spikecheck.harness.discover import BUILT_IN

    if question == "generalises" and verdict.counterexample is not None:
        line = verdict.counterexample.replay
    else:
        line = f"spikecheck verify --claim {verdict.id} --profile {asked.profile} --seed {asked.seed}"
    known = {BUILT_IN.resolve(), Path("claims").resolve()}
    return line if file.parent.resolve() in known else f"{line} --claims-path {shlex.quote(str(file.parent))}"


def pytest_terminal_summary(terminalreporter: "TerminalReporter") -> None:
    """Say where tendencies stop holding: these tests pass, and nothing else would show it."""
    edges = list(_edges(terminalreporter.getreports("passed")))
    if edges:
        terminalreporter.section("spikecheck: edges of tendencies")
        for line in edges:
            terminalreporter.write_line(line)


def _edges(reports: Iterable[Any]) -> Iterator[str]:
    for report in reports:
        said = {name: value for name, value in report.user_properties if name.startswith("spikecheck_")}
        if said.get("spikecheck_question") == "generalises" and said["spikecheck_outcome"] == "fails":
            yield f"{said['spikecheck_claim']} stops holding at {said['spikecheck_at']}"
            yield f"  {said['spikecheck_again']}"
