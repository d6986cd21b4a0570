"""The typical run's picture shows what the claim is about."""

from dataclasses import replace

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.harness.discover import discover
from spikecheck.harness.evidence import gather
from spikecheck.harness.typical_run import typical_trace
from spikecheck.lab.laboratory import Laboratory

CLAIMS = discover(()).claims


def test_a_claim_about_spikes_is_shown_around_one_and_any_other_to_its_end() -> None:
    lab = Laboratory()
    claim = CLAIMS["spikes-come"]
    setting = Setting(steps=3_000)
    seeds = [s for s in range(8) if lab.runs([r := Recipe(setting=setting, seed=s)])[r].has_spike]
    evidence = gather(claim, lab, {setting: seeds})[setting]
    around = typical_trace(claim, lab, evidence)
    whole = typical_trace(replace(claim, detects_spikes=False), lab, evidence)
    assert around is not None
    assert whole is not None
    assert around.steps[-1] < 2_990 < whole.steps[-1]


def test_the_sharpness_before_a_preconditioner_has_seen_a_gradient_is_not_shown() -> None:
    lab = Laboratory()
    for optimizer, first in (("adam", 50), ("gd", 0)):
        setting = Setting(optimizer=optimizer, lr=0.01, steps=200)
        claim = replace(CLAIMS["spikes-come"], detects_spikes=False)
        trace = typical_trace(claim, lab, gather(claim, lab, {setting: [0, 1, 2]})[setting])
        assert trace is not None
        assert trace.sharpness_steps[0] == first
