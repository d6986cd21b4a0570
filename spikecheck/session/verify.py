"""Verifies or maps claims in turn, and builds the report with the environment of its results."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np

from spikecheck import __version__
from spikecheck.core.errors import ClaimError, Interrupted, SpikecheckError, Stopped, UsageError, what_stays
from spikecheck.core.events import ClaimStarted, Observer
from spikecheck.core.judgement import Judgement
from spikecheck.core.recipe import Environment, Recipe
from spikecheck.core.scope import Scope, ScopeMap
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Trace, Verdict, exit_code
from spikecheck.core.work import READING, Expected, together, total
from spikecheck.harness.claim import Claim
from spikecheck.harness.cost_model import expected_of, expected_stages
from spikecheck.harness.evidence import Evidence
from spikecheck.harness.maps import Grid, survey
from spikecheck.harness.plan import Plan, search_seeds
from spikecheck.harness.typical_run import typical_trace
from spikecheck.harness.verify import certain_rounds, verify
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.lineage import with_ancestors
from spikecheck.report.pace import CERTAIN_STAGES
from spikecheck.report.sanitize import inert
from spikecheck.session.command_line import command_line

_NEAR = 3
"""Claims whose times are estimated again when a claim begins: as far ahead as idle cores usually get."""


def verify_each(
    claims: Sequence[Claim], lab: Laboratory, plan: Plan, observe: Observer
) -> tuple[list[Verdict], dict[str, str], Stopped | None]:
    """Verify the claims in turn until the laboratory is stopped.

    Returns the verdicts, the reasons why claims could not be judged by file or id, and the cause of the stop, else None.

    Raises:
        UsageError: no claim can be trained, as with a device that is not there.
    """
    verdicts: list[Verdict] = []
    refused: list[UsageError] = []
    failed: dict[str, str] = {}
    expected = _expected(claims, plan, lab)
    lab.anticipate(_certain_rounds(claims, plan), sum(map(_training_seconds, expected)))
    try:
        for claim, started in zip(claims, _announced(claims, plan, lab, expected), strict=True):
            observe(started)
            try:
                verdicts.append(verify(claim, lab, plan, observe))
            except ClaimError as error:
                failed[claim.source or claim.id] = str(error)
            except UsageError as error:  # such as a problem that is not there: the other claims may have another
                refused.append(error)
                failed[claim.source or claim.id] = f"claim {claim.id!r}: {error}"
            lab.forget()
            if lab.stopped is not None:
                break
    except KeyboardInterrupt:  # between two trainings; during one, the laboratory stops and the verdict is partial
        return verdicts, failed, Interrupted(f"interrupted; {what_stays(stored=lab.stores)}")
    if refused and len(refused) == len(claims):
        raise refused[0]
    return verdicts, failed, lab.stopped


def _certain_rounds(claims: Sequence[Claim], plan: Plan) -> Iterator[list[Recipe]]:
    """What will be trained in any case, claim by claim; nothing more of a claim whose plan fails, which `verify` reports."""
    for claim in claims:
        with suppress(SpikecheckError):
            yield from certain_rounds(claim, plan)


def survey_each(
    claim: Claim, lab: Laboratory, grids: Sequence[Grid], seeds: int, root: int, observe: Observer
) -> tuple[Scope, ...]:
    """Judge the claim over every grid in turn.

    Raises:
        Stopped: the laboratory was stopped; finished runs are kept.
    """
    blocks = [{cell.setting: search_seeds(root, cell.setting, seeds) for cell in one.cells} for one in grids]
    expected = total(*(expected_of(claim, some, lab.is_stored) for some in blocks))
    observe(ClaimStarted(claim.id, 1, 1, (("map", Expected(expected)),)))
    try:
        return tuple(survey(claim, lab, grid, seeds, root, observe) for grid in grids)
    except KeyboardInterrupt:  # between two trainings; during one, the laboratory stops
        raise Interrupted(f"interrupted; {what_stays(stored=lab.stores)}") from None


def announce(claim: Claim, blocks: Mapping[Setting, Sequence[int]], lab: Laboratory, observe: Observer) -> None:
    """Emit the expected work of these settings' seeds."""
    observe(ClaimStarted(claim.id, 1, 1, (("replay", Expected(expected_of(claim, blocks, lab.is_stored))),)))


