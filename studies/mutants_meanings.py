"""What each surviving mutant means, as judged by a person, and which mistakes no mutant of a record can show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from spikecheck import Outcome
from studies.mutants_judged import Judged, Moved, Mutant


@dataclass(frozen=True)
class Meaning:
    """Why a mutation of a claim survives: what is claimed is still true, or the check has a hole."""

    mutation: str
    """The mutation's name; * stands for anything."""
    claim: str
    """The claim's id; * stands for anything."""
    equivalent: bool
    """Whether the mutated claim is still true."""
    says: str

    def __post_init__(self) -> None:
        if not self.says.strip():
            raise ValueError(f"{self.claim}, {self.mutation}: give a reason")

    def fits(self, claim: str, mutation: str) -> bool:
        """Whether this meaning applies to the mutant."""
        return fnmatchcase(claim, self.claim) and fnmatchcase(mutation, self.mutation)


@dataclass(frozen=True)
class Beyond:
    """A mistake that no mutation of a record can make, and the tests that would find it."""

    says: str
    tests: tuple[str, ...]
    """The tests' names in pytest."""


UNKNOWN = "not yet explained: until then it counts as a hole."
AVERAGED = "an average over all seeds still holds if half of them are mutated; if all of them are, it is noticed."
BLIND_IN_HALF = (
    "in all seeds only the negative control notices it. The claim must exceed it by little, a share by a fifth of the seeds "
    "and an average by anything above 0, so a check that is blind in half of the seeds passes."
)
AS_IN_ALL = "for the same reason as the same mutation in all seeds."
_BY_NUMBERS = {
    Moved.PLACES: "the effect reads only what was exchanged, so all numbers are the same and only belong to other seeds.",
    Moved.MEAN: "the mean effect is the same number: an average does not depend on which run is paired with which twin.",
    Moved.FEWER: "the effect is unchanged in every seed that is left: only the precondition reads what was mutated.",
}

_ALONE = (
    "the negative control fails by its further condition alone, so nothing tests whether {}; a control that meets the further "
    "condition, but not the effect, would."
)
_NULL = (
    "another seed's exchange closes as little of the gap as the trial's own, so that a claim of no effect cannot show which "
    "run was exchanged."
)
_SIZES = (
    "most of the alignment comes from one coordinate that is larger than the other, and remains if coordinates are shuffled "
    "among neurons. How much alignment exceeds that of shuffled coordinates would measure the neurons."
)
_ANYWHERE = (
    "the curvature exceeds its threshold within the thousand steps before any step, wherever the peak is. The steps "
    "before a peak would have to have a higher curvature than other steps of the same run."
)
_NO_TIME = "a mean over time does not depend on the order; a shuffle only changes which steps are left out as settling."

MEANINGS: tuple[Meaning, ...] = (
    Meaning("constant", "adam-decoupling", False, _ALONE.format("there is a spike")),
    Meaning("losses *", "adam-decoupling", False, _ANYWHERE),
    Meaning("time shuffled", "adam-decoupling", False, _ANYWHERE),
    Meaning(
        "time *",
        "adam-threshold",
        True,
        "the claim does not say in which part of the run the sharpness hovers, and over all of it it is at its threshold too.",
    ),
    Meaning(
        "stranger's sharpness",
        "catapult",
        True,
        "both effects occur in nearly all seeds, so in most they occur together even if they come from different seeds.",
    ),
    Meaning("coordinates shuffled", "condensation-dose", False, _SIZES),
    Meaning(
        "threshold / 1.1",
        "gradient-curvature-onset",
        True,
        "before the loss rises the curvature along the gradient passes both thresholds within a step or so, so the lower "
        "one agrees with the rises as well.",
    ),
    Meaning(
        "coordinates shuffled",
        "initial-condensation",
        True,
        "the weights condense along a coordinate axis, since biases are small, and stay on it when coordinates are permuted.",
    ),
    Meaning(
        "stranger's twin",
        "initial-condensation",
        True,
        "the other seed's run has the same size of initialisation, and the trend is one over sizes.",
    ),
    Meaning(
        "stranger's twin",
        "real-data-low-frequency",
        True,
        "an average difference does not depend on how runs are paired, and the precondition leaves out some pairs.",
    ),
    Meaning("time *", "self-stabilisation", True, _NO_TIME),
    Meaning(
        "time shuffled",
        "sharpness-condensation-trend",
        True,
        "the values of one step stay together, and where steps have no order there is no common trend to partial out.",
    ),
    Meaning("coordinates shuffled", "sharpness-condensation-trend", False, _SIZES),
    Meaning(
        "stranger's *",
        "sharpness-not-generalisation",
        False,
        "the claim is that the sharpness carries little information, and that of another seed's net with the same size of "
        "initialisation carries as little. A further condition would have to need the net's own sharpness.",
    ),
    Meaning(
        "stranger's sharpness*",
        "stabilisation",
        False,
        "most spikes end about equally many steps after their onset, so another seed's sharpness mostly falls within five "
        "steps of the peak too. Another seed's sharpness as a further negative control would show what is the run's own.",
    ),
    Meaning(
        "threshold / 1.1",
        "stability-law",
        False,
        "a multiplier must exceed 1 where the loss has risen already, and one that is too large does so all the more. The "
        "claim would also have to require a multiplier below 1 before the ascent.",
    ),
    Meaning("stranger's twin", "top-direction-not-responsible", False, _NULL),
)

