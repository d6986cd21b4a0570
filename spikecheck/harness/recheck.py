"""Recomputes every verdict from the counts and scores in a report, so that manual edits are found."""

from collections.abc import Iterator, Sequence
from math import isclose

from spikecheck.core.errors import SettingError
from spikecheck.core.judgement import Answer, Contrast, Judgement, Outcome
from spikecheck.core.verdict import Report, Verdict, exit_code
from spikecheck.harness.conclude import passes, reach
from spikecheck.harness.evidence import effect_of
from spikecheck.harness.guard import guarded
from spikecheck.stats.bounds import clopper_pearson, of_share, together
from spikecheck.stats.contrast import Pair, contrast
from spikecheck.stats.prediction import Average, Estimand, Prediction, from_record

_CLOSE = 1e-9
"""Tolerance for bounds, whose last digits may change with the version of scipy."""
_TWICE = "is in the report more than once"
_SUSPECTS = ("weakest", "counterexample", "strongest")


def recheck(report: Report) -> dict[str, list[str]]:
    """Inconsistencies between every claim's verdict and its counts and scores, by claim id; empty if there are none.

    Nothing is trained and no claim file is read.
    """
    differences: dict[str, list[str]] = {}
    for verdict in report.claims:
        again = [_TWICE] if verdict.id in differences else []
        differences.setdefault(verdict.id, []).extend([*again, *_of_verdict(verdict)])
    if not report.claims:
        differences["the report"] = ["has no verdict, so nothing follows from it"]
    elif report.passed and exit_code(report) != 0:
        differences["the report"] = ["passed is true, and not every claim passes"]
    return {claim: said for claim, said in differences.items() if said}


def _of_verdict(verdict: Verdict) -> Iterator[str]:
    try:
        predicts = from_record(verdict.predicts) if verdict.predicts else None
    except SettingError as error:
        yield f"predicts is no rule: {error}"
        return
    for name, judgement in _judgements(verdict):
        varied = name.startswith("variation ")
        yield from (f"{name}: {said}" for said in _of_judgement(judgement, None if varied else predicts))
    for answer in verdict.answers:
        yield from (f"{answer.role}: {said}" for said in _of_answer(answer, predicts))
    if verdict.answers:  # old reports have no answers, and combined their outcomes by another rule
        yield from _of_answers_together(verdict)
    if verdict.passed != passes(verdict.kind, verdict.replicates, verdict.generalises):
        yield f"passed is {str(verdict.passed).lower()}, which its answers do not say"


def _judgements(verdict: Verdict) -> Iterator[tuple[str, Judgement]]:
    """Every judgement that was reached, with a name that locates it in the report."""
    named = [("reference", verdict.reference), ("control", verdict.control)]
    optional = {"weakest": verdict.weakest, "elsewhere": verdict.elsewhere, "positive control": verdict.positive}
    named += [(name, judgement) for name, judgement in optional.items() if judgement is not None]
    if verdict.counterexample is not None:
        named.append(("counterexample", verdict.counterexample.judgement))
    for answer in verdict.answers:
        parts = {"": answer.judgement, "'s control": answer.control, "'s positive control": answer.positive}
        named += [(f"answer {answer.role}{part}", judgement) for part, judgement in parts.items() if judgement]
        named += [(f"answer {answer.role}'s control, {further.says}", further.judgement) for further in answer.also_not]
    named += [(f"tried {place}", judgement) for place, judgement in enumerate(verdict.tried)]
    named += [(f"sampled {place}", j) for place, j in enumerate(verdict.reach.sample if verdict.reach else ())]
    named += [(f"variation {variation.name}", variation.judgement) for variation in verdict.robustness]
    yield from ((name, judgement) for name, judgement in named if judgement.drawn)


def _of_judgement(judgement: Judgement, predicts: Estimand | None) -> Iterator[str]:
    """Inconsistencies among a judgement's counts, bounds and outcome."""
    scores = [score for score in judgement.scores if score is not None]
    if judgement.scores and len(scores) != judgement.applicable:
        yield f"applicable is {judgement.applicable}, and {len(scores)} seeds have a score"
    within = sum(map(predicts.held, scores)) if predicts is not None else judgement.applicable
    if scores and judgement.held > within:
        yield f"held is {judgement.held}, and {within} seeds' effects lie within the rule's limits"
    low, high = clopper_pearson(judgement.held, judgement.applicable, 1.0 - judgement.level)
    for name, bound in (("low", low), ("high", high)):
        if abs(bound - getattr(judgement, name)) > _CLOSE:
            yield f"{name} is {getattr(judgement, name):.6g}, and the counts say {bound:.6g}"
    if judgement.scores:
        yield from _of_effect(judgement, scores)
    elif isinstance(predicts, Average) and judgement.applicable:
        yield "has no scores, so its average cannot be computed again"
    said = _decided(judgement, scores, predicts, low, high)
    if said is not None and said is not judgement.outcome:
        yield f"outcome is {judgement.outcome}, and the counts say {said}"


