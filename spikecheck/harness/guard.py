"""What the controls make of a judgement: no answer counts that the check would also have given to something else."""

from spikecheck.core.judgement import Answer, Contrast, Judgement, Outcome

NOT_TOLD_APART = "The negative control holds too, so the check does not tell what is claimed from what is not."


def guarded(
    judgement: Judgement, control: Judgement | None, contrast: Contrast | None, positive: Judgement | None
) -> tuple[Outcome, str]:
    """The answer that a judgement gives once its controls have been heard, and why it is not the judgement's own.

    What holds must surely exceed its negative control, which must not hold too, and its positive control must not fail; what
    fails counts only where the positive control was found.
    """
    if judgement.outcome is Outcome.HOLDS:
        return _holding(control, contrast, positive)
    if judgement.outcome is Outcome.FAILS:
        return _failing(positive)
    return judgement.outcome, ""


def _holding(control: Judgement | None, contrast: Contrast | None, positive: Judgement | None) -> tuple[Outcome, str]:
    if control is None or contrast is None or not control.drawn:
        return Outcome.UNDECIDED, "The claim holds, but its negative control was not reached."
    if broken := _broken(control, contrast, positive):
        return Outcome.INVALID, broken
    if contrast.outcome is Outcome.UNDECIDED:
        return Outcome.UNDECIDED, "The claim holds, but does not clearly exceed its negative control."
    return Outcome.HOLDS, ""


def _broken(control: Judgement, contrast: Contrast, positive: Judgement | None) -> str:
    """Why a claim that holds proves nothing; empty where its controls are as they must be, or not clear."""
    if positive is not None and positive.outcome is Outcome.FAILS:
        return "The claim holds, and what was planted was not found: the check reads something else."
    if Outcome.UNTRIGGERED in (control.outcome, contrast.outcome):
        return "The negative control never triggered; a control that never triggers is no control."
    if contrast.outcome is Outcome.FAILS:
        return f"{NOT_TOLD_APART} Its excess over the control is surely too small."
    return NOT_TOLD_APART if control.outcome is Outcome.HOLDS else ""


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
    heard = [said.outcome for said in (answer.control, answer.contrast, answer.positive) if said is not None]
    return answer.outcome is Outcome.INVALID and Outcome.UNTRIGGERED not in heard
