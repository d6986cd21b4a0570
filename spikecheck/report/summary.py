"""A verdict in plain sentences: the answer first, then its evidence."""

from collections.abc import Iterator

from spikecheck.core.judgement import Answer, Judgement, Outcome
from spikecheck.core.verdict import Variation, Verdict
from spikecheck.report.controls import also_negative, excess
from spikecheck.report.estimates import brief, estimated, requirement, shown_average
from spikecheck.report.opposed import opposed
from spikecheck.report.phrases import differs, percent, plural
from spikecheck.report.quoted import at_reference, nominated, rule_of
from spikecheck.report.sanitize import inert
from spikecheck.stats.prediction import Estimand, average_of

_NAMED = 2
"""Cut-offs that are named one by one; further ones are counted."""


def answer(verdict: Verdict) -> str:
    """Whether the claim holds, where it stops holding, what the answer depends on, and what the controls did."""
    return " ".join(filter(None, [headline(verdict), behind(verdict)]))


def headline(verdict: Verdict) -> str:
    """Whether the claim holds, where it stops holding, and which companions contradict it."""
    return _nothing(verdict) or " ".join(filter(None, [*_held(verdict), _reached(verdict), opposed(verdict)]))


def behind(verdict: Verdict) -> str:
    """What the answer depends on and what the controls did; empty if no seed gave an answer."""
    if _nothing(verdict):
        return ""
    return " ".join(filter(None, [_hanging(verdict), _survivors(verdict.reference), *_against(verdict)]))


def control_says(verdict: Verdict) -> str:
    """What the negative control did at the reference, in a sentence."""
    return _negative(verdict.control, rule_of(verdict))


def _nothing(verdict: Verdict) -> str:
    """Why there is no answer; empty if there is one."""
    reference = verdict.reference
    if not reference.drawn:
        trained, reused = plural(verdict.runs_trained, "run"), verdict.runs_reused
        if verdict.runs_trained or reused:
            return f"{trained} trained, {reused:,} reused; nothing is judged yet."
        return "Nothing was trained for it."
    if reference.applicable:
        return ""
    lost = f" ({plural(reference.numerical_failures, 'numerical failure')})" if reference.numerical_failures else ""
    return f"None of the {reference.drawn} seeds gave an answer{lost}, so nothing can be said."


def stops(verdict: Verdict) -> str:
    """The setting in which the claim is known not to hold; empty if there is none."""
    if verdict.replicates is Outcome.FAILS:
        return "the reference setting itself"
    if verdict.counterexample is None:
        return ""
    return differs(verdict.counterexample.setting, verdict.reference.setting)


def otherwise(verdict: Verdict) -> list[Variation]:
    """Variations of detector and cut-offs that decide the reference differently from the claim's own."""
    decided = (Outcome.HOLDS, Outcome.FAILS)
    moved = [variation for variation in verdict.robustness if variation.judgement.outcome in decided]
    return [variation for variation in moved if variation.judgement.outcome is not verdict.reference.outcome]


def moved_says(verdict: Verdict) -> str:
    """Counts of the variations of detector and cut-offs by outcome."""
    alike = sum(variation.judgement.outcome is verdict.reference.outcome for variation in verdict.robustness)
    other = len(otherwise(verdict))
    parts = {"the same": alike, "otherwise": other, "undecided": len(verdict.robustness) - alike - other}
    if verdict.reference.outcome is Outcome.UNDECIDED:
        parts = {"undecided as well": alike, "decided": other}
    return ", ".join(f"{count} {word}" for word, count in parts.items() if count)


def level_says(judgement: Judgement, verdict: Verdict) -> str:
    """The confidence level of a judgement's bounds, and why it may exceed the rule's."""
    said = f"Each bound at {100 * judgement.level:.4g} %"
    if verdict.level is not None and judgement.level > verdict.level + 1e-9:
        return (
            f"{said}: the rule's {100 * verdict.level:.4g} %, corrected for repeated looks at growing numbers of seeds"
        )
    return said


def figures(judgement: Judgement, predicts: Estimand | None) -> str:
    """Share of seeds and average in a sentence; the deciding one comes first, with its requirement."""
    share = (
        f"{percent(judgement.held / judgement.applicable)} of the seeds show it (between {percent(judgement.low)} and "
        f"{percent(judgement.high)})"
    )
    shown = shown_average(judgement, predicts)
    estimate = estimated(judgement.effect, shown)
    mean = f"the {average_of(inert(judgement.effect.unit), shown)} is {estimate}" if estimate else ""
    if judgement.required is not None:
        return "; ".join(filter(None, (f"{share}, {percent(judgement.required)} are required", mean)))
    return f"{mean}{requirement(predicts)}; {share}"


