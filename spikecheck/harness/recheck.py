"""A verdict derived anew from the counts that a report holds: by hand edited, or judged by other rules, it shows."""

from collections.abc import Iterator

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.verdict import Report, Verdict, exit_code
from spikecheck.harness.conclude import passes, reach, replication
from spikecheck.stats.bounds import judge
from spikecheck.stats.prediction import Prediction

_ROUNDING = 1e-9
"""A bound is made by a library whose last digits may change."""


def recheck(report: Report) -> dict[str, list[str]]:
    """What of every claim's verdict does not follow from its counts; nothing is trained and no claim file is read."""
    found = {verdict.id: list(_of_verdict(verdict)) for verdict in report.claims}
    if report.passed and exit_code(report) != 0:
        found["the report"] = ["passed is true, and not every claim passes"]
    return {claim: said for claim, said in found.items() if said}


def _of_verdict(verdict: Verdict) -> Iterator[str]:
    for name, judgement in _judgements(verdict):
        yield from (f"{name}: {said}" for said in _of_judgement(judgement, verdict))
    replicates, _ = replication(verdict.reference, verdict.control)
    if replicates is not verdict.replicates:
        yield f"replicates is {verdict.replicates}, and what it rests on says {replicates}"
    generalises = _generalises(verdict)
    if generalises is not None and generalises is not verdict.generalises:
        yield f"generalises is {verdict.generalises}, and what it rests on says {generalises}"
    if verdict.passed != passes(verdict.kind, verdict.replicates, verdict.generalises):
        yield f"passed is {str(verdict.passed).lower()}, which its answers do not say"


def _judgements(verdict: Verdict) -> Iterator[tuple[str, Judgement]]:
    """Every judgement under a name by which it is found in the report; what was not reached is none."""
    named = [("reference", verdict.reference), ("control", verdict.control)]
    optional = {"weakest": verdict.weakest, "elsewhere": verdict.elsewhere}
    named += [(name, judgement) for name, judgement in optional.items() if judgement is not None]
    if verdict.counterexample is not None:
        named.append(("counterexample", verdict.counterexample.judgement))
    named += [(f"tried {place}", judgement) for place, judgement in enumerate(verdict.tried)]
    named += [(variation.name, variation.judgement) for variation in verdict.robustness]
    yield from ((name, judgement) for name, judgement in named if judgement.drawn)


def _of_judgement(judgement: Judgement, verdict: Verdict) -> Iterator[str]:
    """Whether counts, bounds and outcome fit."""
    scores = [score for score in judgement.scores if score is not None]
    if judgement.scores and len(scores) != judgement.applicable:
        yield f"applicable is {judgement.applicable}, and {len(scores)} seeds have a score"
    within = sum(_within(score, verdict) for score in scores)
    if judgement.scores and judgement.held > within:
        yield f"held is {judgement.held}, and {within} seeds' effects lie within the rule's limits"
    if not 0 <= judgement.held <= judgement.applicable <= judgement.drawn:
        yield f"held {judgement.held}, applicable {judgement.applicable} and drawn {judgement.drawn} are out of order"
        return
    asked = Prediction(above=0.0, of_seeds=judgement.required, level=verdict.level or judgement.level)
    decided = judge(judgement.held, judgement.applicable, asked, 1.0 - judgement.level)
    if decided.outcome is not judgement.outcome:
        yield f"outcome is {judgement.outcome}, and the counts say {decided.outcome}"
    for name, bound in (("low", decided.low), ("high", decided.high)):
        if abs(bound - getattr(judgement, name)) > _ROUNDING:
            yield f"{name} is {getattr(judgement, name):.6g}, and the counts say {bound:.6g}"


def _within(score: float, verdict: Verdict) -> bool:
    """Limits that a report does not name are none; whether they are excluded it does not say either."""
    return (verdict.floor is None or score >= verdict.floor) and (verdict.ceiling is None or score <= verdict.ceiling)


def _generalises(verdict: Verdict) -> Outcome | None:
    """What the judgements say; None where a report does not hold what it rested on, since the search was stopped."""
    confirmed = verdict.weakest
    if confirmed is None and verdict.replicates not in (Outcome.FAILS, Outcome.INVALID):
        return None
    return reach(verdict.replicates, verdict.tried, confirmed, confirmed)[0]
