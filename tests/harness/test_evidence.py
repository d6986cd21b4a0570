"""From settings and seeds to evidence: which trainings make a trial. What is judged of it is in test_answer.py."""

from dataclasses import replace

from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Condition, Trial, unchanged
from spikecheck.harness.evidence import gather, judged
from spikecheck.harness.reach import strength
from spikecheck.harness.simulated_lab import REFERENCE, PlantedLab, planted_claim
from spikecheck.stats.prediction import Average, Prediction

SEEDS = (3, 5, 8)


def half(setting: Setting) -> Setting:
    """Half the learning rate."""
    return setting.but(lr=setting.lr / 2)


def seeds_in(trial: Trial) -> float:
    """Seeds from which the arms of one trial and the trial itself are."""
    return float(len({trial.seed, *(trial[arm].seed for arm in trial.arms)}))


def test_all_arms_of_a_trial_are_trained_from_its_own_seed() -> None:
    claim = replace(planted_claim(), arms={"run": unchanged, "twin": half}, measure=seeds_in)
    evidence = gather(claim, PlantedLab(lambda setting: 0.99), {REFERENCE: SEEDS})[REFERENCE]
    assert evidence.seeds == SEEDS
    assert evidence.scores == (1.0, 1.0, 1.0)


def test_every_arm_is_trained_in_its_own_setting() -> None:
    def rates(trial: Trial) -> float:
        return trial["run"].setting.lr / trial["twin"].setting.lr

    claim = replace(planted_claim(), arms={"run": unchanged, "twin": half}, measure=rates)
    evidence = gather(claim, PlantedLab(lambda setting: 0.99), {REFERENCE: SEEDS})[REFERENCE]
    assert evidence.scores == (2.0, 2.0, 2.0)


def test_a_condition_that_is_no_number_leaves_a_seed_out_only_where_it_decides() -> None:
    """Regression: it counted as not met, so that a claim failed on a condition that nobody could compute."""

    def where(known: bool) -> Condition:
        return Condition(measure=lambda trial: 1.0 if known else float("nan"), unit="v", predicts=Prediction(above=0.0))

    lab, seeds = PlantedLab(lambda setting: 0.5), range(40)
    plain = gather(planted_claim(), lab, {REFERENCE: seeds})[REFERENCE]
    met = gather(replace(planted_claim(), also=(where(True),)), lab, {REFERENCE: seeds})[REFERENCE]
    unknown = gather(replace(planted_claim(), also=(where(False),)), lab, {REFERENCE: seeds})[REFERENCE]
    assert met.held == plain.held
    assert 0 < sum(map(bool, plain.held)) < 40
    assert unknown.held == tuple(None if held else held for held in plain.held)
    assert unknown.numerical_failures == sum(map(bool, plain.held))


def test_an_effect_whose_square_is_infinite_is_a_numerical_failure() -> None:
    """Regression: its mean was infinite, which ended the verification of all claims with "input should be finite"."""
    claim = replace(planted_claim(), measure=lambda trial: 1e308 if trial.seed % 2 else 1.0)
    evidence = gather(claim, PlantedLab(lambda setting: 0.5), {REFERENCE: range(40)})[REFERENCE]
    assert (evidence.applicable, evidence.numerical_failures) == (20, 20)


def test_effects_so_small_that_their_spread_is_rounded_away_have_a_strength() -> None:
    """Regression: a division by zero."""
    claim = replace(planted_claim(), predicts=Average(above=0.0), measure=lambda trial: 5e-324 * (trial.seed % 3))
    evidence = gather(claim, PlantedLab(lambda setting: 0.5), {REFERENCE: range(40)})[REFERENCE]
    assert abs(strength(claim.predicts, judged(claim, evidence, 0.05))) == float("inf")


def test_the_other_of_a_trial_is_of_another_seed() -> None:
    """The next one to which the claim applies, around in a circle; there is none where it applies to one seed only."""

    def other(trial: Trial) -> float:
        return -1.0 if trial.other is None else float(trial.other.seed)

    claim = replace(planted_claim(), measure=other)
    laboratory = PlantedLab(lambda setting: 0.99)
    assert gather(claim, laboratory, {REFERENCE: SEEDS})[REFERENCE].scores == (5.0, 8.0, 3.0)
    assert gather(claim, laboratory, {REFERENCE: SEEDS[:1]})[REFERENCE].scores == (-1.0,)
    some = replace(claim, applies=lambda trial: trial.seed != 5)
    assert gather(some, laboratory, {REFERENCE: SEEDS})[REFERENCE].scores == (8.0, None, 3.0)
