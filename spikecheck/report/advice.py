"""Advice on answers that are undecided, untriggered or invalid: what the reader can do next."""

from math import prod

from spikecheck.core.judgement import Answer, Outcome
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.estimates import to_decide
from spikecheck.report.phrases import WORKLOAD, explained
from spikecheck.report.quoted import at_reference, nominated

_MOST = 256
"""Seeds that `--profile full` trains at most for one answer."""


def advised(verdict: Verdict, report: Report) -> list[str]:
    """Advice on both answers of a verdict, without repetition; empty if nothing can be done."""
    reference, elsewhere = at_reference(verdict), nominated(verdict)
    if verdict.replicates is Outcome.INVALID:
        elsewhere = reference
    said = [_advice(verdict, verdict.replicates, reference, "whether it replicates", report)]
    if report.profile != WORKLOAD:  # a workload is one setting, so no other was tried
        said.append(_advice(verdict, verdict.generalises, elsewhere, "where it holds", report))
    return list(dict.fromkeys(filter(None, said)))


def _advice(verdict: Verdict, outcome: Outcome, answer: Answer | None, question: str, report: Report) -> str:
    match outcome:
        case Outcome.UNDECIDED if not report.complete:
            again = "run the same command again, what was trained is reused"
            without = "run again with a store, without one nothing is kept"
            return f"Stopped before the answer was in: {again if report.stored else without}."
        case Outcome.UNDECIDED if answer is None:
            return _a_wider_search(verdict, question.capitalize(), report.profile)
        case Outcome.UNDECIDED:
            return _more_seeds(answer, question.capitalize(), report.profile)
        case Outcome.UNTRIGGERED:
            met = verdict.definitions.get("applies", "its own")
            return f"Untriggered is neither for nor against: too few seeds met the precondition: {met}."
        case Outcome.INVALID:
            return f"Invalid until {_until(answer)}; what that is: {explained(verdict)}"
        case _:
            return ""


def _more_seeds(answer: Answer | None, question: str, profile: str) -> str:
    """For an undecided answer: how many seeds would decide it, and which profile trains them."""
    needed = _needed(answer)
    if profile == "full":
        enough = f" {needed.capitalize()}." if needed else ""
        return (
            f"{question} is undecided with as many seeds as the largest profile has: report it as undecided.{enough} "
            "Another --seed is an independent repetition: report it in addition to this one, not instead."
        )
    trains = "--seeds trains more" if profile == WORKLOAD else f"--profile full trains up to {_MOST}"
    return f"{question} is undecided: {needed}; {trains}." if needed else f"{question} is undecided: {trains} seeds."


def _a_wider_search(verdict: Verdict, question: str, profile: str) -> str:
    """For a claim whose domain was not searched: what would search it."""
    if prod(len(values) for values in verdict.domain.values()) == 1:
        return f"{question} cannot be told: the claim's domain has one setting; give it ladders with further values."
    return f"{question} is undecided: --profile full searches the domain." if profile != "full" else ""


def _needed(answer: Answer | None) -> str:
    """Seeds that would decide what is undecided, the judgement or the positive control; empty if unknown."""
    if answer is None:
        return ""
    judgements = (answer.judgement, answer.positive)
    return next(filter(None, (to_decide(judgement) for judgement in judgements if judgement is not None)), "")


def _until(answer: Answer | None) -> str:
    """The condition under which an invalid answer becomes valid."""
    if answer is not None and answer.judgement.outcome is Outcome.FAILS:
        return "a positive control shows that the check can find what is claimed"
    if answer is None or answer.contrast is None:
        return "the negative control fails"
    return "the claim surely exceeds its negative control"
