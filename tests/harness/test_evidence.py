"""From settings and seeds to evidence: which trainings make a trial. What is judged of it is in test_answer.py."""

from dataclasses import replace

from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Trial, unchanged
from spikecheck.harness.evidence import gather
from spikecheck.harness.simulated_lab import REFERENCE, PlantedLab, planted_claim

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
