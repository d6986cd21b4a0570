"""A verdict in plain sentences, for a reader who has seen nothing else: the answer first, then what it rests on."""

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.verdict import Variation, Verdict
from spikecheck.report.inert import inert
from spikecheck.report.words import differs, percent, plural

_NAMED = 2
"""Cut-offs that are told one by one; of more their number."""


def answer(verdict: Verdict) -> str:
    """Whether it holds, where it ends, what that hangs on, and what the negative control did."""
    reference = verdict.reference
    if not reference.drawn:
        return "Nothing was trained for it."
    if not reference.applicable:
        lost = f" ({plural(reference.numerical_failures, 'numerical failure')})" if reference.numerical_failures else ""
        return f"None of the {reference.drawn} seeds gave an answer{lost}, so nothing can be said."
    return " ".join(
        filter(None, [*_held(verdict), _hanging(verdict), _survivors(reference), _against(verdict.control)])
    )


def stops(verdict: Verdict) -> str:
    """Where it is known not to hold; empty where nothing is known."""
    if verdict.replicates is Outcome.FAILS:
        return "the reference setting itself"
    if verdict.counterexample is None:
        return ""
    return differs(verdict.counterexample.setting, verdict.reference.setting)


def otherwise(verdict: Verdict) -> list[Variation]:
    """The moved detectors and cut-offs under which the reference is decided, and otherwise than with those that judged."""
    decided = (Outcome.HOLDS, Outcome.FAILS)
    moved = [variation for variation in verdict.robustness if variation.judgement.outcome in decided]
    return [variation for variation in moved if variation.judgement.outcome is not verdict.reference.outcome]


def moved_says(verdict: Verdict) -> str:
    """How the moved detectors and cut-offs came out, counted."""
    alike = sum(variation.judgement.outcome is verdict.reference.outcome for variation in verdict.robustness)
    other = len(otherwise(verdict))
    parts = {"the same": alike, "otherwise": other, "undecided": len(verdict.robustness) - alike - other}
    if verdict.reference.outcome is Outcome.UNDECIDED:
        parts = {"undecided as well": alike, "decided": other}
    return ", ".join(f"{count} {word}" for word, count in parts.items() if count)


def level_says(judgement: Judgement, verdict: Verdict) -> str:
    """The confidence of a judgement's bounds, and why it may be more than the rule's."""
    said = f"Each bound at {100 * judgement.level:g} %"
    if verdict.level is not None and judgement.level > verdict.level + 1e-9:
        return f"{said}: the rule's {100 * verdict.level:g} %, less what looking again at more seeds costs"
    return said


def _held(verdict: Verdict) -> list[str]:
    """What was found where it was claimed and around it."""
    reference, where = verdict.reference, stops(verdict)
    shares = (
        f"{percent(reference.held / reference.applicable)} of the seeds show it (between {percent(reference.low)} and "
        f"{percent(reference.high)}), {percent(reference.required)} are required"
    )
    refuted = f"It is refuted as a law, which has to hold in all of its domain: at {where} it does not."
    law = where and verdict.kind == "law"
    match verdict.replicates:
        case Outcome.HOLDS:
            there, further = f"It holds where it was claimed: {shares}.", f"It stops holding at {where}."
        case Outcome.FAILS:
            return [f"It does not hold where it was claimed: {shares}.", _elsewhere(verdict)]
        case Outcome.UNDECIDED:
            there = f"Whether it holds where it was claimed is undecided: {shares}."
            further = f"At {where} it does not hold."
        case Outcome.UNTRIGGERED:
            return [f"Too few seeds met what it presupposes: {reference.applicable} of {reference.drawn}."]
        case Outcome.INVALID:
            return [f"Its figures prove nothing, since its negative control did not fail: {shares}."]
    return [refuted, there] if law else [there, further if where else ""]


def _elsewhere(verdict: Verdict) -> str:
    """Where the reference fails: what was found for the claim."""
    found = verdict.elsewhere
    if found is None or found.outcome is not Outcome.HOLDS:
        return ""
    where = differs(found.setting, verdict.reference.setting)
    return f"It does hold at {where}: in {found.held} of {found.applicable} seeds."


def _hanging(verdict: Verdict) -> str:
    """What would turn the answer."""
    found = otherwise(verdict)
    if not found:
        return ""
    told = [
        f"with {inert(v.name)} it {v.judgement.outcome} ({v.judgement.held} of {v.judgement.applicable})"
        for v in found[:_NAMED]
    ]
    more = f", and {plural(len(found) - _NAMED, 'more')} decide otherwise" if len(found) > _NAMED else ""
    return f"The answer hangs on where a cut-off lies: {', '.join(told)}{more}."


def _survivors(reference: Judgement) -> str:
    """A share of what is left says little where most is lost."""
    if 2 * reference.numerical_failures <= reference.drawn:
        return ""
    counts = f"{reference.numerical_failures} of {reference.drawn} seeds"
    return f"In {counts} the numbers failed: it is judged by those that are left."


def _against(control: Judgement) -> str:
    counts = f"{control.held} of {control.applicable} seeds"
    if not control.drawn:
        return "Its negative control was not reached."
    match control.outcome:
        case Outcome.FAILS:
            return f"Its negative control does not show it, and must not: {counts}."
        case Outcome.HOLDS:
            return f"Its negative control, which must not show it, does so in {counts}."
        case Outcome.UNTRIGGERED:
            return f"Its negative control was never put to the test: it applied to {control.applicable} seeds."
        case _:
            return f"Its negative control shows it in {counts}, and has not clearly failed."
