"""What the controls make of a judgement: no answer counts that the check would also have given to something else."""

from collections.abc import Sequence

from spikecheck.core.judgement import Answer, Contrast, FurtherControl, Judgement, Outcome

NOT_TOLD_APART = "The {} holds too, so the check does not tell what is claimed from what is not."


def guarded(
    judgement: Judgement,
    control: Judgement | None,
    contrast: Contrast | None,
    positive: Judgement | None,
    also_not: Sequence[FurtherControl] = (),
) -> tuple[Outcome, str]:
    """The answer that a judgement gives once its controls have been heard, and why it is not the judgement's own.

    What holds must surely exceed every negative control, none of which may hold too, and its positive control must not fail;
    what fails counts only where the positive control was found.
    """
    if judgement.outcome is Outcome.FAILS:
        return _failing(positive)
    if judgement.outcome is not Outcome.HOLDS:
        return judgement.outcome, ""
    if control is None or contrast is None or not control.drawn:
        return Outcome.UNDECIDED, "The claim holds, but its negative control was not reached."
    if positive is not None and positive.outcome is Outcome.FAILS:
        return Outcome.INVALID, "The claim holds, and what was planted was not found: the check reads something else."
    negatives = [("negative control", control, contrast)]
    others = [one for one in also_not if not _fails_a_condition(one.judgement)]
    negatives += [(f"further control ({one.says})", one.judgement, one.contrast) for one in others]
    return next((found for one in negatives if (found := _not_told_apart(*one))), (Outcome.HOLDS, ""))


def _fails_a_condition(control: Judgement) -> bool:
    """Whether a further average of the control surely is not as predicted: then its main effect may be the claim's own."""
    return any(condition.outcome is Outcome.FAILS for condition in control.conditions)


def _not_told_apart(name: str, control: Judgement, contrast: Contrast) -> tuple[Outcome, str] | None:
    """What a negative control makes of a claim that holds, and why; None where it is as it must be."""
    if Outcome.UNTRIGGERED in (control.outcome, contrast.outcome):
        return Outcome.INVALID, f"The {name} never triggered; a control that never triggers is no control."
    if contrast.outcome is Outcome.FAILS:
        return Outcome.INVALID, f"{NOT_TOLD_APART.format(name)} Its excess over the control is surely too small."
    if control.outcome is Outcome.HOLDS:
        return Outcome.INVALID, NOT_TOLD_APART.format(name)
    if contrast.outcome is Outcome.UNDECIDED:
        return Outcome.UNDECIDED, f"The claim holds, but does not clearly exceed its {name}."
    return None


def _failing(positive: Judgement | None) -> tuple[Outcome, str]:
    if positive is None:
        return Outcome.INVALID, "It fails, but has no positive control: the check may be blind to what is claimed."
    match positive.outcome:
        case Outcome.HOLDS:
            return Outcome.FAILS, ""
        case Outcome.FAILS:
            return Outcome.INVALID, "It fails, and so does its positive control: the check is blind to what is claimed."
        case _:
            return Outcome.UNDECIDED, "It fails, but its positive control has not clearly been found."


def settled(answer: Answer) -> bool:
    """Whether more seeds would change nothing that matters: the answer is decided, and not for want of seeds."""
    if answer.outcome in (Outcome.HOLDS, Outcome.FAILS):
        return True
    controls = [answer.control, answer.contrast, answer.positive]
    controls += [said for one in answer.also_not for said in (one.judgement, one.contrast)]
    heard = [said.outcome for said in controls if said is not None]
    return answer.outcome is Outcome.INVALID and Outcome.UNTRIGGERED not in heard
