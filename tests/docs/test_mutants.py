"""Every mutation changes what it says and nothing else, and what survives is said to."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from spikecheck import SETTING_A, Average, Claim, Continue, Control, Outcome, Run, Snapshot, Spike, Trial, discover
from spikecheck.core.run import Array, Ended
from spikecheck.harness.simulated_lab import PlantedLab, effect, normal, planted_claim

ROOT = Path(__file__).parents[2]
Modules = dict[str, ModuleType]
NAMES = (
    "mutants",
    "mutants_changes",
    "mutants_concerns",
    "mutants_judged",
    "mutants_kinds",
    "mutants_meanings",
    "mutants_page",
    "mutants_plants",
)
STEPS, PAIRS, POINTS, NEURONS = 60, 3, 8, 5

TIMED = {
    "anatomy": {"loss", "sharpness", "residual", "swing", "next_swing", "gradient_curvature", "outputs"},
    "sharpness": {"sharpness", "residual"},
    "trail": {"sharpness", "residual", "gradient_curvature", "input_weights", "outputs"},
    "balance": {"sharpness", "residual", "displacement", "sharpening", "steepness"},
}
EIGENVALUES = {f"{kind}/sharpness" for kind in TIMED} | {"directions/values"}
EVERY_STEP = {f"{kind}/{name}" for kind, names in TIMED.items() for name in names}
VECTORS = {"anatomy/swing", "anatomy/next_swing", "directions/deviation"}
LANDMARKS = {"stability/onset", "stability/recovery"}
WEIGHTS = {"snapshots/start", "snapshots/end", "trail/input_weights"}
OUTPUTS = {"anatomy/outputs", "trail/outputs", "directions/outputs"}
THRESHOLD = {"lr", "trial/lr", "stability/peak"} | LANDMARKS
CHANGES = {
    "stranger's sharpness": EIGENVALUES,
    "stranger's sharpness in half": EIGENVALUES,
    "stranger's motion": {
        "anatomy/swing",
        "anatomy/next_swing",
        "anatomy/gradient_curvature",
        "trail/gradient_curvature",
    }
    | {f"balance/{name}" for name in ("displacement", "sharpening", "steepness")},
    "stranger's outputs": OUTPUTS,
    "second pair": VECTORS | {"anatomy/sharpness", "anatomy/residual", "directions/values", "directions/residual"},
    "second direction": VECTORS,
    "random direction": VECTORS,
    "time shuffled": EVERY_STEP,
    "time reversed": EVERY_STEP | LANDMARKS,
    "losses shuffled": {"loss", "spikes"},
    "losses reversed": {"loss", "spikes"},
    "sharpness x 0.9": EIGENVALUES,
    "threshold x 1.1": THRESHOLD,
    "threshold / 1.1": THRESHOLD,
    "points shuffled": OUTPUTS | {f"directions/{name}" for name in ("deviation", "own", "random_deviation")},
    "training outputs": {"directions/outputs"},
    "columns for rows": WEIGHTS,
    "coordinates shuffled": WEIGHTS,
    "start for end": {"snapshots/end", "rest of end"},
    "landmark early": {"spikes"},
}
"""What a mutation of the record changes in every arm: arrays by probe and name, and parts of runs."""
OF_EFFECTS = {name + half for name in ("noise", "wrong sign", "constant") for half in ("", " in half")}
OF_ARMS = {
    "injected along v_6",
    "injected along v_12",
    "stranger's twin",
    "arms swapped",
    "arms alike",
    "end for onset",
}


@pytest.fixture
def mutants(monkeypatch: pytest.MonkeyPatch) -> Iterator[Modules]:
    """The script's modules, imported as they import one another."""
    yield {name: import_module(f"studies.{name}") for name in NAMES}
    for name in NAMES:
        sys.modules.pop(f"studies.{name}", None)


def mutation(mutants: Modules, name: str) -> Any:
    return next(m for m in mutants["mutants_kinds"].MUTATIONS if m.name == name)


