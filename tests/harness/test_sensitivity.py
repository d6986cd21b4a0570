"""Variations of detectors and cut-offs, on planted worlds and on the shipped claims."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from spikecheck.core.intervention import Continue
from spikecheck.core.judgement import Outcome
from spikecheck.core.probe import Anatomy
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.harness import simulated_lab as planted
from spikecheck.harness.claim import Condition, Trial, Variant
from spikecheck.harness.discover import discover
from spikecheck.harness.domain import Map
from spikecheck.harness.evidence import gather
from spikecheck.harness.plan import Plan
from spikecheck.harness.sensitivity import redefined, robustness, variations
from spikecheck.harness.verify import verify
from spikecheck.stats.prediction import Prediction

SHIPPED = discover(()).claims


def never(trial: Trial) -> float:
    """An effect that no cut-off makes hold."""
    return -1.0


def test_what_holds_under_every_variation_and_what_does_not() -> None:
    claim = replace(planted.planted_claim(), cutoffs={"strict": never})
    found = {
        v.name: v.judgement.outcome for v in robustness(claim, planted.PlantedLab(lambda s: 1.0), Plan(settings=1))
    }
    assert found.pop("strict") is Outcome.FAILS
    assert len(found) == 6
    assert set(found.values()) == {Outcome.HOLDS}


def test_a_variant_may_change_what_applies_the_conditions_and_the_arms() -> None:
    def widened(setting: Setting) -> Setting:
        return setting.but(width=99)

    claim = replace(planted.planted_claim(), cutoffs={"none": Variant(applies=lambda trial: False)})
    lab = planted.PlantedLab(lambda setting: 1.0 if setting.width != 99 else 0.0)
    assert next(v for v in robustness(claim, lab, Plan(settings=1)) if v.name == "none").judgement.applicable == 0
    also = (Condition(measure=never, unit="never", predicts=Prediction(above=0.0)),)
    claim = replace(claim, cutoffs={"strict": Variant(also=also), "other arm": Variant(arms={"run": widened})})
    found = {v.name: v.judgement.outcome for v in robustness(claim, lab, Plan(settings=1))}
    assert (found["strict"], found["other arm"]) == (Outcome.FAILS, Outcome.FAILS)
    assert claim.under("strict").measure is claim.measure


def test_companions_are_reported_for_the_same_seeds_and_decide_nothing() -> None:
    claim = replace(planted.planted_claim(), companions={"never": never, "half": _half})
    plain, beside = (
        verify(c, planted.PlantedLab(lambda s: 1.0), Plan(settings=1)) for c in (planted.planted_claim(), claim)
    )
    assert beside.reference.model_copy(update={"companions": ()}) == plain.reference
    first, second = beside.reference.companions
    assert (first.effect.unit, first.effect.median, first.held, first.measured) == ("never", -1.0, 0, 32)
    assert second.measured == sum(seed % 2 == 0 for seed in beside.reference.seeds)  # where it is a number
    assert beside.control.companions == ()


def _half(trial: Trial) -> float:
    """A number in every other seed."""
    return 1.0 if trial.seed % 2 == 0 else float("nan")


def test_a_full_verification_draws_the_claims_own_maps() -> None:
    claim = replace(planted.planted_claim(), maps=(Map(x="lr", y="width"), Map(x="lr", y="depth", y_values=(1, 2))))
    lab = planted.PlantedLab(lambda s: 1.0)
    assert verify(claim, lab, Plan(settings=1)).scopes == ()
    scopes = verify(claim, lab, Plan(settings=1, maps=True)).scopes
    assert [(scope.x.name, scope.y.name, len(scope.cells)) for scope in scopes] == [
        ("lr", "width", 9),
        ("lr", "depth", 6),
    ]
    assert all(cell.outcome is Outcome.HOLDS for scope in scopes for cell in scope.cells)


def test_the_specification_reads_through_partial_functions_and_never_an_address() -> None:
    def at(offset: float) -> str:
        return replace(planted.planted_claim(), measure=partial(_shifted, by=offset)).specification

    assert at(1.0) == at(1.0) != at(2.0)
    assert (
        replace(planted.planted_claim(), measure=partial(_shifted, by=1.0)).explain().measure
        == "A planted effect, moved"
    )


def _shifted(trial: Trial, by: float) -> float:
    """A planted effect, moved."""
    return float(trial["run"].loss[1]) + by


def test_numbers_are_halved_and_doubled() -> None:
    varied = variations(planted.planted_claim())
    numbers = {(c.definition.factor, c.definition.settle, c.definition.lead) for c in varied.values()}
    assert numbers == {(1.5, 20, 80), (6, 20, 80), (3, 10, 80), (3, 40, 80), (3, 20, 40), (3, 20, 160)}


def test_a_claim_that_looks_for_no_spikes_varies_only_its_own_cutoffs() -> None:
    claim = replace(planted.planted_claim(), detects_spikes=False, cutoffs={"strict": never})
    assert list(variations(claim)) == ["strict"]


def test_the_definition_changes_in_the_probe_and_the_forks_too() -> None:
    claim = replace(
        planted.planted_claim(),
        probe=Anatomy(),
        arms={"run": lambda setting: setting.but(intervention=Continue(horizon=5)), "plain": lambda setting: setting},
    )
    other = redefined(claim, {"factor": 5.0})
    intervention = other.arms["run"](Setting()).intervention
    assert intervention is not None
    assert isinstance(other.probe, Anatomy)
    assert (intervention.definition.factor, other.probe.definition.factor, other.definition.factor) == (5.0, 5.0, 5.0)
    assert other.arms["plain"](Setting()) == Setting()


def test_only_the_full_profile_pays_for_variations() -> None:
    lab = planted.PlantedLab(lambda s: 1.0)
    assert verify(planted.planted_claim(), lab, Plan(settings=1)).robustness == ()
    assert len(verify(planted.planted_claim(), lab, Plan(settings=1, variations=True)).robustness) == 6


@pytest.mark.parametrize("until", [False, True])
def test_a_divergence_behind_the_effect_counts_only_where_the_claim_says_so(until: bool) -> None:
    class Diverging:
        def each(self, blocks: Sequence[Sequence[Recipe]]) -> list[Mapping[Recipe, Run]]:
            return [self.runs(block) for block in blocks]

        def runs(self, recipes: Sequence[Recipe]) -> Mapping[Recipe, Run]:
            found = planted.PlantedLab(lambda s: 1.0).runs(recipes)
            return {recipe: replace(run, ended=Ended("diverged", 2)) for recipe, run in found.items()}

    claim = replace(planted.planted_claim(), until_divergence=until)
    reference = claim.domain.reference
    found = gather(claim, Diverging(), {reference: range(10)})[reference]
    assert (found.applicable, found.numerical_failures) == ((10, 0) if until else (0, 10))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_claim_can_be_explained_and_varied(name: str) -> None:
    claim = SHIPPED[name]
    said = claim.explain()
    assert said.measure and said.control and said.rule
    assert not said.measure.startswith("<")
    names = list(variations(claim))
    assert len(names) == len(set(names)) == len(claim.cutoffs) + 6 * claim.detects_spikes


def test_readme_lists_every_claim_that_is_shipped() -> None:
    listed = Path(__file__).parents[2] / "README.md"
    assert len(SHIPPED) == 31
    assert [name for name in SHIPPED if f"`{name}`" not in listed.read_text(encoding="utf-8")] == []