BEYOND = (
    Beyond(
        "The eigenvalue of the largest magnitude in place of the algebraically largest",
        (
            "tests/second/test_sharpness.py::test_what_is_recorded_is_the_largest_eigenvalue_and_not_that_of_largest_size",
            "tests/curvature/test_eigenpairs.py::test_iterated_from_nothing_finds_the_algebraically_largest",
        ),
    ),
    Beyond(
        "A Hessian that is not the loss's, or of a mini-batch, and eigenpairs that lose their place where two cross",
        (
            "tests/second/test_sharpness.py::test_an_anatomy_has_the_sharpness_of_its_landmarks",
            "tests/second/test_sharpness.py::test_a_followed_sharpness_sees_the_first_two_eigenvalues_cross",
            "tests/curvature/test_hessian.py::test_of_a_net_against_torch_member_by_member",
        ),
    ),
    Beyond(
        "A wrong gradient, update rule or initialisation",
        (
            "tests/second/test_trajectories.py::test_gradient_descent_takes_the_same_steps",
            "tests/second/test_trajectories.py::test_every_activation_and_rule_takes_the_same_steps",
            "tests/second/test_trajectories.py::test_first_weights_are_normal_with_the_settings_deviations",
            "tests/optimizers/test_rules.py::test_two_hundred_updates_equal_torch_optim",
        ),
    ),
    Beyond(
        "A fork that does not start from its parent's exact state, or loses the state of the update rule",
        (
            "tests/second/test_forks.py::test_a_fork_that_is_left_alone_goes_on",
            "tests/second/test_forks.py::test_a_fork_takes_along_what_the_rule_remembers",
        ),
    ),
    Beyond(
        "A twin held below its ceiling, as Hold once did, or one that oscillates",
        (
            "tests/second/test_held.py::test_a_held_twin_goes_the_constrained_trajectory",
            "tests/second/test_held.py::test_the_mean_sharpness_is_the_ceiling",
            "tests/training/test_constrained.py::test_the_mean_sharpness_is_the_ceiling_however_seldom_it_is_looked_at",
        ),
    ),
    Beyond(
        "An injection along another direction, or to another loss, than given",
        ("tests/second/test_forks.py::test_an_injection_is_along_its_direction_and_as_high_as_asked",),
    ),
    Beyond(
        "A swing that does not measure the displacement: a difference of a wrong order, or along a direction that rotated",
        (
            "tests/second/test_growth.py::test_swings_grow_as_a_displacement_does",
            "tests/second/test_growth.py::test_above_the_threshold_a_displacement_grows_at_the_rate_of_the_sharpness",
        ),
    ),
    Beyond(
        "A sharpening or a steepness that is not taken at the bottom of the valley",
        (
            "tests/training/test_balance.py::test_beside_it_the_formulas_hold_at_the_bottom",
            "tests/training/test_balance.py::test_on_a_small_net_it_is_what_dense_derivatives_say",
        ),
    ),
    Beyond(
        "A linearised update that leaves out the optimizer's state",
        (
            "tests/curvature/test_linearised_update.py::test_known_thresholds_are_found",
            "tests/curvature/test_linearised_update.py::test_products_are_the_dense_jacobians",
        ),
    ),
    Beyond(
        "Alignment or directions counted wrongly",
        (
            "tests/second/test_alignment.py::test_alignment_is_the_mean_over_pairs",
            "tests/second/test_alignment.py::test_the_effective_ratio_counts_directions",
        ),
    ),
)


def meaning(one: Judged, mutant: Mutant) -> Meaning | None:
    """Why a mutant survives: as judged by a person, else as its numbers and the outcomes of other mutants show."""
    claim, name = one.claim.id, mutant.mutation.name
    said = next((said for said in MEANINGS if said.fits(claim, name)), None)
    if said is not None:
        return said
    by_numbers = _BY_NUMBERS.get(mutant.moved)
    return Meaning(name, claim, True, by_numbers) if by_numbers else _of_half(one, mutant)


def _of_half(one: Judged, mutant: Mutant) -> Meaning | None:
    """For a mutation in every second seed: what the same mutation in all seeds shows about it."""
    claim, name = one.claim.id, mutant.mutation.name
    whole = next((other for other in one.mutants if other.mutation.name == mutant.mutation.whole), None)
    if whole is None:
        return None
    if whole.survives:
        said = meaning(one, whole)
        return None if said is None else Meaning(name, claim, said.equivalent, AS_IN_ALL)
    if whole.alone is Outcome.HOLDS:
        return Meaning(name, claim, False, BLIND_IN_HALF)
    return Meaning(name, claim, True, AVERAGED) if one.claim.averages else None


def is_equivalent(one: Judged, mutant: Mutant) -> bool:
    """Whether a survivor's claim is still true."""
    said = meaning(one, mutant)
    return said is not None and said.equivalent


def sentence(one: Judged, mutant: Mutant) -> str:
    """The sentence that says why a mutant survives."""
    said = meaning(one, mutant)
    return UNKNOWN if said is None else said.says


def needless(judged: Sequence[Judged]) -> Iterator[Meaning]:
    """Meanings that are no longer needed: their mutants were judged, and none of them survives."""
    for said in MEANINGS:
        about = [m for j in judged for m in j.mutants if said.fits(j.claim.id, m.mutation.name)]
        if about and not any(mutant.survives for mutant in about):
            yield said