def recorded(draw: np.random.Generator) -> dict[str, dict[str, Array]]:
    """One record of every probe that claims use."""
    steps, points = (STEPS,), (POINTS, 1)
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "anatomy": dict.fromkeys(("loss", "gradient_curvature"), steps)
        | dict.fromkeys(("sharpness", "residual", "swing", "next_swing"), (STEPS, PAIRS))
        | {"outputs": (STEPS, *points)},
        "sharpness": dict.fromkeys(("sharpness", "residual"), (STEPS, 1)) | {"products": (1,)},
        "trail": dict.fromkeys(("sharpness", "residual"), (STEPS, 1))
        | {"gradient_curvature": steps, "input_weights": (STEPS, NEURONS, 2), "outputs": (STEPS, *points)},
        "balance": dict.fromkeys(("sharpness", "displacement", "sharpening", "steepness"), steps)
        | {"residual": (STEPS, 1)},
        "directions": {"values": (PAIRS,), "residual": (PAIRS,), "deviation": (PAIRS, *points), "own": points}
        | {"outputs": points, "train_outputs": (4, 1), "random_deviation": (2, *points)},
        "stability": dict.fromkeys(("onset", "peak", "recovery"), (3,)),
    }
    records = {kind: {n: draw.normal(size=shape) for n, shape in of.items()} for kind, of in shapes.items()}
    for kind in TIMED:
        records[kind]["steps"] = np.arange(100.0, 100.0 + STEPS)
    return records


def run(seed: int, arm: int) -> Run:
    draw = np.random.default_rng([seed, arm])
    weights = {at: draw.normal(size=(NEURONS, 2)) for at in ("start", "end")}
    snapshots = {at: Snapshot(0, draw.normal(size=3), w, draw.normal(size=(NEURONS, 1))) for at, w in weights.items()}
    loss = np.exp(draw.normal(size=200))
    return Run(
        SETTING_A, seed, 0, loss, Ended("completed", 199), (Spike(120, 150, 155, 158, 4.0),), snapshots, recorded(draw)
    )


def trial(seed: int = 2, other: Trial | None = None) -> Trial:
    arms = {"first": run(seed, 1), "last": run(seed, 2)}
    return Trial(SETTING_A, seed, run(seed, 0), arms, other=other)


def parts(of: Trial, arm: str) -> dict[str, Any]:
    """Everything that an arm of a trial consists of, by name."""
    one = of[arm]
    flat: dict[str, Any] = {"loss": one.loss, "spikes": one.spikes, "lr": one.setting.lr, "trial/lr": of.setting.lr}
    flat |= {"else": (one.setting.but(lr=1.0), of.setting.but(lr=1.0), one.seed, one.start, one.ended, of.trunk.loss)}
    flat |= {f"snapshots/{at}": snapshot.input_weights for at, snapshot in one.snapshots.items()}
    flat |= {f"rest of {at}": (snapshot.params, snapshot.output_weights) for at, snapshot in one.snapshots.items()}
    return flat | {f"{kind}/{name}": array for kind, record in one.records.items() for name, array in record.items()}


def differing(before: Trial, after: Trial, arm: str) -> set[str]:
    old, new = parts(before, arm), parts(after, arm)
    assert old.keys() == new.keys()
    return {name for name in old if not _same(old[name], new[name])}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else bool(one == other)


def planted_in(mutants: Modules, name: str, of: Trial) -> Trial:
    plant = mutation(mutants, name).of(planted_claim(), 1.0).plant
    assert plant is not None
    planted: Trial = plant(of)
    return planted


def test_every_mutation_is_looked_at_here(mutants: Modules) -> None:
    assert {m.name for m in mutants["mutants_kinds"].MUTATIONS} == set(CHANGES) | OF_EFFECTS | OF_ARMS


@pytest.mark.parametrize("name", CHANGES)
def test_a_mutation_of_the_record_changes_what_it_says_in_every_arm(mutants: Modules, name: str) -> None:
    before = trial(2, trial(4))
    after = planted_in(mutants, name, before)
    assert all(differing(before, after, arm) == CHANGES[name] for arm in before.arms)


def test_half_of_the_seeds_are_left_alone(mutants: Modules) -> None:
    before = trial(3, trial(4))
    assert not differing(before, planted_in(mutants, "stranger's sharpness in half", before), "first")


