"""What `spikecheck replay` judges: the setting that its options describe, or a report's counterexample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.core import ParameterSource

from spikecheck.cli import context
from spikecheck.core.errors import UsageError
from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.reproduction import Degree, Recorded, Reproduction, read
from spikecheck.core.verdict import Counterexample, Report, Verdict

if TYPE_CHECKING:
    from spikecheck.core.setting import Setting
    from spikecheck.harness.claim import Claim

_OF_THE_REPORT = {"optimizer": "--optimizer", "numbers": "--set", "changes": "--at", "seed": "--seed"}
_OF_THE_REPORT |= {"workload": "--workload", "steps": "--steps", "seeds": "--seeds", "gave": "--gave"}


@dataclass(frozen=True)
class ReplayRequest:
    """A setting to judge, and what was recorded there before."""

    claim: "Claim"
    setting: "Setting"
    seeds: Sequence[int]
    recorded: Recorded | None = None
    source: tuple[Report, Verdict] | None = None
    """The report and the verdict that recorded it; None for a line's --gave."""

    def compared(self, judgement: Judgement, here: Mapping[str, str | int | float]) -> Reproduction | None:
        """The judgement compared with the recorded one, None if nothing was recorded. `here`: the judgement's environment."""
        from spikecheck.harness.differences import differences

        if self.recorded is None:
            return None
        known = None if self.source is None else differences(*self.source, self.claim, here)
        return Reproduction(self.recorded, judgement, known)


def by_options(
    claim_id: str | None,
    claims_paths: Sequence[Path],
    optimizer: tuple[str | None, Sequence[str]],
    *,
    changes: Sequence[str],
    seeds: tuple[int, int],
    gave: str | None,
) -> ReplayRequest:
    """The setting that --at describes. `optimizer` is its name and numbers, `seeds` their root and number.

    Raises:
        UsageError: no claim is given, or an option cannot be read.
    """
    from spikecheck.harness.plan import fresh_seeds

    if claim_id is None:
        raise UsageError("no claim is given; add CLAIM or --claim CLAIM (`spikecheck list` shows all)")
    recorded = None if gave is None else read(gave)
    (claim,), _ = context.about_optimizer([context.one_claim(claim_id, claims_paths)], *optimizer)
    setting = context.changed(claim.domain.reference, changes)
    root, count = seeds
    return ReplayRequest(claim, setting, fresh_seeds(root, setting, count), recorded)


def by_report(file: Path, claim_id: str | None, claims_paths: Sequence[Path]) -> ReplayRequest:
    """The counterexample of a report: of this claim, or the only one.

    Raises:
        UsageError: the report has no such counterexample, or more than one and no claim is given.
    """
    from spikecheck.harness.plan import fresh_seeds
    from spikecheck.report import json_file

    report = json_file.read(file)
    verdict, seen = _chosen(report, file, claim_id)
    folder = [Path(verdict.claims_path)] if verdict.claims_path and not claims_paths else claims_paths
    (claim,), _ = context.about_optimizer([context.one_claim(verdict.id, folder)], *_optimizer(verdict))
    seeds = fresh_seeds(report.seed, seen.setting, len(seen.judgement.seeds))
    return ReplayRequest(claim, seen.setting, seeds, Recorded.of(seen.judgement), (report, verdict))


def _optimizer(verdict: Verdict) -> tuple[str | None, list[str]]:
    """The optimizer that a claim was verified with in place of its own, and its numbers as --set takes them."""
    words = iter(verdict.asked_with)
    options = list(zip(words, words, strict=False))
    optimizer = next((value for name, value in options if name == "--optimizer"), None)
    return optimizer, [value for name, value in options if name == "--set"]


def _chosen(report: Report, file: Path, claim_id: str | None) -> tuple[Verdict, Counterexample]:
    there = {verdict.id: (verdict, seen) for verdict in report.claims if (seen := verdict.counterexample)}
    if claim_id is None and len(there) > 1:
        raise UsageError(f"{file}: has {len(there)} counterexamples; add CLAIM, one of: {', '.join(there)}")
    if not there or (claim_id is not None and claim_id not in there):
        whose = "" if claim_id is None else f" of {claim_id}"
        raise UsageError(f"{file}: has no counterexample{whose}; it has those of: {', '.join(there) or 'no claim'}")
    verdict, seen = there[claim_id or next(iter(there))]
    if seen.setting.model == "workload":
        raise UsageError(f"{file}: the counterexample of {verdict.id} is of a workload; run: {seen.replay}")
    if not seen.judgement.seeds:
        raise UsageError(f"{file}: was written before reports had seeds; run: {seen.replay}")
    return verdict, seen


def refuse_options_beside_a_report() -> None:
    """Refuse options that the report decides.

    Raises:
        UsageError: one of them is given.
    """
    here = click.get_current_context(silent=True)
    for name, option in _OF_THE_REPORT.items():
        if here is not None and here.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"{option}: --report has its own; leave out {option} or --report")


def exit_code(judgement: Judgement, reproduction: Reproduction | None) -> int:
    """3 without an answer, 1 if a recorded result is not reproduced, else 0."""
    if judgement.outcome not in (Outcome.HOLDS, Outcome.FAILS):
        return 3
    return 1 if reproduction is not None and reproduction.degree is Degree.NOT else 0
