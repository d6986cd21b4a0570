"""Planted verdicts: what a report shows must not depend on a training."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from spikecheck.core.judgement import Answer, ConditionJudged, Contrast, Effect, Judgement, Outcome
from spikecheck.core.reach import Reach
from spikecheck.core.scope import CUTOFF, Axis, Scope, ScopeMap
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Counterexample, Report, Trace, Verdict
from spikecheck.report.terminal import render
from spikecheck.stats.prediction import Average, Equivalence, Estimand, Prediction, as_record

HELD = {Outcome.HOLDS: 60, Outcome.FAILS: 12, Outcome.UNDECIDED: 48, Outcome.UNTRIGGERED: 5, Outcome.INVALID: 60}
INTERVAL = {
    Outcome.HOLDS: (0.86, 0.98),
    Outcome.FAILS: (0.12, 0.28),
    Outcome.UNDECIDED: (0.65, 0.83),
    Outcome.UNTRIGGERED: (0.55, 1.0),
    Outcome.INVALID: (0.86, 0.98),
}

MEAN = {
    Outcome.HOLDS: (0.0431, 0.0312, 0.055),
    Outcome.FAILS: (0.0021, -0.0109, 0.0151),
    Outcome.UNDECIDED: (0.0131, -0.0019, 0.0281),
    Outcome.UNTRIGGERED: (0.02, None, None),
    Outcome.INVALID: (0.0431, 0.0312, 0.055),
}


def planted_judgement(outcome: Outcome, setting: Setting | None = None) -> Judgement:
    low, high = INTERVAL[outcome]
    mean, mean_low, mean_high = MEAN[outcome]
    applicable = 6 if outcome is Outcome.UNTRIGGERED else 64
    return Judgement(
        setting=setting or Setting(),
        outcome=outcome,
        drawn=64,
        applicable=applicable,
        held=HELD[outcome],
        low=low,
        high=high,
        required=0.8,
        level=0.95,
        effect=Effect(
            unit="gain of mean |cos|",
            median=0.0412,
            low=0.02,
            high=0.0631,
            mean=mean,
            mean_low=mean_low,
            mean_high=mean_high,
        ),
        seeds=tuple(range(4)),
        scores=(0.01, 0.04, None, 0.09),
        would_decide=420 if outcome is Outcome.UNDECIDED else None,
    )


RULES: dict[str, Estimand] = {
    "share": Prediction(above=0.0),
    "mean": Average(above=0.0, worth=0.02),
    "median": Average(above=0.0, of="median"),
    "equivalence": Equivalence(at_least=-0.1, at_most=0.1),
}


def planted_average(outcome: Outcome, setting: Setting | None = None, estimand: str = "mean") -> Judgement:
    """A judgement that an average decides: there is no share that is required."""
    by_average = {"estimand": estimand, "required": None}
    return planted_judgement(outcome, setting).model_copy(update=by_average)


def planted_answer(role: str, outcome: Outcome, setting: Setting | None = None, estimand: str = "share") -> Answer:
    """An answer with the controls that make it what it is: at the reference both, elsewhere only the one that it needs."""

    def judged(outcome: Outcome) -> Judgement:
        found = planted_judgement(outcome, setting)
        return found if estimand == "share" else planted_average(outcome, setting, estimand)

    alone = Outcome.HOLDS if outcome is Outcome.INVALID else outcome
    told_apart = {Outcome.HOLDS: (0.71, 0.55, 0.83), Outcome.FAILS: (0.05, -0.02, 0.11)}
    found = Outcome.HOLDS if outcome is Outcome.HOLDS else Outcome.FAILS
    estimate, low, high = told_apart[found]
    contrast = Contrast(outcome=found, estimate=estimate, low=low, high=high, margin=0.2, pairs=60)
    both = role == "reference"
    return Answer(
        role=role,
        outcome=outcome,
        reason="Its excess over the control is surely too small." if outcome is Outcome.INVALID else "",
        judgement=judged(alone),
        control=judged(Outcome.HOLDS if alone is not outcome else Outcome.FAILS)
        if both or alone is Outcome.HOLDS
        else None,
        contrast=contrast if both or alone is Outcome.HOLDS else None,
        positive=judged(Outcome.HOLDS) if both or alone is Outcome.FAILS else None,
    )


def planted_reach(**changes: int) -> Reach:
    counts = {"settings": 27, "of": 1_024, "seeds": 16, "holds": 19, "triggered": 24}
    return Reach(**counts | changes, low=0.578, high=0.929)


def planted_guarded(
    replicates: Outcome = Outcome.HOLDS,
    generalises: Outcome = Outcome.HOLDS,
    estimand: str = "share",
    **changes: object,
) -> Verdict:
    """A verdict whose answers have their controls, decided by a share or an average, with reach and settings beside."""
    edge, rule = Setting(width=50, lr=0.05), RULES[estimand]
    role = (
        "strongest" if replicates is Outcome.FAILS else "counterexample" if generalises is Outcome.FAILS else "weakest"
    )
    answers = (
        planted_answer("reference", replicates, estimand=estimand),
        planted_answer(role, Outcome.HOLDS if role == "strongest" else generalises, edge, estimand),
        planted_answer("setting B", Outcome.HOLDS, Setting(width=80), estimand),
    )
    reference = answers[0]
    found = planted_verdict(replicates, generalises).model_copy(
        update={
            "rule": rule.says("gain of mean |cos|"),
            "predicts": as_record(rule),
            "level": rule.level,
            "floor": rule.floor,
            "ceiling": rule.ceiling,
            "quotes": "loss spikes can facilitate condensation",
            "reading": "Can is no law: an average effect.",
            "cannot_tell": "The twin lacks more than the spike.",
            "answers": answers,
            "beside": {"setting B": 2},
            "reference": reference.judgement,
            "control": reference.control,
            "contrast": reference.contrast,
            "positive": reference.positive,
            "positive_says": "weights turned together by 0.05",
            "reach": planted_reach(),
            "weakest": answers[1].judgement if role != "strongest" else None,
            "elsewhere": answers[1].judgement if role == "strongest" else None,
        }
    )
    return found.model_copy(update=changes)


def planted_condition(outcome: Outcome = Outcome.HOLDS) -> ConditionJudged:
    rule = RULES["mean"]
    effect = planted_judgement(outcome).effect.model_copy(update={"unit": "rise of mean |cos|"})
    return ConditionJudged(
        rule=rule.says(effect.unit), predicts=as_record(rule), outcome=outcome, effect=effect, applicable=64
    )


def nothing() -> Judgement:
    empty = Effect(unit="gain of mean |cos|", median=None, low=None, high=None)
    counts = {"drawn": 0, "applicable": 0, "held": 0, "low": 0.0, "high": 1.0, "seeds": (), "scores": ()}
    return planted_judgement(Outcome.UNDECIDED).model_copy(update={**counts, "effect": empty})


def planted_trace(threshold: float = 20.0) -> Trace:
    steps = tuple(range(0, 1000, 5))
    return Trace(
        seed=7,
        steps=steps,
        loss=tuple(0.1 + (9.0 if 400 < step < 420 else 0.0) for step in steps),
        sharpness_steps=steps[::10],
        sharpness=tuple(15 + step / 100 for step in steps[::10]),
        threshold=threshold,
        lr=0.1,
        onset=401,
        peak=410,
        recovery=420,
    )


def planted_verdict(
    replicates: Outcome = Outcome.HOLDS, generalises: Outcome = Outcome.HOLDS, **changes: object
) -> Verdict:
    edge = Setting(width=50, lr=0.05)
    kind = changes.pop("kind", "tendency")
    sighting = Counterexample(
        setting=edge,
        differs=edge.differences(Setting()),
        judgement=planted_judgement(Outcome.FAILS, edge),
        replay="spikecheck replay condensation --at width=50 --at lr=0.05 --at 'target=sin x + sin 4x' --seed 0 --seeds 64",
    )
    verdict = Verdict(
        id="condensation",
        kind="law" if kind == "law" else "tendency",
        says="loss spikes can facilitate condensation, i.e., input weights evolve towards the same direction",
        where="arXiv 2305.12133v1, abstract",
        rule="gain of mean |cos| > 0 in at least 80 % of the seeds (exact binomial, each bound at 95 %)",
        replicates=replicates,
        generalises=generalises,
        passed=replicates is Outcome.HOLDS and not (kind == "law" and generalises is Outcome.FAILS),
        reference=planted_judgement(replicates),
        control=planted_judgement(Outcome.HOLDS if replicates is Outcome.INVALID else Outcome.FAILS),
        control_says="two calm twins, at 1/4 and at 1/8 of the learning rate: neither goes through the spike",
        weakest=planted_judgement(generalises, edge),
        counterexample=sighting if generalises is Outcome.FAILS else None,
        settings_tried=3,
        settings_triggered=2,
        tried=(planted_judgement(Outcome.HOLDS, edge), planted_judgement(Outcome.UNTRIGGERED, Setting(lr=0.075))),
        numerical_failures=3,
        runs_trained=1_400,
        runs_reused=20,
        seconds=61.2,
        definitions={"spike": "spike: the loss exceeds 3 x its minimum", "applies": "The run spikes"},
        specification="0123456789abcdef",
        typical=planted_trace(),
    )
    return verdict.model_copy(update=changes)


LOST = planted_judgement(Outcome.UNTRIGGERED).model_copy(update={"numerical_failures": 40})
CELLS = (*map(planted_judgement, (Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED, Outcome.UNTRIGGERED)), LOST)


def planted_scope(x: Axis | None = None, y: Axis | None = None, **changes: object) -> Scope:
    """Cells of every kind in turn over lr (three values, 0.1 among them) and width (two, 20 among them)."""
    x = x or Axis(name="lr", values=(0.05, 0.1, 0.2))
    y = y or Axis(name="width", values=(20, 50))
    places = [{x.name: column, y.name: row} for row in y.values for column in x.values]
    settings = [Setting().but(**{n: v for n, v in place.items() if n != CUTOFF}) for place in places]
    kinds = (CELLS * len(settings))[: len(settings)]
    cells = tuple(cell.model_copy(update={"setting": s}) for cell, s in zip(kinds, settings, strict=True))
    scope = Scope(x=x, y=y, centre=Setting(), seeds=64, fewest=14, cells=cells)
    return scope.model_copy(update=changes)


def planted_map(*scopes: Scope, **changes: object) -> ScopeMap:
    verdict = planted_verdict()
    found = ScopeMap(
        command="spikecheck map",
        claim=verdict.id,
        says=verdict.says,
        where=verdict.where,
        rule=verdict.rule,
        reference=Setting(),
        scopes=scopes or (planted_scope(),),
        seed=0,
        environment={"torch": "2.13.0", "threads": 1},
        definitions=verdict.definitions,
        specification=verdict.specification,
    )
    return found.model_copy(update=changes)


def planted_report(*verdicts: Verdict, **changes: object) -> Report:
    report = Report(
        passed=all(verdict.passed for verdict in verdicts),
        command="spikecheck verify",
        profile="quick",
        seed=0,
        environment={"spikecheck": "0.1.0", "torch": "2.13.0", "device": "cpu AVX512", "threads": 2},
        claims=verdicts,
    )
    return report.model_copy(update=changes)


def captured(show: Callable[[Console], None], width: int = 80, encoding: str = "utf-8", **options: object) -> str:
    """What is printed to a stream of that width and encoding."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    show(Console(file=out, width=width, **options))  # type: ignore[arg-type]
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return out.buffer.getvalue().decode(encoding)