def test_a_stranger_is_taken_at_the_same_distance_from_the_onset(mutants: Modules) -> None:
    other = trial(4)
    late = replace(other["first"], spikes=(Spike(120, 153, 158, 161, 4.0),))
    other = replace(other, arms={**other.arms, "first": late})
    after = planted_in(mutants, "stranger's sharpness", trial(2, other))
    theirs = other["first"].records["anatomy"]["sharpness"]
    mine = after["first"].records["anatomy"]["sharpness"]
    assert np.array_equal(mine[:-3], theirs[3:]) and np.array_equal(mine[-3:], np.repeat(theirs[-1:], 3, axis=0))
    assert np.array_equal(after["first"].records["trail"]["sharpness"], other["first"].records["trail"]["sharpness"])


def test_values_are_the_second_pairs_the_threshold_higher_and_time_runs_back(mutants: Modules) -> None:
    before = trial()
    was = before["first"].records["anatomy"]
    rolled = planted_in(mutants, "second pair", before)["first"].records["anatomy"]
    assert np.array_equal(rolled["sharpness"][:, 0], was["sharpness"][:, 1])
    back = planted_in(mutants, "time reversed", before)["first"].records["anatomy"]
    assert np.array_equal(back["swing"], was["next_swing"][::-1]) and np.array_equal(back["loss"], was["loss"][::-1])
    assert planted_in(mutants, "threshold x 1.1", before).threshold == pytest.approx(1.1 * before.threshold)
    together = planted_in(mutants, "time shuffled", before)["first"].records["anatomy"]
    order = np.argsort(together["loss"]), np.argsort(was["loss"])
    assert np.array_equal(together["outputs"][order[0]], was["outputs"][order[1]])


def test_spikes_come_early_only_in_runs_that_are_no_forks(mutants: Modules) -> None:
    before = trial()
    forked = replace(before["last"], setting=SETTING_A.but(intervention=Continue(horizon=60)))
    after = planted_in(mutants, "landmark early", replace(before, arms={**before.arms, "last": forked}))
    assert after["first"].spikes == (Spike(71, 101, 106, 109, 4.0),)  # its record begins at step 100
    assert after["last"].spikes == forked.spikes


def test_arms_are_exchanged(mutants: Modules) -> None:
    before = trial(2, trial(4))
    first, last = before.arms.values()
    assert before.other is not None
    assert planted_in(mutants, "arms swapped", before).arms == {"first": last, "last": first}
    assert planted_in(mutants, "arms alike", before).arms == {"first": last, "last": last}
    assert planted_in(mutants, "stranger's twin", before).arms == {"first": first, "last": before.other["last"]}


def test_arms_are_injected_and_landmarks_early(mutants: Modules) -> None:
    reference = planted_claim().domain.reference
    arms = {"run": lambda s: s.but(intervention=Continue(at="onset", horizon=60)), "plain": lambda s: s}
    claim = replace(planted_claim(), arms=arms)
    injected = mutation(mutants, "injected along v_6").of(claim, 1.0).arms
    fork = injected["run"](reference).intervention
    assert (fork.kind, fork.rank, fork.horizon, fork.at) == ("inject", 6, 60, "onset")
    early = mutation(mutants, "landmark early").of(claim, 1.0).arms["run"](reference).intervention
    assert (early.kind, early.at, early.definition.lead, early.horizon) == ("continue", "before_onset", 100, 60)
    assert injected["plain"](reference) == reference


def test_effects_are_noise_turned_round_and_constant(mutants: Modules) -> None:
    claim, seen = planted_claim(predicts=Average(at_least=1.0, at_most=2.0)), [trial(seed) for seed in range(400)]
    claim = replace(claim, measure=lambda of: 1.25)
    noise = np.array([mutation(mutants, "noise").of(claim, 3.0).measure(one) for one in seen])
    assert abs(noise.mean()) < 0.5 and noise.std() == pytest.approx(3.0, rel=0.15)
    assert mutation(mutants, "wrong sign").of(claim, 3.0).measure(seen[0]) == 2.75
    assert mutation(mutants, "constant").of(claim, 3.0).measure(seen[0]) == 1.5
    half = mutation(mutants, "wrong sign in half").of(claim, 3.0).measure
    assert [half(one) for one in seen[:4]] == [2.75, 1.25, 2.75, 1.25]


