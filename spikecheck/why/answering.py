"""From a run's losses to the answer: the spike, the state before it, what was usual, the forks, the cause."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from spikecheck.core.events import TileStored
from spikecheck.core.why import Answer, ArmResult, Effect, Fall, Outcome, Ranked, Signs
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.training import Snapshot
from spikecheck.why.arms import AGAIN as AGAIN_ARM
from spikecheck.why.arms import SECOND_HELD
from spikecheck.why.excursion import highest
from spikecheck.why.executors import Executor, Job, Result
from spikecheck.why.first_run import first_difference, run_again
from spikecheck.why.fork_store import ForkStore
from spikecheck.why.heights import Reader
from spikecheck.why.inquiry import Inquiry, finite
from spikecheck.why.question import AGAIN, FORKS, WAY, Question
from spikecheck.why.ranking import asks_whether_held, ranked, ranked_of_a_fall
from spikecheck.why.returning import FallReader, fall_before
from spikecheck.why.scene import Scene, scene_of
from spikecheck.why.sequential import FEWEST
from spikecheck.why.signs import signs_before
from spikecheck.why.sources import Source
from spikecheck.why.spikes import Run, at_step, first_costly, reported
from spikecheck.why.words import notes, sentence

Rank = Callable[[Sequence[ArmResult], Signs], tuple[Ranked, ...]]
"""Causes that the arms show."""
_SHOWN = 200
"""Losses before the fork that a report shows."""


def answered(run: Run, question: Question, source: Source) -> Answer:
    """The answer, with its words. The training of the source is left anywhere.

    Raises:
        UsageError: when the loss does not rise at the step that `question.at` names.
    """
    began = time.monotonic()
    spikes = run.spikes
    spike = first_costly(run, spikes) if question.at is None else at_step(run, spikes, question.at)
    found = _without_spike(run, spikes) if spike is None else _of_spike(run, spikes, spike, question, source)
    whole = found.model_copy(update={"seconds": round(time.monotonic() - began, 1)})
    return whole.model_copy(update={"sentence": sentence(whole), "notes": notes(whole)})


def _without_spike(run: Run, spikes: Sequence[NoisySpike]) -> Answer:
    return Answer(
        outcome=Outcome.BENIGN if spikes else Outcome.NO_SPIKE,
        sentence="",
        others=tuple(one.onset for one in spikes),
        highest=None if spikes else highest(run.first, run.losses),
        losses=_shown(run, None),
    )


def _of_spike(run: Run, spikes: Sequence[NoisySpike], spike: NoisySpike, question: Question, source: Source) -> Answer:
    scene = scene_of(spike, run.first + len(run.losses), run.first)
    reader = Reader(run.until(scene.start), scene, run.within(scene))
    site = Answer(
        outcome=_without_forks(run, spike, alarm=spike in spikes, reader=reader) or Outcome.STOPPED,
        sentence="",
        spike=reported(spike, benign=run.is_benign(spike)),
        others=tuple(one.onset for one in spikes if one is not spike),
        losses=_shown(run, scene),
    )
    return site if site.outcome is not Outcome.STOPPED else _by_forks(site, run, reader, question, source)


def _without_forks(run: Run, spike: NoisySpike, *, alarm: bool, reader: Reader) -> Outcome | None:
    """What can be said before any fork: a benign spike has no cause, and a rise within the noise is no spike."""
    if run.is_benign(spike):
        return Outcome.BENIGN
    return None if alarm or reader.resolves else Outcome.NO_SPIKE


def _by_forks(site: Answer, run: Run, reader: Reader, question: Question, source: Source) -> Answer:
    before = _before(run, reader, question, source)
    scene = before.scene
    place = {
        "start": scene.start,
        "end": scene.end,
        "batches": (scene.left_out.start, scene.left_out.stop - 1),
        "differs_at": before.differs,
    }
    if before.differs is not None and not before.spikes:
        return site.model_copy(update={**place, "outcome": Outcome.NOT_REPRODUCIBLE})
    signs = signs_before(source.training, before.state, scene)
    return site.model_copy(update={**place, "signs": signs, **_forked(before, run, signs, question, source)})


@dataclass(frozen=True)
class _Before:
    """The state that forks begin from, and the run made once more from there."""

    state: Snapshot
    scene: Scene
    reader: Reader
    differs: int | None
    """First step at which the run was not the same again."""
    spikes: bool
    """Whether it spiked again."""
    fall: tuple[Fall, FallReader] | None
    """Where the spike is a return."""


def _before(run: Run, reader: Reader, question: Question, source: Source) -> _Before:
    scene = reader.scene
    question.announce_forks(scene.start - run.first)
    question.enter(WAY)
    state, differs = source.reach(run, scene, question)
    question.enter(AGAIN)
    again, usual = run_again(source.training, state, scene)
    question.advance(len(again))
    place = first_difference(again, run.within(scene))
    if differs is None and place is not None:
        differs = scene.start + place
    fall = fall_before(scene, run.until(scene.start), run.within(scene))
    return _Before(state, replace(scene, usual=usual), reader, differs, reader.seen(again).spikes, fall)


def _forked(before: _Before, run: Run, signs: Signs, question: Question, source: Source) -> dict[str, object]:
    """What the forks tell: outcome, arms, causes, and where the run differs from the first if it is not reproducible."""
    question.enter(FORKS)
    forks = source.forks(before.scene)
    with closing(source.executor(before.state, FEWEST * (1 + len(question.arms)))) as executor:
        inquiry = Inquiry(
            question.arms, before.reader, lambda jobs: _asked(forks, executor, jobs, question), question.deadline
        )
        judged, outcome = _judged(inquiry, None if before.fall is None else before.fall[1], signs)
        differs = _lost_place(judged, run.within(before.scene)) if outcome is Outcome.CHAOTIC else None
    question.interrupted = judged.interrupted
    if differs is not None:
        return {"outcome": Outcome.NOT_REPRODUCIBLE, "differs_at": before.scene.start + differs}
    arms, rank = judged.results(), ranked if judged is inquiry else ranked_of_a_fall
    causes = rank(arms, signs) if outcome in (Outcome.CAUSE, Outcome.STOPPED) else ()
    fall = before.fall[0] if before.fall and (judged is not inquiry or outcome is Outcome.NO_CAUSE) else None
    return {
        "outcome": outcome,
        "arms": arms,
        "causes": causes,
        "cause": causes[0].cause if causes else None,
        "fall": fall,
    }


def _lost_place(inquiry: Inquiry, losses: Sequence[float]) -> int | None:
    """The first step, counted from the fork, at which the run made again without a nudge differs; None where it spikes again.

    The run was made again once before the forks. But that may continue the training that was just brought to the fork, which
    still has what the state lacks, such as a counter of steps. After the forks it starts from the state alone, as they do.
    """
    try:
        ((_, again),) = inquiry.ask([Job(AGAIN_ARM, 0)])
    except KeyboardInterrupt:
        inquiry.interrupted = True
        return None
    return None if isinstance(again, str) or inquiry.reader.seen(again).spikes else first_difference(again, losses)


def _judged(inquiry: Inquiry, fall: FallReader | None, signs: Signs) -> tuple[Inquiry, Outcome]:
    """The inquiry that answers: of the spike or, where no arm removes a spike that is a return, of the fall before it."""
    outcome = _outcome_of(inquiry, signs)
    if outcome is not Outcome.NO_CAUSE or fall is None:
        return inquiry, outcome
    of_the_fall = inquiry.read_by(fall)
    if _outcome_of(of_the_fall, signs, ranked_of_a_fall) is Outcome.CAUSE:
        return of_the_fall, Outcome.CAUSE
    inquiry.interrupted = of_the_fall.interrupted
    return inquiry, Outcome.NO_CAUSE


def _outcome_of(inquiry: Inquiry, signs: Signs, rank: Rank = ranked) -> Outcome:
    """Fork until the question is answered."""
    try:
        again = inquiry.placebo()
        if not inquiry.stopped and again is not Effect.REMOVES:
            return Outcome.CHAOTIC
        inquiry.judge_arms()
        if rank is ranked and not inquiry.stopped and asks_whether_held(inquiry.results(), signs):
            inquiry.add(SECOND_HELD)
            inquiry.judge_arms()
    except KeyboardInterrupt:  # wherever it comes: the forks that are done make an answer
        inquiry.stopped = inquiry.interrupted = True
    if inquiry.stopped:
        return Outcome.STOPPED
    return Outcome.CAUSE if rank(inquiry.results(), signs) else Outcome.NO_CAUSE


def _asked(
    forks: ForkStore, executor: Executor, jobs: Sequence[Job], question: Question
) -> Iterator[tuple[Job, Result]]:
    for job, result in forks.ask(executor, jobs):
        question.advance(forks.scene.steps)
        question.observe(TileStored(1))
        yield job, result


def _shown(run: Run, scene: Scene | None) -> tuple[tuple[int, float | None], ...]:
    """The losses around a spike, or the last."""
    last = run.first + len(run.losses) if scene is None else scene.end
    first = max(run.first, (last if scene is None else scene.start) - _SHOWN)
    return tuple((step, finite(run.losses[step - run.first])) for step in range(first, last))
