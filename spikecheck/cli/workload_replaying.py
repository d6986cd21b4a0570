"""The steps of `spikecheck replay --workload`: judge one claim on a workload again, and compare with what was recorded."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from spikecheck.cli import context
from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.cli.exit import INTERRUPTED
from spikecheck.cli.replaying import exit_code
from spikecheck.cli.workload_verifying import request_of
from spikecheck.core.errors import Interrupted, UsageError
from spikecheck.core.reproduction import Reproduction, read
from spikecheck.session.lab_options import LabOptions


def replay_on_workload(
    workload: str,
    claim_id: str | None,
    claims_paths: Sequence[Path],
    chosen: Mapping[str, Any],
    lab_options: LabOptions,
    *,
    gave: str | None,
    quiet: bool,
) -> int:
    """Judge one claim on a workload; `chosen` are the options that `verify --workload` has too. Returns the exit code.

    Raises:
        SpikecheckError: an option or the workload cannot be used, or the claim does not apply to it.
    """
    from spikecheck.report.live import watcher
    from spikecheck.report.replayed import render_reproduction
    from spikecheck.report.terminal import render_judgement

    if claim_id is None:
        raise UsageError("no claim is given; add CLAIM or --claim CLAIM (`spikecheck list` shows all)")
    recorded = None if gave is None else read(gave)
    own = context.any_claim(claim_id, claims_paths)
    request = request_of(workload, {**chosen, "quiet": quiet})
    with watcher(console(stderr=True), quiet=quiet) as observe, redirect_stdout(sys.stderr):
        from spikecheck.session.workload_verify import asked_of, judge_again  # imports torch

        (claim,), _, lab = asked_of([own], request, lab_options, observe)
        judgement = judge_again(claim, lab, request.plan, observe)
    if isinstance(lab.stopped, Interrupted):
        print_error(str(lab.stopped))
        return INTERRUPTED
    reproduction = None if recorded is None else Reproduction(recorded, judgement)
    with tolerate_closed_pipe():
        render_judgement(judgement, claim.id, claim.domain.reference, console(), predicts=claim.predicts)
        if reproduction is not None:
            render_reproduction(reproduction, claim.id, console())
    return exit_code(judgement, reproduction)


def refuse_report(workload: str, file: Path | None) -> None:
    """Refuse a report beside a workload.

    Raises:
        UsageError: there is one.
    """
    if file is not None:
        raise UsageError(f"--workload {workload}, --report {file}: a report has its own; leave out one")


def refuse_steps(steps: int | None) -> None:
    """Refuse steps without a workload.

    Raises:
        UsageError: they are given.
    """
    if steps is not None:
        raise UsageError(f"--steps {steps}: belongs to a workload; add --workload NAME, or give --at steps={steps}")
