"""The plan of a gate: every figure of it is printed, and its JSON is read as it was written."""

from io import StringIO

import pytest
from rich.console import Console

from spikecheck.core.errors import SettingError
from spikecheck.core.gate_outlook import Finds, GateOutlook, TuningOutlook
from spikecheck.core.record import Record
from spikecheck.core.scorecard import SuiteSetting, WorkloadPlace
from spikecheck.core.setting import Setting
from spikecheck.report.gate_plan import render_gate_plan

FINDS = Finds(where="one setting", trainings=16, spreads=1.25, spiking=5)
TUNING = TuningOutlook(range="lr=1e-4..1e-1", rates=11, seeds=3, around=72)
PLAN = GateOutlook(
    places=(SuiteSetting(name="sines", setting=Setting(steps=300)),),
    seeds=8,
    finds=(FINDS,),
    warning="few",
    tuning=TUNING,
)
OTHERWISE: dict[type[Record], dict[str, object]] = {
    Finds: {"where": "all together", "trainings": 15, "spreads": 2.5, "spiking": None},
    TuningOutlook: {"range": "lr=1e-3..1e-1", "rates": 10, "seeds": 2, "around": 71},
    GateOutlook: {
        "places": (WorkloadPlace(name="gpt", workload="gpt", steps=300),),
        "seeds": 7,
        "finds": (),
        "warning": "",
        "tuning": None,
    },
}
CHANGES = [(kind, name, value) for kind, changed in OTHERWISE.items() for name, value in changed.items()]


def printed(plan: GateOutlook) -> str:
    out = StringIO()
    render_gate_plan(plan, Console(file=out, width=100))
    return out.getvalue()


def test_every_field_is_among_the_changes() -> None:
    assert {kind: set(changed) for kind, changed in OTHERWISE.items()} == {
        kind: set(kind.model_fields) for kind in OTHERWISE
    }


@pytest.mark.parametrize(("kind", "name", "value"), CHANGES)
def test_a_change_of_any_field_is_seen(kind: type[Record], name: str, value: object) -> None:
    changes: dict[type[Record], dict[str, object]] = {
        Finds: {"finds": (FINDS.model_copy(update={name: value}),)},
        TuningOutlook: {"tuning": TUNING.model_copy(update={name: value})},
        GateOutlook: {name: value},
    }
    changed = PLAN.model_copy(update=changes[kind])
    assert printed(changed) != printed(PLAN)


def test_the_json_of_a_plan_is_the_plan() -> None:
    workload = PLAN.model_copy(
        update={"places": (WorkloadPlace(name="gpt", workload="gpt", steps=300),), "tuning": None}
    )
    for plan in (PLAN, workload):
        assert GateOutlook.model_validate_json(plan.model_dump_json()) == plan


def test_a_difference_that_is_no_number_is_refused() -> None:
    with pytest.raises(SettingError, match="^spreads=nan: "):
        Finds(where="one setting", trainings=16, spreads=float("nan"), spiking=None)
