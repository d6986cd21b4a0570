"""A claim whose own functions raise, or that cannot be decided, fails by itself and says where."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from spikecheck.core.errors import ClaimError, DataError, SettingError
from spikecheck.core.events import ignore
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim, Control, Trial
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.harness.evidence import gather
from spikecheck.harness.plan import Plan
from spikecheck.harness.simulated_lab import REFERENCE, PlantedLab, planted_claim
from spikecheck.harness.verify import verify
from spikecheck.session.verify import verify_each
from spikecheck.stats.prediction import Prediction

ANOTHER = itertools.count()
PLAN = Plan(settings=1, descents=0)


def misspelt(trial: Trial) -> float:
    """Reads an arm that there is not."""
    return float(trial["rum"].loss[1])


def out_of_range(setting: Setting) -> Setting:
    """A rate that there cannot be."""
    return setting.but(lr=-1.0)


def leaves(trial: Trial) -> float:
    """Ends the process."""
    raise SystemExit(0)


class Lab(PlantedLab):
    def anticipate(self, rounds: object, seconds: float = 0.0) -> None: ...

    def forget(self) -> None: ...

    def is_stored(self, recipe: object) -> bool:
        return False


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"measure": leaves}, r"its measure raised SystemExit: 0 \(.*test_user_functions.py"),
        ({"measure": lambda trial: None}, "its measure returned None; return one number"),
        ({"measure": lambda trial: "large"}, "its measure returned 'large'; return one number"),
        ({"measure": lambda trial: np.ones(2)}, "its measure returned array.*; return one number"),
        ({"measure": lambda trial: "1.5"}, "its measure returned '1.5'; return one number"),
        ({"applies": lambda trial: None}, "its precondition returned None; return True or False"),
        ({"applies": lambda trial: np.nan}, "its precondition returned nan; return True or False"),
        ({"measure": lambda trial: next(ANOTHER)}, "its measure gave 0 and then 1 for the same trial; draw random numbers"),
        ({"applies": lambda trial: np.ones(2)}, "its precondition returned array.*; return True or False"),
        ({"companions": {"further": lambda trial: [1.0]}}, r"its companion 'further' returned \[1.0\]; return one"),
        ({"arms": {"run": lambda setting: None}}, "its arm 'run' returned None; return a Setting"),
        ({"plant": lambda trial: None}, "its plant returned None; return a Trial"),
        ({"measure": misspelt}, r"its measure raised UnknownName: no arm is called 'rum'; did you mean: run \(.*test_user_f"),
        ({"applies": misspelt}, "its precondition raised UnknownName"),
        ({"companions": {"further": misspelt}}, "its companion 'further' raised"),
        ({"arms": {"run": out_of_range}}, "its arm 'run' raised SettingError"),
        ({"control": Control(says="nothing", measure=misspelt)}, "its measure raised UnknownName"),
        ({"positive": Control(says="nothing", measure=misspelt)}, "its measure raised UnknownName"),
        ({"predicts": Prediction(above=0.0, of_seeds=0.97)}, "its rule, planted .* needs 99 seeds, and 32 are trained"),
    ],
)  # fmt: skip
def test_whatever_a_claim_raises_names_claim_part_and_line(changes: dict[str, object], said: str) -> None:
    claim = replace(planted_claim(), **changes)  # type: ignore[arg-type]
    with pytest.raises(ClaimError, match=f"claim 'planted': {said}"):
        verify(claim, PlantedLab(lambda setting: 0.9), PLAN)


def test_the_other_claims_are_judged_all_the_same() -> None:
    """Regression: the first error ended the whole verification, and what had been judged was lost."""

    broken = replace(planted_claim(), id="broken", source="broken.py", measure=misspelt)
    claims = [planted_claim(), broken, replace(planted_claim(), id="last")]
    verdicts, failed, stopped = verify_each(claims, Lab(lambda setting: 0.9), PLAN, ignore)  # type: ignore[arg-type]
    assert [verdict.id for verdict in verdicts] == ["planted", "last"]
    assert list(failed) == ["broken.py"]
    assert stopped is None


@pytest.mark.parametrize("changes", [{"kind": "theory"}, {"rules": "some"}])
def test_a_word_that_does_not_exist_is_refused_when_the_claim_is_made(changes: dict[str, str]) -> None:
    """Regression: a wrong kind was noticed when everything had been trained."""
    with pytest.raises(SettingError, match="give one of"):
        replace(planted_claim(), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("until_divergence", [False, True])
def test_a_diverged_fork_that_cannot_be_looked_at_is_a_numerical_failure(until_divergence: bool) -> None:
    """Regression: it had no record, and was counted neither as applicable nor as failed."""
    from spikecheck.core.intervention import LowerRate
    from spikecheck.core.probe import Directions

    class Lab(PlantedLab):
        def is_stored(self, recipe: object) -> bool:
            return False

        def runs(self, recipes: object) -> dict[Recipe, Run]:
            loss = np.ones(3)
            lost = Ended("diverged", 1)
            return {
                recipe: Run(recipe.setting, recipe.seed, 0, loss, Ended("completed", 2) if whole else lost)
                for recipe in recipes  # type: ignore[attr-defined]
                if (whole := recipe.setting.intervention is None) or recipe.probe is None
            }

    def lower(setting: Setting) -> Setting:
        return setting.but(intervention=LowerRate(factor=0.5, horizon=5))

    claim: Claim = replace(
        planted_claim(),
        arms={"run": lower},
        probe=Directions(at="end"),
        applies=lambda trial: True,
        until_divergence=until_divergence,
    )
    found = gather(claim, Lab(lambda setting: 0.9), {REFERENCE: (1, 2, 3)})[REFERENCE]
    assert (found.numerical_failures, found.applicable) == (3, 0)


def test_ladders_that_meet_in_an_impossible_setting_fail_their_claim_only() -> None:
    """Regression: the error ended the verification of the other claims as well."""
    reference = REFERENCE.but(optimizer="heavy-ball", momentum=0.9)
    axes = {"optimizer": Ladder("heavy-ball", "gd"), "momentum": Ladder(0.9, 0.5)}  # of which gd has none
    with pytest.raises(ClaimError, match="its domain contains a setting that cannot be trained: momentum=0."):
        verify(
            replace(planted_claim(), domain=Domain(reference, **axes)),
            PlantedLab(lambda setting: 0.99),
            Plan(settings=8),
        )


def test_what_a_claim_prints_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Regression: it stood before the report of `--json -`, which was then no JSON."""

    def loud(trial: Trial) -> float:
        print("measuring")  # noqa: T201
        return 1.0

    gather(replace(planted_claim(), measure=loud), PlantedLab(lambda setting: 0.5), {REFERENCE: range(3)})
    printed = capsys.readouterr()
    assert (printed.out, set(printed.err.split())) == ("", {"measuring"})


class LabWithoutWide(Lab):
    """Refuses the widest networks, as a laboratory does whose settings name a problem that is not there."""

    def each(self, blocks: Sequence[Sequence[Recipe]]) -> list[Mapping[Recipe, Run]]:
        if any(recipe.setting.width > 100 for block in blocks for recipe in block):
            raise DataError("problem='nowhere:make': no module 'nowhere'; install it")
        return super().each(blocks)


def test_a_problem_that_is_not_there_fails_its_claim_only() -> None:
    """Regression: the command ended, and the verdicts that it had reached were lost."""
    lab = LabWithoutWide(lambda setting: 0.95)
    absent = replace(planted_claim(), id="absent", source="absent.py", domain=Domain(REFERENCE.but(width=101)))
    verdicts, failed, _ = verify_each([planted_claim(), absent], lab, PLAN, ignore)  # type: ignore[arg-type]
    assert [verdict.id for verdict in verdicts] == ["planted"]
    assert failed == {"absent.py": "claim 'absent': problem='nowhere:make': no module 'nowhere'; install it"}
    with pytest.raises(DataError, match="nowhere"):
        verify_each([absent], lab, PLAN, ignore)  # type: ignore[arg-type]
