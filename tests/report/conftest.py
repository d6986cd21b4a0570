"""Planted verdicts: what a report shows must not depend on a training."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from spikecheck.core.judgement import Effect, Judgement, Outcome
from spikecheck.core.scope import CUTOFF, Axis, Scope, ScopeMap
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Sighting, Trace, Verdict

HELD = {Outcome.HOLDS: 60, Outcome.FAILS: 12, Outcome.UNDECIDED: 48, Outcome.UNTRIGGERED: 5, Outcome.INVALID: 60}
INTERVAL = {
    Outcome.HOLDS: (0.86, 0.98),
    Outcome.FAILS: (0.12, 0.28),
    Outcome.UNDECIDED: (0.65, 0.83),
    Outcome.UNTRIGGERED: (0.55, 1.0),
    Outcome.INVALID: (0.86, 0.98),
}


def planted_judgement(outcome: Outcome, setting: Setting | None = None) -> Judgement:
    low, high = INTERVAL[outcome]
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
        effect=Effect(unit="gain of mean |cos|", median=0.0412, low=0.02, high=0.0631),
        seeds=tuple(range(4)),
        scores=(0.01, 0.04, None, 0.09),
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
    sighting = Sighting(
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
def verdict() -> Callable[..., Verdict]:
    return planted_verdict


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
