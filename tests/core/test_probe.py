"""What a probe can be measured on, and the state that it needs: written out for every kind."""

import pytest

from spikecheck.core.errors import SettingError
from spikecheck.core.intervention import Continue
from spikecheck.core.probe import (
    Anatomy,
    Balance,
    BatchSharpness,
    Directions,
    Finish,
    ProbeRecord,
    SharpnessTrace,
    Stability,
    Trail,
)
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting

PLAIN, ANNEALED = Continue(horizon=100), Continue(horizon=100, anneal=10)


@pytest.mark.parametrize(
    ("probe", "reads_ends", "resumes"),
    [
        (Anatomy(), False, True),
        (SharpnessTrace(), False, False),
        (SharpnessTrace(every_step=True), False, False),
        (Trail(), False, False),
        (Directions(), True, False),
        (Directions(at="onset"), False, True),
        (Directions(at="peak"), False, True),
        (Stability(), False, True),
        (Balance(), False, True),
        (Finish(), False, True),
    ],
)
def test_the_state_that_a_probe_needs(probe: ProbeRecord, reads_ends: bool, resumes: bool) -> None:
    assert (probe.reads_ends, probe.resumes) == (reads_ends, resumes)


@pytest.mark.parametrize(
    ("probe", "fork", "names"),
    [
        (Anatomy(), ANNEALED, "anneal=10"),
        (Directions(at="onset"), PLAIN, "use at='end'"),
        (Directions(at="peak"), PLAIN, "use at='end'"),
        (BatchSharpness(), PLAIN, "BatchSharpness"),
        (Balance(since=100), None, "since=100"),
        (Balance(since=100), PLAIN, "use a smaller since"),
    ],
)
def test_a_training_that_a_probe_cannot_measure_is_refused_in_one_line(
    probe: ProbeRecord, fork: Continue | None, names: str
) -> None:
    refusal = probe.refusal(fork, 100)
    assert names in refusal and "\n" not in refusal
    with pytest.raises(SettingError, match=r"^.*" + names):
        Recipe(setting=Setting(steps=100, intervention=fork), seed=0, probe=probe)


@pytest.mark.parametrize(
    ("probe", "fork"),
    [
        (Anatomy(), None),
        (Anatomy(), PLAIN),
        (Directions(), PLAIN),
        (Directions(at="peak"), None),
        (Balance(since=99), None),
        (Balance(since=109), ANNEALED),
        (BatchSharpness(), None),
        (Trail(), ANNEALED),
    ],
)
def test_any_other_training_may_have_it(probe: ProbeRecord, fork: Continue | None) -> None:
    recipe = Recipe(setting=Setting(steps=100, intervention=fork), seed=0, probe=probe)
    assert recipe.probe == probe
