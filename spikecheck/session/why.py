"""Why a workload spiked, from the options of a command line."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikecheck.core.errors import SettingError, UsageError
from spikecheck.core.events import Observer
from spikecheck.core.import_path import made
from spikecheck.core.why import Answer
from spikecheck.gate.config import assignments, conditions
from spikecheck.gate.workload_suite import STEPS
from spikecheck.session.command_line import command_line
from spikecheck.session.lab_options import LabOptions
from spikecheck.session.workload_place import workload_place
from spikecheck.watch.runs import Order
from spikecheck.watch.workload import OptimizerChoice, Workload
from spikecheck.why.afterwards import explain_order_log
from spikecheck.why.arms import ARMS, Arm
from spikecheck.why.explain import explain_order
from spikecheck.why.question import Question


def why(options: Mapping[str, Any], lab: LabOptions, observe: Observer) -> tuple[Answer, bool]:
    """The answer, and whether Ctrl-C ended it early.

    Raises:
        SpikecheckError: when the workload, the optimizer or the spike to explain cannot be used.
    """
    place = workload_place(lab)
    steps = _steps(options)
    question = Question(options["at_step"], _arms(options["own_arms"]), lab.deadline, observe)
    if options["states"] is None:
        order = _order(options, STEPS if steps is None else steps, place.device)
        answer = explain_order(order, place.store, question, place.workers)
    else:
        order = _order(options, steps, place.device)
        log, states = Path(options["log"]), Path(options["states"])
        answer = explain_order_log(order, log, states, place.store, question, place.workers)
    return answer.model_copy(update={"command": command_line()}), question.interrupted


def _order(options: Mapping[str, Any], steps: int | None, device: str) -> Order:
    """Without steps the workload is as its function makes it by itself."""
    changes = conditions(options["changes"])
    changes.pop("steps", None)
    workload = Workload.of(options["workload"]).at(changes, steps)
    return Order(workload, options["seed"], steps or STEPS, _optimizer(options), device)


def _steps(options: Mapping[str, Any]) -> int | None:
    """The value of --steps or of --at steps=N; None if neither is given."""
    option, condition = options["steps"], conditions(options["changes"]).get("steps")
    if option is not None and condition is not None:
        raise UsageError(f"--at steps={condition}, --steps {option}: give one of them")
    steps = condition if option is None else option
    if steps is None:
        return None
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise SettingError(f"steps={steps!r}: give 1 or more")
    return steps


def _optimizer(options: Mapping[str, Any]) -> OptimizerChoice | None:
    numbers = assignments(options["numbers"], "--set")
    if options["optimizer"] is None:
        if numbers:
            raise UsageError(f"--set {options['numbers'][0]}: belongs to an optimizer; give --optimizer as well")
        return None
    return OptimizerChoice.of(options["optimizer"], numbers)


def _check_found_by_workers(path: str, arm: Arm) -> None:
    try:
        pickle.dumps(arm)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            f"--arm {path}: worker processes cannot find its function ({error}); define it at the top of a module"
        ) from error


def _arms(paths: Sequence[str]) -> tuple[Arm, ...]:
    """The usual arms and a user's own."""
    own = tuple(made("arm", path) for path in paths)
    for path, arm in zip(paths, own, strict=True):
        if not isinstance(arm, Arm):
            raise UsageError(f"--arm {path}: returned a {type(arm).__name__}; return a spikecheck.Arm")
        _check_found_by_workers(path, arm)
    return (*ARMS, *own)
