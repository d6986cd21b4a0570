"""The command line: parse, build a laboratory, call, render.

Imports of torch, scipy and hypothesis stand inside the commands that need them, so that `list`, `explain` and `--help`
answer at once.
"""

import os
import platform
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import rich_click as click
from rich.console import Console
from rich.text import Text

from spikecheck import __version__
from spikecheck.core.errors import Interrupted, NothingSelected, SpikecheckError, UnknownName, UsageError
from spikecheck.core.events import ClaimStarted, Observer
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Outcome, Report, exit_code
from spikecheck.harness.discover import Found, discover, select
from spikecheck.report.explain import render_explanation, render_list
from spikecheck.report.inert import inert

if TYPE_CHECKING:
    from spikecheck.harness.claim import Claim
    from spikecheck.harness.plan import Plan
    from spikecheck.lab.execution import Execution
    from spikecheck.lab.laboratory import Device, Laboratory
    from spikecheck.lab.store import Store

PROFILES = ("quick", "ci", "full")
_CI_WIDTH = 100


def main() -> NoReturn:
    """Run the command line and leave with an exit code; a user's mistake is one line, never a traceback."""
    try:
        code = cli.main(standalone_mode=False)
    except click.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    except NothingSelected as error:
        code = _complain(error, 5)
    except SpikecheckError as error:
        code = _complain(error, 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains at exit
        code = 0
    except Exception as error:
        if os.environ.get("SPIKECHECK_DEBUG"):
            raise
        code = _complain(f"internal error: {type(error).__name__}: {error}; SPIKECHECK_DEBUG=1 shows where", 70)
    sys.exit(code if isinstance(code, int) else 0)


def _complain(error: object, code: int) -> int:
    _console(stderr=True).print(Text(f"error: {inert(str(error))}", style="red"), soft_wrap=True, highlight=False)
    return code


class _Console(Console):
    """A console whose reader may leave early: that is no error."""

    def on_broken_pipe(self) -> None:
        """Rich would leave with exit code 1."""
        raise BrokenPipeError


def _console(stderr: bool = False) -> Console:
    """A console for data (stdout) or for progress and logs (stderr); CI logs get a width of their own."""
    width = _CI_WIDTH if os.environ.get("CI") and "COLUMNS" not in os.environ else None
    return _Console(stderr=stderr, width=width)


def _several(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_store_options = _several(
    click.option("--store", type=click.Path(path_type=Path), help="Folder of stored runs (default: the user's cache)."),
    click.option("--no-store", is_flag=True, help="Neither read nor write stored runs."),
)
_device_option = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", help="Where to train."
)
_executor_option = click.option(
    "--executor",
    type=click.Choice(["local", "processes"]),
    default="processes",
    show_default=True,
    help="Train in this process, or in one worker a core.",
)
_seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Root of all seeds."
)
_paths_option = click.option(
    "--claims-path",
    "claims_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A further folder of claim files. Repeatable.",
)


@click.group()
@click.version_option(__version__)
def cli() -> None:
    """Claims about loss spikes in training, as executable checks.

    Start with: spikecheck verify --claim condensation
    """


@cli.command("list")
@_paths_option
def list_command(claims_paths: Sequence[Path]) -> None:
    """All claims: id, kind and statement."""
    found = _found(claims_paths)
    if not found.claims:
        raise NothingSelected("no claim was found; give a folder of claim files with --claims-path")
    render_list([(claim.id, claim.kind, claim.says) for claim in found.claims.values()], _console())


@cli.command()
@click.argument("claim_id", metavar="ID")
@_paths_option
def explain(claim_id: str, claims_paths: Sequence[Path]) -> None:
    """What a claim says, where it is said to hold, and what would refute it."""
    render_explanation(_one(claim_id, claims_paths).explain(), _console())


