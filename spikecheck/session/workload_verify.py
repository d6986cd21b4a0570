"""Verifies claims on a workload: which apply, and their verdicts, with the workload as the only setting."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spikecheck.core.errors import ClaimError, NothingSelected
from spikecheck.core.events import ClaimStarted, Observer
from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Verdict
from spikecheck.core.work import STARTING, TRAINING, Expected
from spikecheck.core.workload_setting import workload_setting
from spikecheck.harness.claim import Claim
from spikecheck.harness.on_workload import Place, all_on_workload
from spikecheck.harness.plan import Plan, fresh_seeds
from spikecheck.harness.verify import replay, verify
from spikecheck.harness.with_optimizer import conditions_of
from spikecheck.session.lab_options import LabOptions
from spikecheck.session.workload_lab import WorkloadLab, wanted_for
from spikecheck.session.workload_place import workload_place
from spikecheck.watch.examined import Examined, examine
from spikecheck.watch.measured import MeasuredOrder, Wanted
from spikecheck.watch.processes import STARTING_SECONDS
from spikecheck.watch.workload import OptimizerChoice, Workload

ONE_SETTING = "A workload is one setting, so nothing is said of others."


@dataclass(frozen=True)
class WorkloadRequest:
    """A workload, its optimizer, and how much of it is trained."""

    path: str
    options: Mapping[str, Any]
    steps: int
    seeds: int
    root: int
    optimizer: str | None = None
    """None for the workload's own."""
    numbers: Mapping[str, Any] | None = None
    words: tuple[str, ...] = ()
    """The options of the command line that say all this but the seeds."""

    @property
    def plan(self) -> Plan:
        """One setting, one look at all seeds."""
        return Plan(settings=0, fresh_seeds=self.seeds, descents=0, beside=False, seed=self.root)

    def order(self, device: str, wanted: Wanted) -> MeasuredOrder:
        """Its training with seed 0, to find out what it is; raises UsageError where there is no such workload or option."""
        choice = None if self.optimizer is None else OptimizerChoice.of(self.optimizer, dict(self.numbers or {}))
        workload = Workload.of(self.path).at(self.options, self.steps)
        return MeasuredOrder(workload, 0, self.steps, choice, device, wanted=wanted)

    def setting(self, found: Examined) -> Setting:
        """The setting that stands for it."""
        own = (
            dict(found.optimizer) if self.optimizer is None else conditions_of(self.optimizer, dict(self.numbers or {}))
        )
        return workload_setting(self.path, self.options, steps=self.steps, **own)


def asked_of(
    claims: Sequence[Claim], request: WorkloadRequest, options: LabOptions, observe: Observer
) -> tuple[list[Claim], dict[str, str], WorkloadLab]:
    """The claims that apply to the workload, why the others do not, and the place that trains it.

    Raises:
        NothingSelected: none of them applies.
        SpikecheckError: the workload, its optimizer, the store or the device cannot be used.
    """
    here = workload_place(options)
    found = examine(request.order(here.device, Wanted()))
    setting = request.setting(found)
    place = Place(setting, found.rate_varies, found.gives_loss, found.noisy, request.seeds, request.words)
    adapted, left_out = all_on_workload(claims, place)
    if not adapted:
        waiting, _ = all_on_workload(claims, replace(place, seeds=None))
        reason = _too_few_seeds(waiting, len(left_out)) if waiting else _most_frequent(left_out)
        raise NothingSelected(f"no selected claim applies to the workload {request.path}: {reason}")
    wanted = wanted_for(adapted)
    look = examine(request.order(here.device, wanted)).seconds_a_look if wanted.curvature else 0.0
    lab = WorkloadLab(
        setting,
        request.optimizer is None,
        wanted,
        found.noisy,
        (found.seconds_a_step, look),
        here.store,
        here.device,
        here.workers,
        options.deadline,
        observe,
    )
    return adapted, left_out, lab


def _too_few_seeds(waiting: Sequence[Claim], claims: int) -> str:
    """That claims would apply with more seeds, the first thing to mend where it is the only one for them."""
    fewest = min(claim.predicts.fewest() for claim in waiting)
    who = f"{waiting[0].id} needs" if len(waiting) == 1 else f"{len(waiting)} of {claims} claims need"
    return f"{who} {fewest} seeds to hold; add --seeds {fewest}"


def _most_frequent(left_out: Mapping[str, str]) -> str:
    """The reason of most claims, with the first of them."""
    (reason, count), *_ = Counter(left_out.values()).most_common(1)
    name = next(name for name, other in left_out.items() if other == reason)
    others = f" (as {count - 1} more of {len(left_out)} claims)" if count > 1 else ""
    return f"{name} {reason}{others}"


def verify_on_workload(
    claims: Sequence[Claim], lab: WorkloadLab, plan: Plan, observe: Observer
) -> tuple[list[Verdict], dict[str, str]]:
    """Verdicts in turn until the lab is stopped, and the reasons why claims could not be judged, by file or id."""
    verdicts: list[Verdict] = []
    failed: dict[str, str] = {}
    for place, claim in enumerate(claims):
        observe(ClaimStarted(claim.id, place + 1, len(claims), _expected(claim, lab, plan)))
        try:
            verdicts.append(_of_one_setting(verify(claim, lab, plan, observe)))
        except ClaimError as error:
            failed[claim.source or claim.id] = str(error)
        if lab.stopped is not None:
            break
    return verdicts, failed


def judge_again(claim: Claim, lab: WorkloadLab, plan: Plan, observe: Observer) -> Judgement:
    """A claim's judgement on the workload, with the seeds that its verification has and without its controls."""
    (_, expected), _ = _expected(claim, lab, plan)
    observe(ClaimStarted(claim.id, 1, 1, (("replay", expected),)))
    return replay(claim, lab, lab.base, fresh_seeds(plan.seed, lab.base, plan.fresh_seeds))


def _of_one_setting(verdict: Verdict) -> Verdict:
    """The verdict, in which the workload is the whole domain."""
    if verdict.replicates is Outcome.UNDECIDED or not verdict.reference.drawn:
        return verdict
    reason = verdict.answers[0].reason if verdict.answers else ""
    return verdict.model_copy(update={"reason": " ".join(filter(None, [reason, ONE_SETTING]))})


def _expected(claim: Claim, lab: WorkloadLab, plan: Plan) -> tuple[tuple[str, Expected], ...]:
    """The expected work of the trainings that are not here yet: of the claim's arms, then of its controls'."""
    own = {arm(lab.base) for arm in claim.arms.values()} | {lab.base}
    others = {arm(lab.base) for control in claim.controls for arm in (control.arms or {}).values()} - own

    def of(settings: set[Setting]) -> Expected:
        seconds = sum(map(lab.expected, settings)) * plan.fresh_seeds
        return Expected({STARTING: STARTING_SECONDS, TRAINING: seconds} if seconds else {})

    return tuple((stage, of(settings)) for stage, settings in (("reference", own), ("control", others)))
