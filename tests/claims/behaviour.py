"""Everything that a claim asks for and gives, as numbers: two texts of a claim that agree in it compute the same.

Nothing is trained. Trials are made up, of the shapes that probes record, and every function of the claim is asked about them.
`python tests/claims/behaviour.py FOLDER` prints the numbers of the claims in a folder as JSON.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spikecheck.core.probe import Anatomy, Balance, Directions, Probe, SharpnessTrace, Stability, Trail
from spikecheck.core.run import Array, Ended, Run, Snapshot
from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.claim import Claim, Trial
from spikecheck.harness.discover import read
from spikecheck.measures import spikes
from spikecheck.objective.objective import numbers_of

TRIALS = 3
"""Of different courses of the sharpness: up through its threshold, down from above it, and around it."""
Record = dict[str, Array]


def behaviour(claim: Claim) -> dict[str, Any]:
    """What a claim asks to be trained, as a digest, and by control and cut-off what each of its functions gives."""
    return {"recipes": _recipes(claim), "scores": {name: _scores(varied) for name, varied in _variants(claim)}}


def _variants(claim: Claim) -> Iterator[tuple[str, Claim]]:
    yield "claim", claim
    for place, control in enumerate(claim.controls):
        yield f"control {place}", claim.as_control(control)
    for cutoff in {**claim.cutoffs, **claim.far_cutoffs}:
        yield cutoff, claim.under(cutoff)


def _recipes(claim: Claim) -> str:
    """Of the settings of all arms, of controls and cut-offs too, on every rung of the domain and beside it."""
    axes = claim.domain.axes.items()
    rungs = [claim.domain.reference.but(**{name: rung}) for name, ladder in axes for rung in ladder.rungs]
    asked = [
        (name, arm, there(setting).canonical())
        for name, varied in _variants(claim)
        for arm, there in varied.arms.items()
        for setting in [*rungs, *claim.beside.values(), *claim.further.values()]
    ]
    predicted = [(repr(each.predicts), [(c.unit, repr(c.predicts)) for c in each.also]) for _, each in _variants(claim)]
    text = json.dumps([asked, predicted, claim.probe.canonical() if claim.probe else "", claim.definition.canonical()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _scores(claim: Claim) -> list[list[float | str]]:
    """A list a trial: whether the claim applies, its effect, its further conditions and its companions."""
    trials = [_trial(claim, number) for number in range(TRIALS)]
    pairs = zip(trials, [*trials[1:], trials[0]], strict=True)
    return [_asked(claim, replace(trial, other=other)) for trial, other in pairs]


def _asked(claim: Claim, trial: Trial) -> list[float | str]:
    planted = _said(claim.plant, trial) if claim.plant else trial
    if not isinstance(planted, Trial):
        return [str(planted)]
    measures = [claim.measure, *(condition.measure for condition in claim.also), *claim.companions.values()]
    return [_said(claim.applies, trial), *(_said(measure, planted) for measure in measures)]


def _said(function: Callable[[Trial], Any], trial: Trial) -> Any:
    """What a function gives, to ten digits; the name of what it raises."""
    try:
        with np.errstate(all="ignore"):
            answer = function(trial)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return type(error).__name__
    return answer if isinstance(answer, Trial) else f"{float(answer):.10g}"


def _trial(claim: Claim, number: int) -> Trial:
    """A made-up trial at the reference: the trunk, and a run an arm."""
    reference = claim.domain.reference
    trunk = _run(reference, number, 0, None, claim.definition)
    arms = {
        name: _run(arm(reference), number, place + 1, claim.probe, claim.definition)
        for place, (name, arm) in enumerate(claim.arms.items())
    }
    return Trial(reference, number, trunk, arms)


def _run(setting: Setting, seed: int, place: int, probe: Probe | None, definition: SpikeDefinition) -> Run:
    rng, steps = np.random.default_rng([seed, place]), setting.steps
    loss = np.exp(-9.0 * np.arange(steps + 1) / steps) * (1.0 + 0.1 * rng.random(steps + 1))
    onset = round(0.7 * steps)
    if (seed, place) not in ((0, 2), (2, 0)):  # a twin that stays calm, and a training
        loss[onset : onset + 30] *= 20.0 ** np.sin(np.linspace(0.0, np.pi, 30))
    seen = spikes(loss, definition)
    data = numbers_of(setting)
    records: dict[str, Mapping[str, Array]] = (
        {probe.kind: _record(probe, setting, rng, seed, loss, data)} if probe else {}
    )
    snapshots = {name: _snapshot(setting, rng, data) for name in ("start", "end")}
    return Run(setting, seed, 0, loss, Ended("completed", steps), seen, snapshots, records)


def _snapshot(setting: Setting, rng: np.random.Generator, data: Any) -> Snapshot:
    inputs = rng.normal(size=(setting.width, data.x.shape[1] + 1)) + 0.5
    outputs = rng.normal(size=(setting.width, data.y.shape[1]))
    return Snapshot(0, np.concatenate([inputs.ravel(), outputs.ravel()]), inputs, outputs)


def _course(setting: Setting, rng: np.random.Generator, seed: int, count: int) -> Array:
    """A course of the sharpness [count, 1], in units of 2/lr times the rule's factor."""
    ways: tuple[Array, ...] = (np.linspace(0.5, 1.2, count), np.linspace(1.2, 0.8, count), np.ones(count))
    noise = 1.0 + 0.01 * rng.normal(size=count)
    beta = setting.momentum or setting.beta1 or 0.0
    course: Array = (ways[seed] * noise * 2.0 * (1.0 + beta) / setting.lr)[:, None]
    return course