@cli.command()
@click.option(
    "--claim", "patterns", multiple=True, metavar="ID", help="Claim or shell pattern. Repeatable; default all."
)
@click.option("--profile", type=click.Choice(PROFILES), default="quick", show_default=True, help="How much to train.")
@_seed_option
@click.option("--budget", metavar="TIME", help="Stop after so long, such as 60s or 5m; what was trained is kept.")
@_device_option
@_executor_option
@_paths_option
@click.option("--json", "json_path", metavar="FILE", help="Write the report as JSON; - for standard output.")
@_store_options
@click.option("--quiet", is_flag=True, help="No progress, no report; only the exit code, and the JSON if asked for.")
@click.option("--strict", is_flag=True, help="A tendency that stops holding somewhere counts as failed.")
def verify(
    patterns: Sequence[str],
    profile: str,
    seed: int,
    budget: str | None,
    device: "Device",
    executor: "Execution",
    claims_paths: Sequence[Path],
    json_path: str | None,
    store: Path | None,
    no_store: bool,
    quiet: bool,
    strict: bool,
) -> int:
    """Train, judge, and try to refute. Exits 0 if every claim passes, 1 if one fails, 3 if one stays open."""
    from spikecheck.report import json_file
    from spikecheck.report.live import watcher
    from spikecheck.report.terminal import render

    deadline = None if budget is None else time.monotonic() + _seconds(budget)
    if json_path not in (None, "-"):
        _writable(Path(str(json_path)))
    found = _found(claims_paths)
    claims = select(found, patterns)
    with watcher(_console(stderr=True), quiet) as observe:
        lab = _laboratory(store, no_store, device, observe, deadline, executor)
        report = _verified(claims, lab, profile, seed, observe, found)
    if json_path == "-":
        click.echo(json_file.text(report), nl=False)
    elif json_path is not None:
        json_file.write(report, Path(json_path))
    if not quiet:
        render(report, _console(stderr=json_path == "-"))
    if isinstance(lab.stopped, Interrupted):
        return 130
    return _code(report, strict)


@cli.command()
@click.argument("claim_id", metavar="CLAIM")
@click.option("--at", "changes", multiple=True, metavar="AXIS=VALUE", help="A condition that differs. Repeatable.")
@_seed_option
@click.option("--seeds", type=click.IntRange(min=1), default=64, show_default=True, help="How many seeds.")
@_device_option
@_executor_option
@_paths_option
@_store_options
@click.option("--quiet", is_flag=True, help="No progress.")
def replay(
    claim_id: str,
    changes: Sequence[str],
    seed: int,
    seeds: int,
    device: "Device",
    executor: "Execution",
    claims_paths: Sequence[Path],
    store: Path | None,
    no_store: bool,
    quiet: bool,
) -> int:
    """Judge a claim at one setting, as a report's counterexample says."""
    from spikecheck.harness.plan import fresh_seeds
    from spikecheck.harness.verify import replay as judge_again
    from spikecheck.report.live import watcher
    from spikecheck.report.terminal import render_judgement

    claim = _one(claim_id, claims_paths)
    setting = claim.domain.reference.but(**dict(_change(text) for text in changes))
    with watcher(_console(stderr=True), quiet) as observe:
        lab = _laboratory(store, no_store, device, observe, None, executor)
        judgement = judge_again(claim, lab, setting, fresh_seeds(seed, setting, seeds))
    render_judgement(judgement, claim.id, ", ".join(changes), _console())
    return 0 if judgement.outcome in (Outcome.HOLDS, Outcome.FAILS) else 3


@cli.group()
def store() -> None:
    """The stored runs."""


@store.command("info")
@click.option("--store", "folder", type=click.Path(path_type=Path), help="Folder of stored runs.")
def store_info(folder: Path | None) -> None:
    """What is stored, and where."""
    info = _opened(folder).info()
    console = _console()
    console.print(Text(str(info.folder)), soft_wrap=True, highlight=False)
    console.print(
        f"{info.entries:,} runs, {info.size / 2**20:,.1f} MiB, {info.corrupt} damaged files set aside", highlight=False
    )


