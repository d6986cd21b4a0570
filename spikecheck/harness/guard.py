"""How the controls overrule a judgement: an answer does not count if the check also gives it without the mechanism."""

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
    """The outcome of a judgement after its controls, and the reason if it differs from the judgement's own.

    A claim holds only if it significantly exceeds every negative control, no negative control holds too, and the positive
    control does not fail. A claim fails only if its positive control holds.
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
    return next((problem for one in negatives if (problem := _not_told_apart(*one))), (Outcome.HOLDS, ""))


def _fails_a_condition(control: Judgement) -> bool:
    """Whether an additional average of the control fails: its main effect may then be as large as the claim's."""
    return any(condition.outcome is Outcome.FAILS for condition in control.conditions)


def _not_told_apart(name: str, control: Judgement, contrast: Contrast) -> tuple[Outcome, str] | None:
    """The outcome and reason if a negative control overrules a claim that holds; None if it does not."""
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
    """Whether more seeds cannot help: the claim holds, fails, or is invalid for a reason other than too few seeds."""
    if answer.outcome in (Outcome.HOLDS, Outcome.FAILS):
        return True
    controls = [answer.control, answer.contrast, answer.positive]
    controls += [said for one in answer.also_not for said in (one.judgement, one.contrast)]
    heard = [said.outcome for said in controls if said is not None]
    return answer.outcome is Outcome.INVALID and Outcome.UNTRIGGERED not in heard