def _record(
    probe: Probe, setting: Setting, rng: np.random.Generator, seed: int, loss: Array, data: Any
) -> Mapping[str, Array]:
    places = np.linspace(0, setting.steps, 61).round()
    if isinstance(probe, Anatomy):
        return _anatomy(probe, setting, rng, seed, loss, data)
    if isinstance(probe, SharpnessTrace):
        return {"steps": places, "sharpness": _course(setting, rng, seed, 61)}
    if isinstance(probe, Trail):
        weights = rng.normal(size=(61, setting.width, data.x.shape[1] + 1)) * np.linspace(0.1, 1.0, 61)[:, None, None]
        grown = data.y_test * np.linspace(0.0, 1.0, 61)[:, None, None]
        noise = 0.1 * rng.normal(size=grown.shape)
        curvature = _course(setting, rng, seed, 61)
        found = {"steps": places, "sharpness": curvature * (1.0 + 0.2 * seed), "gradient_curvature": curvature[:, 0]}
        return {**found, "input_weights": weights, "outputs": grown + noise}
    if isinstance(probe, Directions):
        return _directions(probe, rng, data)
    if isinstance(probe, Stability):
        return {name: 0.5 + rng.random(3) for name in ("onset", "peak", "recovery")}
    assert isinstance(probe, Balance)
    names = ("displacement", "sharpening", "steepness")
    return {"steps": np.arange(0.0, 2_000.0, 5.0), **{name: rng.random(400) for name in names}}


def _anatomy(
    probe: Anatomy, setting: Setting, rng: np.random.Generator, seed: int, loss: Array, data: Any
) -> Mapping[str, Array]:
    """700 steps, the last 60 of them behind the peak that the run would have."""
    onset = round(0.7 * setting.steps)
    steps = np.arange(onset - 600, onset + 100)
    sharpness = _course(setting, rng, seed, len(steps)) * np.array([1.0, 0.6])
    swing = (
        (-1.0) ** np.arange(len(steps))[:, None] * 1e-6 * np.exp(np.abs(np.arange(len(steps)) - 300) / 50.0)[:, None]
    )
    found = {
        "steps": steps.astype(np.float64),
        "loss": loss[steps],
        "sharpness": sharpness,
        "swing": swing * (1.0 + 0.1 * rng.random(sharpness.shape)),
        "next_swing": -swing * (0.9 + 0.3 * rng.random(sharpness.shape)),
        "gradient_curvature": sharpness[:, 0] * (0.7 + 0.5 * rng.random(len(steps))),
    }
    if probe.outputs:
        away = 1.0 + np.abs(np.arange(len(steps)) - 620.0)[:, None, None] / 50.0
        found["outputs"] = data.y_test + rng.normal(size=(len(steps), *data.y_test.shape)) / away
    return found


def _directions(probe: Directions, rng: np.random.Generator, data: Any) -> Record:
    """Outputs whose error is larger by an order of magnitude in one run than in another."""
    shape = data.y_test.shape
    found = {
        "values": 10.0 + np.sort(rng.random(probe.pairs))[::-1],
        "deviation": rng.normal(size=(probe.pairs, *shape)),
        "outputs": data.y_test + 10.0 ** rng.uniform(-3.0, 1.0) * rng.normal(size=shape),
        "own": rng.normal(size=shape),
    }
    return found | ({"random_deviation": rng.normal(size=(probe.random, *shape))} if probe.random else {})


def main() -> None:
    """Print what the claims of a folder compute."""
    claims = [read(file) for file in sorted(Path(sys.argv[1]).glob("*.py"))]
    rows = (f" {json.dumps(claim.id)}: {json.dumps(behaviour(claim))}" for claim in claims)
    sys.stdout.write("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
