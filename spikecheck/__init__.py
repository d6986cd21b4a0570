"""Claims about training as executable checks. Names load on first use, so that importing the package costs nothing."""

TYPE_CHECKING = False  # type checkers take it for true; while `typing` is imported, Ctrl-C is Python's traceback
if TYPE_CHECKING:
    from typing import Any

    from spikecheck.core.intervention import Continue, Exchange, FreezeOutside, Hold, Inject, Jitter, LowerRate, Retune
    from spikecheck.core.judgement import Answer, Judgement, Outcome
    from spikecheck.core.probe import Anatomy, Balance, BatchSharpness, Directions, SharpnessTrace, Stability, Trail
    from spikecheck.core.reach import Reach
    from spikecheck.core.recipe import Recipe
    from spikecheck.core.run import Run, Snapshot
    from spikecheck.core.setting import Setting
    from spikecheck.core.spike import Spike, SpikeDefinition
    from spikecheck.core.verdict import Report, Verdict
    from spikecheck.core.workload_setting import workload_setting
    from spikecheck.harness.claim import Claim, Condition, Control, Variant, described, limits, unchanged
    from spikecheck.harness.discover import discover
    from spikecheck.harness.domain import Domain, Ladder, Map
    from spikecheck.harness.paper_settings import (
        MNIST1D,
        MNIST1D_ADAM,
        MNIST1D_BATCHES,
        SETTING_A,
        SETTING_B,
        condensing_domain,
        paper_domain,
    )
    from spikecheck.harness.plan import Plan, plan_of
    from spikecheck.harness.plants import aligned, with_loss, with_record, with_weights
    from spikecheck.harness.trial import Trial
    from spikecheck.harness.verify import verify
    from spikecheck.lab.laboratory import Laboratory
    from spikecheck.lab.store import Store
    from spikecheck.session.watch import Watch
    from spikecheck.stats.prediction import Average, Equivalence, Prediction
    from spikecheck.watch.training import Training
    from spikecheck.why.afterwards import explain_log
    from spikecheck.why.arms import Arm
    from spikecheck.why.explain import explain_spike

__version__ = "0.2.0"

_HOMES = {
    "Anatomy": "core.probe",
    "Answer": "core.judgement",
    "Arm": "why.arms",
    "Average": "stats.prediction",
    "Balance": "core.probe",
    "BatchSharpness": "core.probe",
    "Claim": "harness.claim",
    "Condition": "harness.claim",
    "Continue": "core.intervention",
    "Control": "harness.claim",
    "Directions": "core.probe",
    "Domain": "harness.domain",
    "Equivalence": "stats.prediction",
    "Exchange": "core.intervention",
    "FreezeOutside": "core.intervention",
    "Hold": "core.intervention",
    "Inject": "core.intervention",
    "Jitter": "core.intervention",
    "Judgement": "core.judgement",
    "Laboratory": "lab.laboratory",
    "Ladder": "harness.domain",
    "LowerRate": "core.intervention",
    "MNIST1D": "harness.paper_settings",
    "MNIST1D_ADAM": "harness.paper_settings",
    "MNIST1D_BATCHES": "harness.paper_settings",
    "Map": "harness.domain",
    "Outcome": "core.judgement",
    "Plan": "harness.plan",
    "Prediction": "stats.prediction",
    "Reach": "core.reach",
    "Recipe": "core.recipe",
    "Report": "core.verdict",
    "Retune": "core.intervention",
    "Run": "core.run",
    "SETTING_A": "harness.paper_settings",
    "SETTING_B": "harness.paper_settings",
    "Setting": "core.setting",
    "SharpnessTrace": "core.probe",
    "Snapshot": "core.run",
    "Spike": "core.spike",
    "SpikeDefinition": "core.spike",
    "Stability": "core.probe",
    "Store": "lab.store",
    "Trail": "core.probe",
    "Training": "watch.training",
    "Trial": "harness.trial",
    "Variant": "harness.claim",
    "Verdict": "core.verdict",
    "Watch": "session.watch",
    "aligned": "harness.plants",
    "condensing_domain": "harness.paper_settings",
    "described": "harness.claim",
    "discover": "harness.discover",
    "explain_log": "why.afterwards",
    "explain_spike": "why.explain",
    "limits": "harness.claim",
    "paper_domain": "harness.paper_settings",
    "plan_of": "harness.plan",
    "unchanged": "harness.claim",
    "verify": "harness.verify",
    "with_loss": "harness.plants",
    "with_record": "harness.plants",
    "with_weights": "harness.plants",
    "workload_setting": "core.workload_setting",
}

__all__ = [
    "MNIST1D",
    "MNIST1D_ADAM",
    "MNIST1D_BATCHES",
    "SETTING_A",
    "SETTING_B",
    "Anatomy",
    "Answer",
    "Arm",
    "Average",
    "Balance",
    "BatchSharpness",
    "Claim",
    "Condition",
    "Continue",
    "Control",
    "Directions",
    "Domain",
    "Equivalence",
    "Exchange",
    "FreezeOutside",
    "Hold",
    "Inject",
    "Jitter",
    "Judgement",
    "Laboratory",
    "Ladder",
    "LowerRate",
    "Map",
    "Outcome",
    "Plan",
    "Prediction",
    "Reach",
    "Recipe",
    "Report",
    "Retune",
    "Run",
    "Setting",
    "SharpnessTrace",
    "Snapshot",
    "Spike",
    "SpikeDefinition",
    "Stability",
    "Store",
    "Trail",
    "Training",
    "Trial",
    "Variant",
    "Verdict",
    "Watch",
    "aligned",
    "condensing_domain",
    "described",
    "discover",
    "explain_log",
    "explain_spike",
    "limits",
    "paper_domain",
    "plan_of",
    "unchanged",
    "verify",
    "with_loss",
    "with_record",
    "with_weights",
    "workload_setting",
]


def __getattr__(name: str) -> "Any":
    import random
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'spikecheck' has no attribute {name!r}")
    state = random.getstate()  # rich draws a number when it is imported, and the user's training may be seeded already
    try:
        return getattr(import_module(f"spikecheck.{_HOMES[name]}"), name)
    finally:
        random.setstate(state)


def __dir__() -> list[str]:
    return __all__
