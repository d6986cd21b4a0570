"""The answer at one setting: the claim judged on fresh seeds, and its controls on the same seeds."""

from collections.abc import Sequence
from dataclasses import asdict

from spikecheck.core.errors import UsageError
from spikecheck.core.events import Observer, SettingJudged, StageStarted
from spikecheck.core.judgement import Answer, Contrast, Effect, FurtherControl, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim, Control
from spikecheck.harness.evidence import Evidence, Trainer, gather, judged, pairs
from spikecheck.harness.guard import guarded, settled
from spikecheck.harness.plan import fresh_seeds
from spikecheck.stats.contrast import contrast
from spikecheck.stats.looks import nominal_alpha
from spikecheck.stats.prediction import Prediction


class Inquiry:
    """Judges one claim at one setting after another, with runs from one laboratory."""

    def __init__(self, claim: Claim, lab: Trainer, seed: int, observe: Observer) -> None:
        self.claim, self._lab, self._seed, self._observe = claim, lab, seed, observe
        self.reached: dict[str, Answer] = {}
        """Answers by role. After an interruption it contains what was judged until then."""

    def answer(self, setting: Setting, role: str, stage: str, sizes: Sequence[int]) -> tuple[Evidence, Answer]:
        """Judge growing numbers of fresh seeds until the answer is settled; the level is corrected for repeated looks.

        `sizes` are the numbers of seeds at the looks, increasing. Controls are trained once the judgement is decided or the
        last size is reached.
        """
        alpha = nominal_alpha(1.0 - self.claim.predicts.level, sizes)
        for size in sizes:
            seeds = fresh_seeds(self._seed, setting, size)
            self._observe(StageStarted(self.claim.id, stage, 1, size))
            evidence = gather(self.claim, self._lab, {setting: seeds})[setting]
            judgement = self._judged(self.claim, evidence, alpha, stage)
            decided = judgement.outcome in (Outcome.HOLDS, Outcome.FAILS)
            answer = _before_its_controls(role, judgement, decided=decided)
            self.reached[role] = answer
            if decided or size == sizes[-1]:
                answer = self._controlled(evidence, judgement, role, seeds, alpha)
                self.reached[role] = answer
            if settled(answer):
                break
        return evidence, answer

    def beside(self, setting: Setting, name: str, sizes: Sequence[int]) -> None:
        """Judge a setting outside the domain; if its data are not on this machine, record the reason instead."""
        try:
            self.answer(setting, name, "beside", sizes)
        except UsageError as error:
            nothing = none_judged(self.claim, setting)
            self.reached[name] = Answer(
                role=name, outcome=Outcome.UNDECIDED, reason=f"Not judged: {error}", judgement=nothing
            )

    def _controlled(
        self, evidence: Evidence, judgement: Judgement, role: str, seeds: Sequence[int], alpha: float
    ) -> Answer:
        """Judge the controls on the same seeds; negative controls only where the claim holds, or at the reference."""
        claim, setting = self.claim, evidence.setting
        control = compared = positive = None
        further: list[FurtherControl] = []
        if role == "reference" or judgement.outcome is Outcome.HOLDS:
            control, compared = self._against(claim.control, evidence, seeds, alpha, "control")
        for other in claim.also_not if judgement.outcome is Outcome.HOLDS else ():
            theirs, excess = self._against(other, evidence, seeds, alpha, "further control")
            further.append(FurtherControl(says=other.says, judgement=theirs, contrast=excess))
        if claim.positive is not None:
            _, positive = self._control(claim.positive, setting, seeds, alpha, "positive control")
        outcome, reason = guarded(judgement, control, compared, positive, further)
        return Answer(
            role=role,
            outcome=outcome,
            reason=reason,
            judgement=judgement,
            control=control,
            contrast=compared,
            also_not=tuple(further),
            positive=positive,
        )

    def _against(
        self, control: Control, evidence: Evidence, seeds: Sequence[int], alpha: float, stage: str
    ) -> tuple[Judgement, Contrast]:
        """The judgement of a negative control, and how much the claim exceeds it."""
        theirs, judgement = self._control(control, evidence.setting, seeds, alpha, stage)
        return judgement, Contrast(**asdict(contrast(pairs(evidence, theirs), self.claim.predicts, alpha)))

    def _control(
        self, control: Control, setting: Setting, seeds: Sequence[int], alpha: float, stage: str
    ) -> tuple[Evidence, Judgement]:
        """Train and judge a control on the claim's own seeds."""
        claim = self.claim.as_control(control)
        self._observe(StageStarted(claim.id, stage, 1, len(seeds)))
        evidence = gather(claim, self._lab, {setting: seeds})[setting]
        return evidence, self._judged(claim, evidence, alpha, stage)

    def _judged(self, claim: Claim, evidence: Evidence, alpha: float, stage: str) -> Judgement:
        """Judge evidence by the claim's rule, and notify the observer."""
        judgement = judged(claim, evidence, alpha)
        self._observe(SettingJudged(claim.id, stage, evidence.setting, judgement))
        return judgement


def none_judged(claim: Claim, setting: Setting) -> Judgement:
    """The judgement of zero seeds: UNDECIDED."""
    return Judgement(
        setting=setting,
        outcome=Outcome.UNDECIDED,
        drawn=0,
        applicable=0,
        held=0,
        low=0.0,
        high=1.0,
        required=claim.predicts.of_seeds if isinstance(claim.predicts, Prediction) else None,
        level=claim.predicts.level,
        effect=Effect(unit=claim.unit, median=None, low=None, high=None),
    )


def _before_its_controls(role: str, judgement: Judgement, *, decided: bool) -> Answer:
    """The answer if the verification is stopped before the controls are trained."""
    if not decided:
        return Answer(role=role, outcome=judgement.outcome, judgement=judgement)
    said = f"By itself it {judgement.outcome}; its controls were not reached."
    return Answer(role=role, outcome=Outcome.UNDECIDED, reason=said, judgement=judgement)
