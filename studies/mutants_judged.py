"""Judges claims and their mutants in the same way: by the guarded answer at the reference setting."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from spikecheck import Answer, Average, Claim, Judgement, Outcome, Recipe, Run
from spikecheck.core.errors import ClaimError
from spikecheck.core.events import ignore
from spikecheck.harness.answer import Inquiry
from spikecheck.harness.evidence import Trainer
from studies.mutants_changes import BrokenMutation
from studies.mutants_kinds import Mutation, concerning, scale_of

ROOT_SEED = 1
"""Published verdicts have root seed 0."""


class Moved(StrEnum):
    """The effect of a mutation on the numbers that decide."""

    NOTHING = "none of them"
    PLACES = "the claim's are the same, of other seeds"
    MEAN = "the claim's have the same mean"
    FEWER = "the claim's are the same, in fewer seeds"
    NUMBERS = "the claim's are others"


@dataclass(frozen=True)
class Mutant:
    """One mutation of one claim, judged."""

    mutation: Mutation
    outcome: Outcome | None
    """The guarded answer; None where the check, or the mutation, stopped with an error."""
    reason: str
    moved: Moved
    alone: Outcome | None = None
    """The outcome without the controls."""
    broken: bool = False
    """Whether the mutation itself stopped with an error; then it says nothing about the check."""

    @property
    def survives(self) -> bool:
        """Whether the mutant still holds although some number changed."""
        return self.outcome is Outcome.HOLDS and self.moved is not Moved.NOTHING

    @property
    def unread(self) -> bool:
        """Whether no deciding number changed."""
        return self.moved is Moved.NOTHING


@dataclass(frozen=True)
class Judged:
    """One claim with its mutants; a claim that does not hold has none."""

    claim: Claim
    answer: Answer
    mutants: tuple[Mutant, ...] = ()

    @property
    def kept(self) -> tuple[Mutant, ...]:
        """The mutants in which some deciding number changed."""
        return tuple(mutant for mutant in self.mutants if not mutant.unread and not mutant.broken)

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        """The mutants that still hold."""
        return tuple(mutant for mutant in self.mutants if mutant.survives)


class Remembering:
    """A laboratory whose runs stay in memory, since the mutants of one claim are judged one after another."""

    def __init__(self, lab: Trainer) -> None:
        self._lab = lab
        self._known: dict[Recipe, Run] = {}
        self._requested: set[Recipe] = set()

    def runs(self, recipes: Sequence[Recipe]) -> Mapping[Recipe, Run]:
        """The recipes' runs; a fork whose parent never spiked is absent."""
        new = [recipe for recipe in dict.fromkeys(recipes) if recipe not in self._requested]
        if new:
            self._known.update(self._lab.runs(new))
            self._requested.update(new)
        return {recipe: self._known[recipe] for recipe in recipes if recipe in self._known}

    def each(self, blocks: Sequence[Sequence[Recipe]]) -> Iterable[Mapping[Recipe, Run]]:
        """Yield the runs of block after block."""
        return map(self.runs, blocks)


def with_mutants(claim: Claim, lab: Trainer, seeds: int, mutations: Iterable[Mutation]) -> Judged:
    """Judge the claim and, if it holds, every mutation that concerns it, on the same seeds."""
    lab = Remembering(lab)
    answer = answered(claim, lab, seeds)
    if answer.outcome is not Outcome.HOLDS:
        return Judged(claim, answer)
    return Judged(claim, answer, tuple(_mutant(claim, answer, m, lab, seeds) for m in concerning(claim, mutations)))


def answered(claim: Claim, lab: Trainer, seeds: int) -> Answer:
    """The answer at the claim's reference setting, without interim analyses, with both controls."""
    inquiry = Inquiry(claim, lab, ROOT_SEED, ignore)
    return inquiry.answer(claim.domain.reference, "reference", "mutants", [seeds])[1]


def _mutant(claim: Claim, before: Answer, mutation: Mutation, lab: Trainer, seeds: int) -> Mutant:
    mutated = mutation.of(claim, scale_of(before.judgement.scores))
    try:
        answer = answered(mutated, lab, seeds)
    except ClaimError as error:
        broken = isinstance(error.__cause__, BrokenMutation)
        return Mutant(mutation, None, str(error.__cause__), Moved.NUMBERS, broken=broken)
    return Mutant(mutation, answer.outcome, answer.reason, moved(claim, before, answer), answer.judgement.outcome)


def moved(claim: Claim, before: Answer, after: Answer) -> Moved:
    """How the deciding numbers changed, of the claim and its controls."""
    old, new = _judgements(before), _judgements(after)
    if len(old) == len(new) and all(map(_same, old, new)):
        return Moved.NOTHING
    was, now = before.judgement, after.judgement
    if _in_fewer(was, now):
        return Moved.FEWER
    if was.applicable != now.applicable:
        return Moved.NUMBERS
    if was.held == now.held and _each(np.sort, was, now):
        return Moved.PLACES
    means = isinstance(claim.predicts, Average) and claim.predicts.of == "mean"
    return Moved.MEAN if means and _each(np.nanmean, was, now) else Moved.NUMBERS


def _in_fewer(old: Judgement, new: Judgement) -> bool:
    """Whether only the precondition noticed the mutation: the remaining seeds keep their effects."""
    if new.applicable >= old.applicable:
        return False
    left = [(was, now) for was, now in zip(old.scores, new.scores, strict=True) if now is not None]
    further = zip(old.conditions, new.conditions, strict=True)
    return all(was is not None and _close(np.array(was), np.array(now)) for was, now in left) and all(
        any(_close(np.array(value), np.array(known)) for known in was.scores)
        for was, now in further
        for value in now.scores
    )


def _each(what: Callable[[np.ndarray], np.ndarray], old: Judgement, new: Judgement) -> bool:
    """Whether a function gives the same result for the old and new effects, and for every additional condition."""
    return all(
        _close(np.asarray(what(a)), np.asarray(what(b))) for a, b in zip(_by_seed(old), _by_seed(new), strict=True)
    )


def _judgements(answer: Answer) -> list[Judgement | None]:
    return [answer.judgement, answer.control, answer.positive, *(further.judgement for further in answer.also_not)]


def _same(one: Judgement | None, other: Judgement | None) -> bool:
    if one is None or other is None:
        return one is other
    whole = (one.applicable, one.held) == (other.applicable, other.held)
    return whole and all(map(_close, _by_seed(one), _by_seed(other)))


def _by_seed(judgement: Judgement) -> list[np.ndarray]:
    """Effects by seed, NaN where there is none, and the scores of the additional conditions."""
    scores = np.array([np.nan if score is None else score for score in judgement.scores])
    return [scores, *(np.array(condition.scores) for condition in judgement.conditions)]


def _close(one: np.ndarray, other: np.ndarray) -> bool:
    return np.shape(one) == np.shape(other) and bool(np.allclose(one, other, rtol=1e-9, atol=0.0, equal_nan=True))
