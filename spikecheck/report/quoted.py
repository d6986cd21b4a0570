"""The answers of a verdict with their controls, also for old reports, which stored them in other fields."""

from collections.abc import Mapping

from spikecheck.core.errors import SettingError
from spikecheck.core.judgement import Answer, Judgement, Outcome
from spikecheck.core.verdict import Verdict
from spikecheck.stats.prediction import Estimand, from_record

ROLES = {
    "counterexample": "smallest counterexample found",
    "strongest": "strongest setting found",
    "weakest": "weakest setting found",
}
"""Roles of a setting nominated by the search, in words."""


def rule_of(verdict: Verdict) -> Estimand | None:
    """The claim's rule; None if the report does not contain it."""
    return read_rule(verdict.predicts)


def read_rule(record: Mapping[str, float | str]) -> Estimand | None:
    """Rebuild a rule from a report's record; None if there is no record, or the record is not a valid rule."""
    try:
        return from_record(record) if record else None
    except SettingError:  # edited by hand: `spikecheck recheck` says so
        return None


def at_reference(verdict: Verdict) -> Answer:
    """The answer at the reference setting."""
    if verdict.answers and verdict.answers[0].role == "reference":
        return verdict.answers[0]
    return Answer(
        role="reference",
        outcome=verdict.replicates,
        judgement=verdict.reference,
        control=verdict.control if verdict.control.drawn else None,
        contrast=verdict.contrast,
        positive=verdict.positive,
    )


def nominated(verdict: Verdict) -> Answer | None:
    """The answer at the setting nominated by the search; None if there is none."""
    apart = set(verdict.beside.values())
    nominees = (a for place, a in enumerate(verdict.answers) if a.role in ROLES and place not in apart)
    return next(nominees, None) or _of_an_old_report(verdict)


def besides(verdict: Verdict) -> dict[str, Answer]:
    """Answers at the settings outside the domain that were judged on fresh seeds, by name."""
    places = {name: place for name, place in verdict.beside.items() if place < len(verdict.answers)}
    return {name: verdict.answers[place] for name, place in places.items()}


def only_searched(verdict: Verdict) -> list[str]:
    """Names of the settings outside the domain that an old report judged in its search only."""
    return [name for name in verdict.beside if name not in besides(verdict)]


def _of_an_old_report(verdict: Verdict) -> Answer | None:
    if verdict.replicates is Outcome.FAILS:
        return _bare("strongest", verdict.elsewhere)
    if verdict.counterexample is not None:
        return _bare("counterexample", verdict.counterexample.judgement)
    return _bare("weakest", verdict.weakest)


def _bare(role: str, judgement: Judgement | None) -> Answer | None:
    """A judgement as an answer without controls."""
    return None if judgement is None else Answer(role=role, outcome=judgement.outcome, judgement=judgement)
