"""Mistakes in the package's own code that would change what is found, each with the tests that must notice it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CodeMutant:
    """One mistake, made by exchanging a text that stands once in one file."""

    wrong: str
    """What is wrong, in words."""
    file: str
    """Relative to the package."""
    right_text: str
    wrong_text: str
    tests: tuple[str, ...]
    """Node ids, each of which must fail."""


_SEEDS = "tests/harness/test_plan.py::test_search_and_fresh_seeds_share_nothing_and_longer_blocks_extend_shorter_ones"
_LARGEST_SIZE = """    order = values.abs().argsort(1)
    values, coordinates = values.gather(1, order), coordinates.gather(2, order[:, None].expand_as(coordinates))
    last = slice(-(keep + -keep % _ROWS), None)
"""

MUTANTS = (
    CodeMutant(
        "the threshold of gradient descent is a tenth too high: η·λ = 2.2",
        "optimizers/thresholds.py",
        "return 2 / lr - weight_decay",
        "return 2.2 / lr - weight_decay",
        ("tests/curvature/test_linearised_update.py::test_known_thresholds_are_found",),
    ),
    CodeMutant(
        "an overshoot is a tenth too small, so that it reaches 1 at η·λ = 2.2",
        "watch/examiner.py",
        '"overshoot": 1.0 - change / slope',
        '"overshoot": (1.0 - change / slope) / 1.1',
        ("tests/watch/test_examiner.py::test_along_an_eigendirection_it_is_rate_times_eigenvalue_over_two",),
    ),
    CodeMutant(
        "the eigenvalue of the largest magnitude in place of the algebraically largest",
        "curvature/rayleigh_ritz.py",
        "    last = slice(-(keep + -keep % _ROWS), None)\n",
        _LARGEST_SIZE,
        (
            "tests/second/test_sharpness.py::test_what_is_recorded_is_the_largest_eigenvalue_and_not_that_of_largest_size",
            "tests/curvature/test_eigenpairs.py::test_iterated_from_nothing_finds_the_algebraically_largest",
        ),
    ),
    CodeMutant(
        "v_2 in place of v_1, where a fork moves along the top eigendirections",
        "training/dissection.py",
        "    return top(curvature(objective, ensemble.params), pairs).vectors\n",
        "    return top(curvature(objective, ensemble.params), pairs + 1).vectors[:, 1:]\n",
        (
            "tests/second/test_forks.py::test_a_frozen_fork_moves_along_the_first_direction_only",
            "tests/second/test_forks.py::test_an_injection_is_along_its_direction_and_as_high_as_asked",
        ),
    ),
    CodeMutant(
        "random directions in place of the eigendirections, in the record of how outputs change along them",
        "training/dissection.py",
        "moved(top_pairs.vectors[:, rank]) for rank",
        "moved(torch.nn.functional.normalize(torch.randn_like(params), dim=1)) for rank",
        ("tests/second/test_sharpness.py::test_directions_are_the_eigenvectors_and_what_they_do",),
    ),
    CodeMutant(
        "alignment over rows in place of columns: coordinates stand for neurons",
        "measures/condensation.py",
        "    alike = np.abs(cosines(input_weights))\n    weights = np.ones",
        "    alike = np.abs(cosines(input_weights.T))\n    weights = np.ones",
        (
            "tests/second/test_alignment.py::test_alignment_is_the_mean_over_pairs",
            "tests/measures/test_condensation.py::test_alignment_is_the_mean_over_pairs",
        ),
    ),
    CodeMutant(
        "a fork leaves a parent of another seed",
        "core/recipe.py",
        "else _unforked(self.setting), seed=self.seed)",
        "else _unforked(self.setting), seed=self.seed + 1)",
        ("tests/second/test_forks.py::test_twins_part_where_a_training_of_its_own_has_come_to",),
    ),
    CodeMutant(
        "a trial's twins are of another seed than its training",
        "harness/evidence.py",
        "Recipe(setting=arm, seed=seed, probe=claim.probe)",
        "Recipe(setting=arm, seed=seed + 1, probe=claim.probe)",
        ("tests/harness/test_evidence.py::test_all_arms_of_a_trial_are_trained_from_its_own_seed",),
    ),
    CodeMutant(
        "the low band in place of the high one, and the other way round, by the Gaussian filter",
        "measures/frequency.py",
        "    low: Array = _filter(x, delta) @ y\n",
        "    low: Array = y - _filter(x, delta) @ y\n",
        ("tests/measures/test_frequency.py::test_the_filter_is_the_double_sum",),
    ),
    CodeMutant(
        "the same by cosine modes",
        "measures/frequency.py",
        "shares[np.arange(len(shares)) < mode]",
        "shares[np.arange(len(shares)) >= mode]",
        ("tests/measures/test_frequency.py::test_a_sine_has_the_half_waves_that_fit_into_its_interval",),
    ),
    CodeMutant(
        "outputs on training points in place of those on held-out ones",
        "training/dissection.py",
        "        outputs=objective.test_outputs(params),\n",
        "        outputs=objective.outputs(params, objective.train.x).detach(),\n",
        ("tests/second/test_sharpness.py::test_directions_are_the_eigenvectors_and_what_they_do",),
    ),
    CodeMutant(
        "checkpoints of ensembles in float32",
        "lab/run_records.py",
        "params=np.stack([state.params[member].cpu().numpy() for state in states])",
        "params=np.stack([state.params[member].float().double().cpu().numpy() for state in states])",
        ("tests/lab/probes/test_anatomy.py::test_the_autopsy_retraces_the_run_exactly_and_forks_continue_it",),
    ),
    CodeMutant(
        "what is stored of a checkpoint is in float32",
        "lab/run_codec.py",
        '"checkpoint/params": checkpoints.params}',
        '"checkpoint/params": checkpoints.params.astype(np.float32)}',
        ("tests/lab/test_run_codec.py::test_any_run_comes_back_bit_for_bit",),
    ),
    CodeMutant(
        "losses in the checkpoint of a training of one's own in float32",
        "watch/runs.py",
        "torch.tensor(numbers, dtype=torch.float64) for name, numbers",
        "torch.tensor(numbers, dtype=torch.float32) for name, numbers",
        ("tests/watch/test_runs.py::test_a_training_in_float64_goes_on_with_all_its_digits",),
    ),
    CodeMutant(
        "the loss of a step beside the sharpness of the next",
        "training/with_sharpness.py",
        "        values[step], residuals[step] = pair.value, pair.relative\n",
        "        values[max(step - 1, 0)], residuals[step] = pair.value, pair.relative\n",
        ("tests/training/test_with_sharpness.py::test_the_error_is_as_promised_along_trajectories_that_spike",),
    ),
    CodeMutant(
        "the same in the record around a spike",
        "training/dissection.py",
        "        sharpness[step], residual[step] = tracked.values[:, :pairs]",
        "        sharpness[max(step - 1, 0)], residual[step] = tracked.values[:, :pairs]",
        ("tests/second/test_sharpness.py::test_an_anatomy_has_the_sharpness_of_its_landmarks",),
    ),
    CodeMutant(
        "a control measures the treatment",
        "harness/claim.py",
        "            measure=control.measure or self.measure,\n",
        "            measure=self.measure,\n",
        ("tests/harness/test_verify.py::test_a_true_claim_holds_and_generalises",),
    ),
    CodeMutant(
        "a control trains the treatment's arms",
        "harness/claim.py",
        "            arms=control.arms or self.arms,\n",
        "            arms=self.arms,\n",
        ("tests/harness/test_claim.py::test_a_control_has_its_own_measure_arms_and_plant_and_the_claims_rule",),
    ),
    CodeMutant(
        "what is planted for a control is planted for the claim as well",
        "harness/claim.py",
        "            plant=control.plant,\n",
        "            plant=control.plant or self.plant,\n",
        ("tests/harness/test_claim.py::test_a_control_has_its_own_measure_arms_and_plant_and_the_claims_rule",),
    ),
    CodeMutant(
        "the answer is judged on seeds of the search",
        "harness/plan.py",
        'return _seeds(root, "fresh", setting, count)',
        'return _seeds(root, "search", setting, count)',
        (_SEEDS,),
    ),
    CodeMutant(
        "the domain's random sample is judged on seeds of the search",
        "harness/plan.py",
        'return _seeds(root, "reach", setting, count)',
        'return _seeds(root, "search", setting, count)',
        (_SEEDS,),
    ),
)