def test_a_planted_record_is_mutated_after_it_was_planted_and_so_is_a_strangers(mutants: Modules) -> None:
    def plant(of: Trial) -> Trial:
        values = {"values": np.full(PAIRS, 7.0)}
        planted = replace(of["first"], records={"directions": {**of["first"].records["directions"], **values}})
        return replace(of, arms={"first": planted})

    claim = replace(planted_claim(), control=Control(says="planted", plant=plant))
    for name, expected in {"sharpness x 0.9": 6.3, "stranger's sharpness": 7.0}.items():
        mutated = mutation(mutants, name).of(claim, 1.0).control.plant
        assert mutated(trial(2, trial(4)))["first"].records["directions"]["values"][0] == pytest.approx(expected)


def judged(mutants: Modules, claim: Claim, *mutations: Any, truth: float = 0.99, seeds: int = 64, **lab: Any) -> Any:
    planted = PlantedLab(lambda setting: truth, **lab)
    return mutants["mutants_judged"].with_mutants(claim, planted, seeds, mutations)


def of_claim(mutants: Modules, name: str, change: Callable[[Claim], Claim], whole: str = "") -> Any:
    """A mutation of one's own."""
    return mutants["mutants_kinds"].Mutation(name, name, lambda claim: True, lambda claim, scale: change(claim), whole)


def nudged(claim: Claim) -> Claim:
    return replace(claim, measure=lambda of: effect(of) + 0.001)


@pytest.mark.parametrize("average", [False, True])
def test_of_a_planted_claim_no_mutant_of_the_effect_survives(mutants: Modules, average: bool) -> None:
    claim = planted_claim(predicts=Average(above=0.0)) if average else planted_claim()
    world: dict[str, Any] = {"truth": 1.0, "control": -1.0, "positive": 1.0, "law": normal} if average else {}
    effects = [mutation(mutants, name) for name in ("noise", "wrong sign", "wrong sign in half", "constant")]
    found = judged(mutants, claim, *effects, **world)
    assert len(found.kept) == 4 and not found.survivors