def build_map(claim: Claim, scopes: Sequence[Scope], lab: Laboratory, seed: int) -> ScopeMap:
    """The maps with the command, rule and environment that they belong to."""
    return ScopeMap(
        command=command_line(),
        claim=claim.id,
        says=claim.says,
        where=claim.where,
        rule=claim.rule,
        reference=claim.domain.reference,
        scopes=tuple(scopes),
        seed=seed,
        environment=environment_of(lab),
        definitions=claim.definitions,
        specification=claim.specification,
    )


def _announced(
    claims: Sequence[Claim], plan: Plan, lab: Laboratory, expected: Sequence[dict[str, Expected]]
) -> Iterator[ClaimStarted]:
    """The start event of every claim, with its expected time and that of later claims.

    `expected` are the times at the beginning. Those of a later claim and of the next ones are estimated again when its turn
    comes: more runs are stored by then. Those of the stages that no run was trained for in advance stay as they were.
    """
    after = list(expected)
    for place, claim in enumerate(claims):
        near = slice(place, place + _NEAR)
        if place:
            after[near] = [
                before | {stage: one[stage] for stage in one if stage in CERTAIN_STAGES}
                for before, one in zip(after[near], _expected(claims[near], plan, lab), strict=True)
            ]
        later = tuple(together(one.values()) for one in after[place + 1 :])
        yield ClaimStarted(claim.id, place + 1, len(claims), tuple(after[place].items()), later)


def _expected(claims: Sequence[Claim], plan: Plan, lab: Laboratory) -> list[dict[str, Expected]]:
    """The expected work of each claim's stages; none for a claim whose plan fails, which `verify` reports.

    What a claim certainly trains is there for the claims after it.
    """
    expected: list[dict[str, Expected]] = []
    before: set[Recipe] = set()
    for claim in claims:
        stages: dict[str, Expected] = {}
        with suppress(SpikecheckError):
            stages = expected_stages(claim, plan, lambda one: one in before or lab.is_stored(one))
            before.update(one for some in certain_rounds(claim, plan) for one in with_ancestors(some))
        expected.append(stages)
    return expected


def _training_seconds(stages: Mapping[str, Expected]) -> float:
    """Seconds on a typical core that will be trained in any case."""
    certain = together(stages.values()).certain
    return sum(seconds for kind, seconds in certain.items() if kind != READING)


class MadeRuns(Protocol):
    """What made the runs: a laboratory, or what stands for one."""

    @property
    def environment(self) -> Environment:
        """What may change their bits."""
        ...

    @property
    def stores(self) -> bool:
        """Whether they are kept in a store."""
        ...


def build_report(
    verdicts: Sequence[Verdict],
    unreadable: Mapping[str, str],
    lab: MadeRuns,
    profile: str,
    seed: int,
    *,
    complete: bool,
    strict: bool,
    left_out: Mapping[str, str] = MappingProxyType({}),
    shard: str = "",
) -> Report:
    """The verdicts with the command, profile and environment that they belong to. `passed` is equivalent to exit code 0."""
    report = Report(
        passed=False,
        complete=complete,
        stored=lab.stores,
        command=command_line(),
        profile=profile,
        seed=seed,
        shard=shard,
        environment=environment_of(lab),
        claims=tuple(verdicts),
        unreadable={inert(file): inert(reason) for file, reason in unreadable.items()},
        left_out={claim: inert(reason) for claim, reason in left_out.items()},
    )
    return report.model_copy(update={"passed": exit_code(report, strict=strict) == 0})


def picture_of(claim: Claim, lab: Laboratory, judgement: Judgement) -> Trace | None:
    """A typical run of a judged setting; None if it has none, or if the laboratory was stopped."""
    held = (None,) * len(judgement.seeds)
    evidence = Evidence(judgement.setting, judgement.seeds, judgement.scores, held, judgement.numerical_failures)
    try:
        return typical_trace(claim, lab, evidence)
    except Stopped:
        return None


def environment_of(lab: MadeRuns) -> dict[str, str | int | float]:
    """Versions, device and processor, to be stored in a report."""
    where = lab.environment
    return {
        "spikecheck": __version__,
        "torch": where.torch,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "device": where.device,
        "threads": where.threads,
        "compiler": where.compiler or "none",
        "epoch": where.epoch,
        **({"memory": where.memory} if where.memory else {}),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _processor() -> str:
    """The processor's name if known. Processors of the same device kind may give slightly different runs."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")