@store.command("prune")
@click.option("--store", "folder", type=click.Path(path_type=Path), help="Folder of stored runs.")
@click.option("--keep", metavar="SIZE", default="1GiB", show_default=True, help="Keep at most this much.")
@click.option("--older-than", metavar="TIME", help="Also remove what was not used for so long, such as 30d.")
def store_prune(folder: Path | None, keep: str, older_than: str | None) -> None:
    """Remove damaged files, leftovers, and the least recently used runs."""
    age = None if older_than is None else _seconds(older_than, "--older-than")
    pruned = _opened(folder).prune(keep_bytes=_bytes(keep), older_than=age)
    _console().print(
        f"removed {pruned.removed:,} runs ({pruned.freed / 2**20:,.1f} MiB); {pruned.left / 2**20:,.1f} MiB left",
        highlight=False,
    )


# ---- between the words of the command line and the rooms that do the work ----------------------------------------------


def _verified(
    claims: Sequence["Claim"], lab: "Laboratory", profile: str, seed: int, observe: Observer, found: Found
) -> Report:
    """Every claim in turn, until the laboratory is stopped."""
    from spikecheck.harness.plan import plan_of
    from spikecheck.harness.verify import verify as verify_claim

    plan: Plan = plan_of(profile, seed)
    verdicts = []
    for position, claim in enumerate(claims, start=1):
        observe(ClaimStarted(claim.id, position, len(claims)))
        verdicts.append(verify_claim(claim, lab, plan, observe))
        if lab.stopped is not None:
            break
    complete = lab.stopped is None
    return Report(
        passed=complete and not found.unreadable and all(verdict.passed for verdict in verdicts),
        complete=complete,
        command=shlex.join(["spikecheck", *sys.argv[1:]]),
        profile=profile,
        seed=seed,
        environment=_environment(lab),
        claims=tuple(verdicts),
        unreadable=dict(found.unreadable),
    )


def _environment(lab: "Laboratory") -> dict[str, str | int | float]:
    import numpy as np

    where = lab.environment
    return {
        "spikecheck": __version__,
        "torch": where.torch,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "device": where.device,
        "threads": where.threads,
    }


def _code(report: Report, strict: bool) -> int:
    code = exit_code(report)
    if strict and any(verdict.generalises is Outcome.FAILS for verdict in report.claims):
        return 1
    return 3 if code == 0 and not report.complete else code


def _found(paths: Sequence[Path]) -> Found:
    """All claims; a file that cannot be read is told and left out."""
    found = discover(paths)
    for reason in found.unreadable.values():
        text = Text(f"warning: claim file left out: {inert(reason)}", style="yellow")
        _console(stderr=True).print(text, soft_wrap=True, highlight=False)
    return found


def _one(claim_id: str, paths: Sequence[Path]) -> "Claim":
    found = _found(paths)
    if claim_id not in found.claims:
        raise UnknownName("claim", claim_id, found.claims)
    return found.claims[claim_id]


def _laboratory(
    folder: Path | None,
    no_store: bool,
    device: "Device",
    observe: Observer,
    deadline: float | None,
    executor: "Execution",
) -> "Laboratory":
    from spikecheck.lab.execution import Local, Processes
    from spikecheck.lab.laboratory import Laboratory

    where = Processes() if executor == "processes" else Local()
    return Laboratory(None if no_store else _opened(folder), device, observe, deadline, where)


def _opened(folder: Path | None) -> "Store":
    from spikecheck.lab.store import Store, default_folder

    return Store(folder or default_folder())


def _writable(path: Path) -> None:
    """Refuse before hours of training what could not be written after them."""
    if not os.access(path.absolute().parent, os.W_OK) or path.is_dir():
        raise UsageError(f"--json {path}: cannot be written; give a file in a folder that exists and can be written")


def _change(text: str) -> tuple[str, object]:
    """AXIS=VALUE as the setting's own type; `none` is no value."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--at {text!r}: give AXIS=VALUE, such as --at lr=0.05")
    if name not in Setting.model_fields:
        raise UnknownName("condition of a setting", name, Setting.model_fields)
    return name, None if value.lower() == "none" else value


def _seconds(text: str, option: str = "--budget") -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if found is None or float(found[1]) <= 0:
        raise UsageError(f"{option} {text!r}: give a time such as 90s, 5m, 1h or 30d")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise UsageError(f"--keep {text!r}: give a size such as 500MiB or 2GiB")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))
