"""Claims verified or mapped in turn, and the report of what was found under which circumstances."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np

from spikecheck import __version__
from spikecheck.core.errors import ClaimError, Interrupted, SpikecheckError, Stopped
from spikecheck.core.events import ClaimStarted, Observer
from spikecheck.core.judgement import Judgement
from spikecheck.core.recipe import Recipe
from spikecheck.core.scope import Scope, ScopeMap
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Trace, Verdict, exit_code
from spikecheck.harness.claim import Claim
from spikecheck.harness.cost_model import expected_of, expected_stages
from spikecheck.harness.evidence import Evidence
from spikecheck.harness.maps import Grid, survey
from spikecheck.harness.plan import Plan, search_seeds
from spikecheck.harness.typical_run import typical_trace
from spikecheck.harness.verify import first_round, verify
from spikecheck.lab.laboratory import Laboratory
from spikecheck.report.sanitize import inert
from spikecheck.session.command_line import command_line


def verify_each(
    claims: Sequence[Claim], lab: Laboratory, plan: Plan, observe: Observer
) -> tuple[list[Verdict], dict[str, str], Stopped | None]:
    """Every claim's verdict, in turn, until the laboratory is stopped; what could not be judged, and why; what stopped it."""
    verdicts: list[Verdict] = []
    failed: dict[str, str] = {}
    lab.anticipate(_first_rounds(claims, plan))
    try:
        for claim, started in zip(claims, _announced(claims, plan, lab), strict=True):
            observe(started)
            try:
                verdicts.append(verify(claim, lab, plan, observe))
            except ClaimError as error:
                failed[claim.source or claim.id] = str(error)
            lab.forget()
            if lab.stopped is not None:
                break
    except KeyboardInterrupt:  # between two trainings; during one, the laboratory stops and the verdict is partial
        return verdicts, failed, Interrupted("interrupted; everything trained so far is kept")
    return verdicts, failed, lab.stopped


def _first_rounds(claims: Sequence[Claim], plan: Plan) -> Iterator[list[Recipe]]:
    """What can be trained ahead of every claim; one that cannot be planned says so in its own turn."""
    for claim in claims:
        recipes: list[Recipe] = []
        with suppress(SpikecheckError):
            recipes = first_round(claim, plan)
        yield recipes


def survey_each(
    claim: Claim, lab: Laboratory, grids: Sequence[Grid], seeds: int, root: int, observe: Observer
) -> tuple[Scope, ...]:
    """The claim over every grid in turn.

    Raises:
        Stopped: when the laboratory is stopped; what it trained until then is kept.
    """
    blocks = [{cell.setting: search_seeds(root, cell.setting, seeds) for cell in one.cells} for one in grids]
    expected = sum(expected_of(claim, some, lab.is_stored) for some in blocks)
    observe(ClaimStarted(claim.id, 1, 1, (("map", expected),)))
    try:
        return tuple(survey(claim, lab, grid, seeds, root, observe) for grid in grids)
    except KeyboardInterrupt:  # between two trainings; during one, the laboratory stops
        raise Interrupted("interrupted; everything trained so far is kept") from None


def announce(claim: Claim, blocks: Mapping[Setting, Sequence[int]], lab: Laboratory, observe: Observer) -> None:
    """Say what these settings' seeds will take."""
    observe(ClaimStarted(claim.id, 1, 1, (("replay", expected_of(claim, blocks, lab.is_stored)),)))


def build_map(claim: Claim, scopes: Sequence[Scope], lab: Laboratory, seed: int) -> ScopeMap:
    """The maps with what they were found under."""
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


def _announced(claims: Sequence[Claim], plan: Plan, lab: Laboratory) -> Iterator[ClaimStarted]:
    """Every claim's beginning, with what it and those after it are expected to take; asked anew when its turn has come."""
    expected = [_expected(claim, plan, lab) for claim in claims]
    for place, claim in enumerate(claims):
        after = sum(seconds for one in expected[place + 1 :] for _, seconds in one)
        yield ClaimStarted(claim.id, place + 1, len(claims), _expected(claim, plan, lab), after)


def _expected(claim: Claim, plan: Plan, lab: Laboratory) -> tuple[tuple[str, float], ...]:
    """Nothing of a claim that cannot be planned: it says so in its own turn."""
    with suppress(SpikecheckError):
        return tuple(expected_stages(claim, plan, lab.is_stored).items())
    return ()


def build_report(
    verdicts: Sequence[Verdict],
    unreadable: Mapping[str, str],
    lab: Laboratory,
    profile: str,
    seed: int,
    *,
    complete: bool,
    strict: bool,
    left_out: Mapping[str, str] = MappingProxyType({}),
    shard: str = "",
) -> Report:
    """The verdicts with what they were found under. `passed` says the same as exit code 0."""
    report = Report(
        passed=False,
        complete=complete,
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
    """A typical run of a setting that was judged; None where it has none, or where the laboratory was stopped."""
    held = (None,) * len(judgement.seeds)
    evidence = Evidence(judgement.setting, judgement.seeds, judgement.scores, held, judgement.numerical_failures)
    try:
        return typical_trace(claim, lab, evidence)
    except Stopped:
        return None


def environment_of(lab: Laboratory) -> dict[str, str | int | float]:
    """What a report's figures were found under."""
    where = lab.environment
    return {
        "spikecheck": __version__,
        "torch": where.torch,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "device": where.device,
        "threads": where.threads,
        "compiler": where.compiler or "none",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _processor() -> str:
    """Its name where the system tells it; trainings may differ between two that share a device's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")