@pytest.fixture
def capture() -> Callable[..., str]:
    return captured


@pytest.fixture
def shown(capture: Callable[..., str]) -> Callable[..., str]:
    """The terminal's report of some verdicts."""

    def show(
        *verdicts: Verdict, strict: bool = False, changes: dict[str, object] | None = None, **options: object
    ) -> str:
        found = planted_report(*verdicts, **(changes or {}))
        return capture(lambda console: render(found, console, strict=strict), **options)

    return show


@pytest.fixture
def verdict() -> Callable[..., Verdict]:
    return planted_verdict


@pytest.fixture
def guarded() -> Callable[..., Verdict]:
    return planted_guarded


@pytest.fixture
def average() -> Callable[..., Judgement]:
    return planted_average


@pytest.fixture
def condition() -> Callable[..., ConditionJudged]:
    return planted_condition


@pytest.fixture
def reach() -> Callable[..., Reach]:
    return planted_reach


@pytest.fixture
def judgement() -> Callable[..., Judgement]:
    return planted_judgement


@pytest.fixture
def report() -> Callable[..., Report]:
    return planted_report


@pytest.fixture
def scope() -> Callable[..., Scope]:
    return planted_scope


@pytest.fixture
def scope_map() -> Callable[..., ScopeMap]:
    return planted_map


@pytest.fixture
def unreached() -> Judgement:
    return nothing()


@pytest.fixture
def trace() -> Callable[..., Trace]:
    return planted_trace