def test_a_mutant_that_holds_is_a_survivor_and_a_hole_until_a_reason_is_given(
    mutants: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanings, mine = mutants["mutants_meanings"], of_claim(mutants, "nudged", nudged)
    found = judged(mutants, planted_claim(), mine, mutation(mutants, "constant"))
    assert [mutant.mutation.name for mutant in found.survivors] == ["nudged"]
    text = mutants["mutants_page"].page([found], [mine], 64)
    assert (
        "### Holes\n\n- **planted: nudged.** Not yet explained" in text
        and "The other 1 show holes." in text
        and "| **H** |" in text
    )
    said = meanings.Meaning("nudged", "planted", True, "a thousandth is nothing.")
    monkeypatch.setattr(meanings, "MEANINGS", (said, meanings.Meaning("constant", "planted", True, "never.")))
    text = mutants["mutants_page"].page([found], [mine], 64)
    assert (
        "### Still what is claimed\n\n- **planted: nudged.** A thousandth is nothing." in text
        and "The other 0 show holes." in text
    )
    assert [one.mutation for one in meanings.needless([found])] == ["constant"]


def test_a_reason_is_not_left_out(mutants: Modules) -> None:
    with pytest.raises(ValueError, match="give a reason"):
        mutants["mutants_meanings"].Meaning("constant", "planted", True, " ")


def test_what_changes_no_number_is_no_mutant(mutants: Modules) -> None:
    found = judged(mutants, planted_claim(), of_claim(mutants, "renamed", lambda c: replace(c, says="renamed")))
    assert not found.kept and not found.survivors and found.mutants[0].unread
    assert "| planted | renamed |" in mutants["mutants_page"].page([found], [], 64)


def test_the_same_numbers_of_other_seeds_and_the_same_mean_are_excused(mutants: Modules) -> None:
    def others(claim: Claim) -> Claim:
        return replace(claim, measure=lambda of: effect(of.other) if of.other else float("nan"))

    def paired(claim: Claim) -> Claim:
        return replace(claim, measure=lambda of: (effect(of) + effect(of.other)) / 2 if of.other else float("nan"))

    claim = planted_claim(predicts=Average(above=0.0))
    mine = [of_claim(mutants, "others", others), of_claim(mutants, "paired", paired)]
    found = judged(mutants, claim, *mine, truth=1.0, control=-1.0, positive=1.0, law=normal)
    moved = mutants["mutants_judged"].Moved
    assert [mutant.moved for mutant in found.survivors] == [moved.PLACES, moved.MEAN]
    assert all(mutants["mutants_meanings"].is_equivalent(found, mutant) for mutant in found.survivors)


def test_half_the_seeds_are_excused_in_an_average(mutants: Modules) -> None:
    average = planted_claim(predicts=Average(above=0.0))
    both = [mutation(mutants, name) for name in ("noise", "noise in half")]
    found = judged(mutants, average, *both, truth=1.0, control=-1.0, positive=1.0, law=normal)
    (survivor,) = found.survivors
    assert survivor.mutation is both[1] and mutants["mutants_meanings"].is_equivalent(found, survivor)


def test_a_share_that_is_blind_in_half_of_the_seeds_does_not_survive(mutants: Modules) -> None:
    both = [mutation(mutants, name) for name in ("constant", "constant in half")]
    assert not judged(mutants, planted_claim(), *both).survivors


def test_an_average_that_is_blind_in_half_of_the_seeds_is_a_hole(mutants: Modules) -> None:
    meanings = mutants["mutants_meanings"]
    both = [mutation(mutants, name) for name in ("constant", "constant in half")]
    world: dict[str, Any] = {"truth": 1.0, "control": -1.0, "positive": 1.0, "law": normal}
    found = judged(mutants, planted_claim(predicts=Average(above=0.0)), *both, **world)
    (survivor,) = found.survivors
    assert survivor.mutation is both[1] and meanings.sentence(found, survivor) == meanings.BLIND_IN_HALF
    assert not meanings.is_equivalent(found, survivor)


def test_a_check_that_stops_no_longer_holds_and_a_mutation_that_stops_says_nothing(mutants: Modules) -> None:
    def stops(of: Trial) -> float:
        raise ValueError("planted")

    def breaks(of: Trial) -> Trial:
        raise ValueError("planted")

    broken = mutants["mutants_changes"].of_record(breaks)
    mine = [
        of_claim(mutants, "stops", lambda claim: replace(claim, measure=stops)),
        of_claim(mutants, "breaks", lambda claim: broken(claim, 1.0)),
    ]
    found = judged(mutants, planted_claim(), *mine)
    assert [mutant.broken for mutant in found.mutants] == [False, True]
    assert [mutant.mutation.name for mutant in found.kept] == ["stops"] and not found.survivors


def test_the_precondition_is_asked_of_the_mutated_record(mutants: Modules) -> None:
    def quiet(of: Trial) -> Trial:
        return replace(of, arms={name: replace(one, spikes=()) for name, one in of.arms.items()})

    change = mutants["mutants_changes"].of_record(quiet)
    (mutant,) = judged(mutants, planted_claim(), of_claim(mutants, "quiet", lambda claim: change(claim, 1.0))).mutants
    assert mutant.outcome is Outcome.UNTRIGGERED


def test_where_a_claim_does_not_hold_there_is_nothing_to_kill(mutants: Modules) -> None:
    found = judged(mutants, planted_claim(), mutation(mutants, "constant"), truth=0.05)
    assert not found.mutants and found.answer.outcome is Outcome.FAILS
    assert "- fails: planted\n" in mutants["mutants_page"].page([found], [], 64)


def test_every_mutation_concerns_a_claim_and_every_meaning_a_mutant(mutants: Modules) -> None:
    claims = discover().claims.values()
    kinds = mutants["mutants_kinds"]
    pairs = [(claim.id, m.name) for claim in claims for m in kinds.concerning(claim, kinds.MUTATIONS)]
    assert {name for _, name in pairs} == {m.name for m in kinds.MUTATIONS}
    for said in mutants["mutants_meanings"].MEANINGS:
        assert any(said.fits(*pair) for pair in pairs), said


def test_what_is_out_of_reach_is_tested_where_it_is_said_to_be(mutants: Modules) -> None:
    for beyond in mutants["mutants_meanings"].BEYOND:
        for test in beyond.tests:
            file, name = test.split("::")
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), test