def _held(verdict: Verdict) -> list[str]:
    """The answers at the reference setting and around it."""
    reference, where = verdict.reference, stops(verdict)
    evidence = figures(reference, rule_of(verdict))
    refuted = f"It is refuted as a law, which has to hold in all of its domain: at {where} it does not."
    law = where and verdict.kind == "law"
    match verdict.replicates:
        case Outcome.HOLDS:
            there, further = f"It holds where it was claimed: {evidence}.", f"It stops holding at {where}."
        case Outcome.FAILS:
            return [f"It does not hold where it was claimed: {evidence}.", _elsewhere(verdict)]
        case Outcome.UNDECIDED:
            there = f"Whether it holds where it was claimed is undecided: {evidence}."
            further = f"At {where} it does not hold."
        case Outcome.UNTRIGGERED:
            return [f"Too few seeds met its precondition: {reference.applicable} of {reference.drawn}."]
        case Outcome.INVALID:
            return [f"Its figures prove nothing, since {_blind(at_reference(verdict))}: {evidence}."]
    return [refuted, there] if law else [there, further if where else ""]


def _blind(answer: Answer) -> str:
    """Which control makes the figures inconclusive."""
    control, positive = answer.control, answer.positive
    if answer.judgement.outcome is Outcome.FAILS:
        return "it has no positive control" if positive is None else "a planted effect was not found either"
    if control is not None and control.outcome is Outcome.UNTRIGGERED:
        return "its negative control applied to too few seeds"
    return "its negative control did not fail" if answer.contrast is None else "it does not exceed its negative control"


def _elsewhere(verdict: Verdict) -> str:
    """If the claim fails at the reference: the strongest setting in which it holds."""
    nominee = nominated(verdict)
    if nominee is None or nominee.outcome is not Outcome.HOLDS:
        return ""
    where = differs(nominee.judgement.setting, verdict.reference.setting)
    return f"It does hold at {where}: {brief(nominee.judgement, rule_of(verdict), ' seeds')}."


def _reached(verdict: Verdict) -> str:
    """The share of its domain in which the claim holds; empty if not estimated."""
    reach = verdict.reach
    if reach is None or reach.share is None:
        return ""
    part = f"{100 * reach.share:.0f} %"
    if reach.settings < reach.of:
        part = f"about {part} ({100 * reach.low:.0f} to {100 * reach.high:.0f} %)"
    return f"It holds in {part} of its domain."


def _hanging(verdict: Verdict) -> str:
    """The cut-offs that change the answer."""
    differing = otherwise(verdict)
    if not differing:
        return ""
    changed = [
        f"with {inert(v.name)} it {v.judgement.outcome} ({brief(v.judgement, rule_of(verdict))})"
        for v in differing[:_NAMED]
    ]
    more = f", and {len(differing) - _NAMED:,} more" if len(differing) > _NAMED else ""
    return f"The answer depends on a cut-off: {', '.join(changed)}{more}."


def _survivors(reference: Judgement) -> str:
    """A warning if most seeds had numerical failures: the share then describes the others only."""
    if 2 * reference.numerical_failures <= reference.drawn:
        return ""
    counts = f"{reference.numerical_failures} of {reference.drawn} seeds"
    return f"{counts} had numerical failures: it is judged by the others."


def _against(verdict: Verdict) -> Iterator[str]:
    """What the negative control did, by how much the claim exceeds it, and whether a planted effect was found."""
    answer = at_reference(verdict)
    yield control_says(verdict)
    if answer.contrast is not None and (by := excess(answer)):
        yield f"The claim exceeds it by {by}, and must exceed {answer.contrast.margin:.3g}."
    for says, result in also_negative(answer, rule_of(verdict)):
        yield f"A further control, {inert(says)}: {result.text}."
    if answer.positive is not None and answer.positive.drawn:
        yield f"A planted effect is found in {answer.positive.held} of {answer.positive.applicable} seeds."


def _negative(control: Judgement, predicts: Estimand | None) -> str:
    counted = f"{control.held} of {control.applicable} seeds"
    if control.required is None:
        return _compared(control, brief(control, predicts, " seeds"))
    if not control.drawn:
        return "Its negative control was not reached."
    match control.outcome:
        case Outcome.FAILS:
            return f"Its negative control does not show it, and must not: {counted}."
        case Outcome.HOLDS:
            return f"Its negative control, which must not show it, does so in {counted}."
        case Outcome.UNTRIGGERED:
            return f"Its negative control could not be judged: it applied to {control.applicable} seeds."
        case _:
            return f"Its negative control shows it in {counted}, and has not clearly failed."


def _compared(control: Judgement, counted: str) -> str:
    """What a negative control did if an average decides; whether the claim exceeds it is judged by the contrast."""
    if not control.drawn:
        return "Its negative control was not reached."
    said = {
        Outcome.FAILS: "does not show it, and must not",
        Outcome.HOLDS: "shows it as well",
        Outcome.UNTRIGGERED: "could not be judged",
    }
    return f"Its negative control {said.get(control.outcome, 'has not clearly failed')}: {counted}."
