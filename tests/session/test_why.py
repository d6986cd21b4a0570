"""Why a workload spiked: the training that the options name, its steps, and a user's own arms."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.errors import SpikecheckError
from spikecheck.core.events import ignore
from spikecheck.session.lab_options import LabOptions
from spikecheck.session.why import _arms, _order, _steps, why
from spikecheck.why.arms import ARMS

OWN_ARMS = """
from contextlib import contextmanager
import spikecheck

@contextmanager
def unchanged(training, context):
    yield

def good():
    return spikecheck.Arm("good", "as it is?", "nothing", unchanged)

def unnamed():
    return spikecheck.Arm("unnamed", "as it is?", "nothing", lambda training, context: unchanged(training, context))

def number():
    return 3
"""
LINE: dict[str, Any] = {
    "workload": "mlp", "seed": 7, "steps": None, "changes": (), "optimizer": None, "numbers": (), "at_step": None,
    "own_arms": (), "states": None,
}  # fmt: skip


def test_the_order_is_the_training_that_the_options_name() -> None:
    plain = _order({**LINE, "changes": ("batch=16",)}, 40, "cpu")
    assert (plain.workload.path, dict(plain.workload.options)) == ("mlp", {"batch": 16})
    assert (plain.seed, plain.steps, plain.optimizer, plain.device) == (7, 40, None, "cpu")
    own = _order({**LINE, "optimizer": "adam", "numbers": ("lr=0.01", "beta2=0.9")}, 40, "cpu")
    assert own.optimizer is not None
    assert (own.optimizer.path, dict(own.optimizer.numbers)) == ("adam", {"lr": 0.01, "beta2": 0.9})


@pytest.mark.parametrize(("changes", "steps", "expected"), [((), None, None), ((), 30, 30), (("steps=30",), None, 30)])
def test_steps_may_be_given_in_either_way(changes: tuple[str, ...], steps: int | None, expected: int | None) -> None:
    assert _steps({**LINE, "changes": changes, "steps": steps}) == expected


def test_an_arm_of_ones_own_is_tried_after_the_usual_ones(write: Callable[[str], str]) -> None:
    module = write(OWN_ARMS)
    arms = _arms([f"{module}:good"])
    assert arms[:-1] == ARMS
    assert arms[-1].name == "good"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"changes": ("steps=0",)}, "steps=0: give 1 or more"),
        ({"changes": ("steps=1.5",)}, "steps=1.5: give 1 or more"),
        ({"changes": ("steps=30",), "steps": 40}, "--at steps=30, --steps 40: give one of them"),
        ({"numbers": ("lr=0.1",)}, "--set lr=0.1: belongs to an optimizer; give --optimizer as well"),
        ({"workload": "mpl"}, "no workload is called 'mpl'; did you mean: mlp"),
        ({"own_arms": ("MODULE:number",)}, "--arm MODULE:number: returned a int; return a spikecheck.Arm"),
        ({"own_arms": ("MODULE:unnamed",)}, "--arm MODULE:unnamed: worker processes cannot find its function"),
    ],
)
def test_what_cannot_be_used_is_one_line_before_anything_is_trained(
    changes: dict[str, Any], says: str, write: Callable[[str], str]
) -> None:
    module = write(OWN_ARMS)
    named = {"own_arms": tuple(path.replace("MODULE", module) for path in changes.get("own_arms", ()))}
    with pytest.raises(SpikecheckError) as refused:
        why({**LINE, **changes, **named}, LabOptions(no_store=True, device="cpu", executor="local"), ignore)
    assert str(refused.value).startswith(says.replace("MODULE", module))
    assert "\n" not in str(refused.value)
