"""The steps of `spikecheck verify --workload`: choose the claims, train, judge, and write the report."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikecheck.cli import context, output
from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.cli.exit import INTERRUPTED
from spikecheck.cli.loading import loading
from spikecheck.cli.options import given_options
from spikecheck.core.errors import Interrupted, UsageError
from spikecheck.core.verdict import exit_code
from spikecheck.gate.config import conditions
from spikecheck.harness.discover import select
from spikecheck.session.lab_options import LabOptions

if TYPE_CHECKING:
    from spikecheck.session.workload_verify import WorkloadRequest

STEPS, SEEDS = 500, 16
"""The default. If all of 16 seeds hold, the lower bound on their share lies above 80 %."""
_OF_OWN_NETWORKS = ("profile", "shard")


def verify_workload(
    workload: str,
    patterns: Sequence[str],
    claims_paths: Sequence[Path],
    chosen: Mapping[str, Any],
    lab_options: LabOptions,
    *,
    files: Mapping[str, str | None],
) -> int:
    """Verify claims on a workload; `chosen` are the command's other options. Returns the exit code.

    Raises:
        SpikecheckError: the workload, its optimizer or an option cannot be used, or no claim applies.
    """
    from spikecheck.report.live import watcher

    _check_options(workload)
    found = context.all_claims(claims_paths).all
    claims = select(found, patterns)
    request = request_of(workload, chosen)
    quiet, strict = chosen["quiet"], chosen["strict"]
    with watcher(console(stderr=True), quiet=quiet) as observe, redirect_stdout(sys.stderr):
        from spikecheck.session import verify as session  # imports torch, for seconds in which progress is shown
        from spikecheck.session.workload_verify import asked_of, verify_on_workload

        judged, left_out, lab = asked_of(claims, request, lab_options, observe)
        some = [] if chosen["only_planned"] else judged
        verdicts, failed = verify_on_workload(some, lab, request.plan, observe)
    if chosen["only_planned"]:
        return _planned([claim.id for claim in judged], left_out, lab.seconds(request.steps), request)
    report = session.build_report(
        verdicts,
        {**found.unreadable, **failed},
        lab,
        "workload",
        request.root,
        complete=lab.stopped is None,
        strict=strict,
        left_out=left_out,
    )
    output.write_reports(report, dict(files), quiet=quiet, strict=strict)
    if isinstance(lab.stopped, Interrupted):
        print_error(str(lab.stopped))
        return INTERRUPTED
    return exit_code(report, strict=strict)


def check_not_given(chosen: Mapping[str, Any]) -> None:
    """Refuse options that only mean something with a workload.

    Raises:
        UsageError: one of them is given.
    """
    for name, option in (("changes", "--at"), ("steps", "--steps"), ("seeds", "--seeds")):
        if chosen[name] not in (None, ()):
            raise UsageError(f"{option}: belongs to a workload; add --workload NAME, or leave it out")


def _check_options(workload: str) -> None:
    for name, option in given_options().items():
        if name in _OF_OWN_NETWORKS:
            raise UsageError(f"--workload {workload}, {option}: a workload is one setting; leave out {option}")


def request_of(workload: str, chosen: Mapping[str, Any]) -> "WorkloadRequest":
    """The requested training; `chosen` are optimizer, numbers, changes, steps, seeds, seed and quiet of the command line.

    Raises:
        UsageError: an option cannot be read.
    """
    with loading(console(stderr=True), quiet=chosen["quiet"]):
        from spikecheck.session.workload_verify import WorkloadRequest

    numbers = context.optimizer_numbers(chosen["optimizer"], chosen["numbers"])
    options = conditions(chosen["changes"])
    given = options.pop("steps", None)
    if given is not None and chosen["steps"] is not None:
        raise UsageError(f"--at steps={given}, --steps {chosen['steps']}: give one of them")
    steps = chosen["steps"] or (STEPS if given is None else given)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 20:
        raise UsageError(f"--steps {steps}: give 20 or more")
    words = _words(workload, steps, chosen)
    seeds = chosen["seeds"] or SEEDS
    return WorkloadRequest(workload, options, steps, seeds, chosen["seed"], chosen["optimizer"], numbers, words)


def _words(workload: str, steps: int, chosen: Mapping[str, Any]) -> tuple[str, ...]:
    at = [word for text in chosen["changes"] if not text.startswith("steps=") for word in ("--at", text)]
    own = [] if chosen["optimizer"] is None else ["--optimizer", chosen["optimizer"]]
    sets = [word for text in chosen["numbers"] for word in ("--set", text)]
    return ("--workload", workload, *at, "--steps", str(steps), *own, *sets)


def _planned(claims: Sequence[str], left_out: Mapping[str, str], seconds: float, request: "WorkloadRequest") -> int:
    """Print which claims would be verified, and about how long their trainings take."""
    out = console()
    with tolerate_closed_pipe():
        for name in claims:
            out.print(f"{name}", highlight=False)
        for name, reason in left_out.items():
            out.print(f"not applicable: {name}, which {reason}", highlight=False, soft_wrap=True, style="dim")
        whole = seconds * request.seeds
        out.print(
            f"{request.seeds} trainings, each about {seconds:.1f} s on one core: {whole:.0f} s, and more for controls"
        )
    return 0
