"""A spike's portrait, of a run that has one."""

from contextlib import suppress

import numpy as np
import pytest

from spikecheck.core.errors import UsageError
from spikecheck.core.portrait import Portrait
from spikecheck.core.recipe import Recipe
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.paper_settings import MNIST1D, SETTING_A
from spikecheck.harness.spike_portrait import SEEDS, _fit, portray, spiking_seed
from spikecheck.lab.laboratory import Laboratory
from spikecheck.measures import alignment

SHORT = SETTING_A.but(steps=600)
DEFINITION = SpikeDefinition()


@pytest.fixture(scope="module")
def lab() -> Laboratory:
    return Laboratory()


@pytest.fixture(scope="module")
def portrait(lab: Laboratory) -> Portrait:
    return portray(lab, SHORT, spiking_seed(lab, SHORT, DEFINITION, None), DEFINITION)


def test_it_shows_the_spike_that_the_run_has(portrait: Portrait) -> None:
    spike = portrait.spike
    assert spike.recovery is not None
    assert portrait.steps[0] < spike.onset < spike.peak < spike.recovery < portrait.steps[-1]
    assert portrait.loss[portrait.at(spike.peak)] == pytest.approx(portrait.loss.max(), rel=0.5)
    assert portrait.loss[portrait.at(spike.peak)] > DEFINITION.factor * portrait.loss[portrait.at(spike.trough)]
    assert portrait.swing.max() == 1.0
    assert portrait.swing.argmax() == 0  # plain gradient descent leaves the valley along its first eigendirection


def test_growth_is_what_the_sharpness_says(portrait: Portrait) -> None:
    rise = slice(portrait.at(portrait.spike.onset - 20), portrait.at(portrait.spike.onset))
    predicted = np.abs(1 - SHORT.lr * portrait.sharpness[rise, 0])
    np.testing.assert_allclose(portrait.growth[rise], predicted, rtol=0.05)


def test_both_cosine_matrices_are_ordered_alike(portrait: Portrait) -> None:
    for cosines, mean in zip(portrait.cosines, portrait.alignment, strict=True):
        np.testing.assert_allclose(np.diag(cosines), 1.0)
        np.testing.assert_allclose(cosines, cosines.T)
        apart = ~np.eye(len(cosines), dtype=bool)
        assert cosines[apart].mean() == pytest.approx(mean)


def test_twins_part_before_the_spike_and_one_is_calm(portrait: Portrait) -> None:
    spiking, calm = portrait.twins
    assert spiking.steps[0] == calm.steps[0] == portrait.spike.onset - DEFINITION.lead
    assert spiking.loss[0] == calm.loss[0]
    assert spiking.loss.max() > 2 * calm.loss.max()


def test_a_seed_that_does_not_spike_is_told_so(lab: Laboratory) -> None:
    calm = SHORT.but(lr=0.01)
    with pytest.raises(UsageError, match=f"none of {SEEDS} seeds has .*: {SEEDS} did not spike; try .* --at lr=0.015"):
        spiking_seed(lab, calm, DEFINITION, None)
    found = {seed for seed in range(SEEDS) if _spikes(lab, seed)}
    quiet = next(seed for seed in range(SEEDS) if seed not in found)
    with pytest.raises(UsageError, match=f"--seed {quiet}: its run .*; leave --seed out"):
        spiking_seed(lab, SHORT, DEFINITION, quiet)


def test_of_a_seed_that_is_given_no_other_is_trained() -> None:
    """Regression: 32 seeds were, for one picture."""
    fresh = Laboratory()
    with suppress(UsageError):
        spiking_seed(fresh, SHORT, DEFINITION, 7)
    assert fresh.runs_trained == 1


def _spikes(lab: Laboratory, seed: int) -> bool:
    try:
        return spiking_seed(lab, SHORT, DEFINITION, seed) == seed
    except UsageError:
        return False


def test_after_is_when_the_loss_has_stayed_low_for_as_long_as_the_definition_says(portrait: Portrait) -> None:
    """Regression: it was the recovery, the first low step, where the fit is still that of the spike."""
    spike = portrait.spike
    assert spike.recovery is not None
    low = portrait.loss[portrait.at(spike.recovery) : portrait.at(portrait.after) + 1]
    assert len(low) == DEFINITION.settle
    trough = portrait.loss[portrait.at(spike.trough)]
    assert low.max() <= DEFINITION.factor * trough
    assert portrait.steps[portrait.at(portrait.after)] == portrait.after
    assert portrait.loss[portrait.at(portrait.after)] < portrait.loss[portrait.at(spike.recovery)]


def test_weights_before_and_after_are_those_of_a_training_that_ends_there(lab: Laboratory, portrait: Portrait) -> None:
    for step, mean in zip((portrait.before, portrait.after), portrait.alignment, strict=True):
        recipe = Recipe(setting=SHORT.but(steps=step), seed=portrait.seed)
        weights = lab.runs([recipe])[recipe].snapshots["end"].input_weights
        assert mean == pytest.approx(alignment(weights), rel=1e-6)


def test_a_definition_that_needs_a_longer_window_gets_it(lab: Laboratory) -> None:
    slow = SpikeDefinition(settle=70, lead=160)
    found = portray(lab, SHORT, spiking_seed(lab, SHORT, slow, None), slow)
    assert found.steps[0] <= found.before < found.spike.onset
    assert found.spike.recovery is not None
    assert found.steps[found.at(found.after)] == found.after == found.spike.recovery + 69


def test_only_a_function_of_one_number_has_a_curve(portrait: Portrait) -> None:
    assert portrait.fit is not None
    assert portrait.fit.outputs.shape == (len(portrait.steps), len(portrait.fit.x))
    assert _fit(MNIST1D, np.zeros((3, 1_000, 10))) is None