def _of_effect(judgement: Judgement, scores: Sequence[float]) -> Iterator[str]:
    """Differences between the stored averages and those of the scores; old reports without a mean had other bounds."""
    kept = judgement.effect
    anew = effect_of(kept.unit, scores, 1.0 - judgement.level)
    for name in ("median", "low", "high", "mean", "mean_low", "mean_high") if kept.mean is not None else ():
        yield from _differing(f"effect's {name.replace('_', ' ')}", getattr(kept, name), getattr(anew, name))


def _differing(name: str, said: float | None, computed: float | None) -> Iterator[str]:
    close = said == computed or (
        None not in (said, computed) and isclose(said or 0.0, computed or 0.0, rel_tol=_CLOSE, abs_tol=_CLOSE)
    )
    if not close:
        yield f"{name} is {_number(said)}, and the scores say {_number(computed)}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"


def _decided(
    judgement: Judgement, scores: list[float], predicts: Estimand | None, low: float, high: float
) -> Outcome | None:
    """The outcome that counts and scores give; None if the report lacks what is needed to decide."""
    if isinstance(predicts, Average):
        return _averages(judgement, scores, predicts) if judgement.scores else None
    if judgement.required is None:
        return None
    fewest = Prediction(above=0.0, of_seeds=judgement.required, level=predicts.level if predicts else 0.95).fewest()
    return Outcome.UNTRIGGERED if judgement.applicable < fewest else of_share(low, high, judgement.required)


def _averages(judgement: Judgement, scores: list[float], predicts: Average) -> Outcome | None:
    """The outcome of the claim's own average together with the additional ones."""
    if not all(condition.predicts for condition in judgement.conditions):
        return None
    further = [(condition.scores, from_record(condition.predicts)) for condition in judgement.conditions]
    return together([(scores, predicts), *further], 1.0 - judgement.level)


def _of_answer(answer: Answer, predicts: Estimand | None) -> Iterator[str]:
    """Inconsistencies between an answer and its judgement and controls."""
    said, _ = guarded(answer.judgement, answer.control, answer.contrast, answer.positive, answer.also_not)
    stopped = answer.outcome is Outcome.UNDECIDED and answer.control is None and answer.positive is None
    if said is not answer.outcome and not stopped:
        yield f"outcome is {answer.outcome}, and its controls say {said}"
    if predicts is not None and answer.control is not None and answer.contrast is not None:
        compared = [(answer.control, answer.contrast), *((one.judgement, one.contrast) for one in answer.also_not)]
        for control, kept in compared:
            yield from _of_contrast(kept, answer.judgement, control, predicts)


def _of_contrast(kept: Contrast, claim: Judgement, control: Judgement, predicts: Estimand) -> Iterator[str]:
    """Differences between the stored contrast and that of the scores, where the scores alone determine it."""
    if not all(_told_by_its_scores(judgement, predicts) for judgement in (claim, control)):
        return
    anew = contrast(_pairs(claim, control, predicts), predicts, 1.0 - claim.level)
    if anew.outcome is not kept.outcome:
        yield f"contrast is {kept.outcome}, and the scores say {anew.outcome}"
    for name in ("estimate", "low", "high"):
        yield from _differing(f"contrast's {name}", getattr(kept, name), getattr(anew, name))


def _told_by_its_scores(judgement: Judgement, predicts: Estimand) -> bool:
    """Whether the scores determine which seeds held; for a share, additional conditions may have excluded some."""
    held = sum(predicts.held(score) for score in judgement.scores if score is not None)
    return bool(judgement.scores) and (isinstance(predicts, Average) or held == judgement.held)


def _pairs(one: Judgement, other: Judgement, predicts: Estimand) -> list[Pair]:
    theirs = dict(zip(other.seeds, other.scores, strict=True))
    both = [(score, theirs.get(seed)) for seed, score in zip(one.seeds, one.scores, strict=True)]
    return [
        Pair(mine, their, predicts.held(mine), predicts.held(their))
        for mine, their in both
        if mine is not None and their is not None
    ]


def _of_answers_together(verdict: Verdict) -> Iterator[str]:
    if verdict.answers[0].outcome is not verdict.replicates:
        yield f"replicates is {verdict.replicates}, and the reference's answer is {verdict.answers[0].outcome}"
    apart = verdict.beside.values()  # a setting off the ladders may be called "weakest" too
    searched = (answer for place, answer in enumerate(verdict.answers) if place not in apart)
    confirmed = next((answer for answer in searched if answer.role in _SUSPECTS), None)
    if confirmed is None and verdict.replicates not in (Outcome.FAILS, Outcome.INVALID):
        return  # the search was stopped
    suspect = confirmed.judgement if confirmed is not None else None
    said, _ = reach(verdict.replicates, verdict.tried, suspect, confirmed)
    if said is not verdict.generalises:
        yield f"generalises is {verdict.generalises}, and what it rests on says {said}"
