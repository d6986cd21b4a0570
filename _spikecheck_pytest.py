"""The pytest plugin: `pytest claims` verifies each claim file as three items; the fixture `spikecheck` gates optimizers.

A top-level module that imports nothing heavy: it is loaded in every test run of everyone who has the package installed.
A claim file is executed when its items run: a broken one fails by itself, the others go on.
"""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from spikecheck.core.events import Event
    from spikecheck.core.scorecard import Scorecard
    from spikecheck.core.verdict import Verdict
    from spikecheck.harness.claim import Claim

QUESTIONS = ("replicates", "generalises", "control")
_OPTIONS = {
    "profile": ("quick", "how much to train: quick, ci or full"),
    "seed": ("0", "root of all seeds"),
    "store": ("", "folder of stored runs (default: the user's cache)"),
}
_NEITHER = {"undecided": "?", "untriggered": "o", "invalid": "!"}
"""Outcomes that neither pass nor fail: their items fail, as pytest has no state between, and go by their own word."""
_STRICT = "a tendency that stops holding somewhere fails"
_FOLDERS = pytest.StashKey["set[Path]"]()


class ClaimFailed(Exception):
    """A verdict that is not what the item asks for; its text is all a reader needs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Every option has its twin in the ini file."""
    group = parser.getgroup("spikecheck", "claims about training")
    for name, (default, text) in _OPTIONS.items():
        group.addoption(f"--spikecheck-{name}", default=None, help=text)
        parser.addini(f"spikecheck_{name}", help=text, default=default)
    group.addoption(
        "--spikecheck-strict", action="store_true", help=_STRICT
    )  # without a value: it may stand before a path
    parser.addini("spikecheck_strict", help=_STRICT, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that every claim's items bear."""
    config.addinivalue_line("markers", "spikecheck: a claim about training, or a gate, judged on trained models")


def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """An undecided answer is shown as UNDECIDED in place of FAILED, and counts as failed."""
    if not isinstance(report, pytest.TestReport) or report.when != "call" or not report.failed:
        return None
    properties = dict(report.user_properties)
    word = str(properties.get("outcome", "")) if "claim" in properties else ""
    return ("failed", _NEITHER[word], word.upper()) if word in _NEITHER else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that gate bear the marker too: `-m spikecheck` selects all that trains."""
    for item in items:
        if "spikecheck" in getattr(item, "fixturenames", ()):
            item.add_marker("spikecheck")


@pytest.fixture(name="spikecheck")
def _spikecheck(request: pytest.FixtureRequest) -> Gatekeeper:
    """Gates in a test of one's own: `spikecheck.gate(MyAdam, lr=0.01, against="adam")`."""
    return Gatekeeper(request)


class Gatekeeper:
    """What the fixture `spikecheck` gives."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def gate(
        self,
        optimizer: str | Callable[..., Any],
        *,
        lr: float | None = None,
        tune: str | None = None,
        against: str | Callable[..., Any] | None = None,
        against_set: Mapping[str, Any] | None = None,
        baseline: str | Path | None = None,
        conditions: Mapping[str, Any] | None = None,
        seeds: int | None = None,
        seed: int | None = None,
        rows: str | Sequence[str] | None = None,
        **options: Any,
    ) -> Scorecard:
        """Fail the test if training with `optimizer` is less stable than with its reference; the scorecard otherwise.

        `options` are the optimizer's own, `against_set` the reference's (its lr is the candidate's unless given), `conditions`
        such as `batch`, `steps`, `problem` or `model` hold for all trainings. `tune`, such as "lr=1e-4..1e-1", stands in place
        of `lr` with a `workload` among the conditions: each side is compared at its own best rate of the range, found on seeds
        of its own. `rows`, such as "final loss,first steps" or a list of names, are those to compare; all by default. Each
        setting is trained with 16 seeds, or with the baseline's, whose range and rows are used too. The test fails also where
        nothing is decided: something looks worse, or the seeds are too few.
        """
        from spikecheck.cli.fixture_arguments import in_python
        from spikecheck.cli.gate_fixture import FixtureGate
        from spikecheck.core.errors import SpikecheckError
        from spikecheck.report.scorecard import failing_rows

        numbers = options if lr is None else {"lr": lr, **options}
        other = {} if against_set is None else against_set
        shared = {} if conditions is None else conditions
        gate = FixtureGate(optimizer, numbers, against, other, baseline, shared, seeds, seed, tune, rows)
        try:
            card = gate.held(_option(self._request.config, "store"))
        except SpikecheckError as error:
            raise pytest.fail.Exception(in_python(str(error)), pytrace=False) from None
        self._request.node.user_properties += [(f"gate: {row.title}", str(row.change)) for row in card.rows]
        if not card.passed:
            said = (
                "training has become less stable"
                if card.regressed
                else "undecided: whether training has become less stable"
            )
            pytest.fail("\n".join([said, *failing_rows(card)]), pytrace=False)
        return card


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """What `spikecheck list` lists, unreadable files included; elsewhere a file that makes a claim at its top level."""
    if file_path.suffix != ".py" or file_path.name.startswith(("test_", "_", "conftest")):
        return None
    listed = file_path.parent.resolve() in _listed_folders(parent.config) or _makes_a_claim(file_path)
    return ClaimFile.from_parent(parent, path=file_path) if listed else None


def _listed_folders(config: pytest.Config) -> set[Path]:
    """Folders in which every file is to hold a claim: those that `spikecheck list` reads without being told.

    A folder called claims in which nothing says spikecheck is somebody else's, such as an insurance's.
    """
    if _FOLDERS not in config.stash:
        here = Path(__file__).resolve().parent
        beside = {(folder / "claims").resolve() for folder in (config.rootpath, config.invocation_params.dir)}
        known = {folder for folder in beside if any("spikecheck" in _text(file) for file in folder.glob("*.py"))}
        config.stash[_FOLDERS] = known | {here / "claims", here / "spikecheck" / "_claims"}
    return config.stash[_FOLDERS]


def _makes_a_claim(file: Path) -> bool:
    """Whether a file says spikecheck and binds `claim` at its top level, however it comes by it."""
    text = _text(file)
    if "spikecheck" not in text or "claim" not in text:
        return False
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    return any("claim" in _bound(statement) for statement in _executed(body))


def _text(file: Path) -> str:
    """A file's text, or none where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _executed(body: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """The statements that importing a module may execute: also those of conditions, loops and handlers."""
    for part in body:
        if isinstance(part, ast.stmt):
            yield part
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
            yield from _executed(ast.iter_child_nodes(part))


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement binds. A function counts where a decorator may make something else of it."""
    if isinstance(statement, ast.ImportFrom | ast.Import):
        return {alias.asname or alias.name for alias in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name} if statement.decorator_list else set()
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {
        name.id for target in targets if target is not None for name in ast.walk(target) if isinstance(name, ast.Name)
    }


class ClaimFile(pytest.File):
    """One claim; its items share one verification."""

    _verdict: Verdict | None = None

    def collect(self) -> Iterable[pytest.Item]:
        """The three questions; with xdist's `--dist loadgroup` one worker answers all of them."""
        for question in QUESTIONS:
            item = ClaimItem.from_parent(self, name=question)
            item.add_marker("spikecheck")
            if self.config.pluginmanager.hasplugin("xdist"):
                item.add_marker(pytest.mark.xdist_group(self.path.stem))
            yield item

    def verdict(self) -> Verdict:
        """Verified once a session; other workers find the runs in the store."""
        if self._verdict is None:
            self._verdict = self._verified()
        return self._verdict

    def _verified(self) -> Verdict:
        from spikecheck.core.errors import Interrupted
        from spikecheck.core.events import StoreTrouble
        from spikecheck.harness.plan import plan_of
        from spikecheck.harness.verify import verify
        from spikecheck.lab.laboratory import Laboratory
        from spikecheck.lab.store_address import opened

        troubles: list[str] = []

        def note(event: Event) -> None:
            if isinstance(event, StoreTrouble):
                troubles.append(event.message)

        claim, plan = _claim_in(self.path), plan_of(_option(self.config, "profile"), _seed(self.config))
        folder = _option(self.config, "store")
        lab = Laboratory(opened(folder), observe=note)
        verdict = verify(claim, lab, plan)
        if isinstance(lab.stopped, Interrupted):
            raise KeyboardInterrupt
        for trouble in troubles:
            warnings.warn(pytest.PytestWarning(trouble), stacklevel=1)
        return verdict


class ClaimItem(pytest.Item):
    """One question about one claim."""

    def runtest(self) -> None:
        """Answer it; anything but the answer asked for fails with words, not with a traceback.

        Where nothing but the reference was searched `generalises` is skipped: it could not have failed.
        """
        assert isinstance(self.parent, ClaimFile)
        from spikecheck.report.claim_item import complaint, edge, properties

        verdict = self.parent.verdict()
        self.user_properties += properties(verdict, self.name)
        if self.name == "generalises" and verdict.generalises == "undecided" and verdict.settings_tried == 1:
            pytest.skip("no setting but the reference was searched, so nothing can be said of the domain")
        if says := complaint(verdict, self.name, strict=_strict(self.config)):
            raise ClaimFailed(says)
        if self.name == "generalises" and (says := edge(verdict)):
            self.add_report_section("call", "edge", says)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The verdict's own words, or what the user can mend; a traceback only for a defect."""
        from spikecheck.core.errors import SpikecheckError

        if isinstance(excinfo.value, ClaimFailed | SpikecheckError):
            return str(excinfo.value)
        if isinstance(excinfo.value, ModuleNotFoundError) and excinfo.value.name == "torch":
            return f"{excinfo.value}: claims are judged on trained models; pip install torch"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the item stands."""
        return self.path, 0, f"{self.path.stem}::{self.name}"


def _option(config: pytest.Config, name: str) -> str:
    given = config.getoption(f"--spikecheck-{name}")
    return str(config.getini(f"spikecheck_{name}") if given is None else given)


def _strict(config: pytest.Config) -> bool:
    return bool(config.getoption("--spikecheck-strict") or config.getini("spikecheck_strict"))


def _seed(config: pytest.Config) -> int:
    from spikecheck.core.errors import SettingError

    given = _option(config, "seed")
    if not given.isdecimal():
        raise SettingError(f"spikecheck_seed={given!r}: give an integer of at least 0")
    return int(given)


def _claim_in(file: Path) -> Claim:
    """The file's claim, with the counterexamples that its folder knows."""
    from spikecheck.core.errors import ClaimFileError
    from spikecheck.harness.discover import discover

    discovered = discover([file.parent])
    for name, reason in discovered.unreadable.items():
        if Path(name).resolve() == file.resolve():
            raise ClaimFileError(reason)
    for claim in discovered.claims.values():
        if Path(claim.source).resolve() == file.resolve():
            return claim
    raise ClaimFileError(f"{file}: another claim goes by the id {file.stem.replace('_', '-')!r}; rename the file")
