"""The learning rates of a gate: given with --set, or found with --tune."""

from collections.abc import Mapping
from typing import Any

from spikecheck.core.errors import UsageError
from spikecheck.core.scorecard import Baseline
from spikecheck.gate.config import assignments
from spikecheck.gate.rates import RateRange


def tuned_range(given: Mapping[str, Any], project: Mapping[str, Any], known: Baseline | None) -> str | None:
    """The range in which rates are sought: of the command line, of the baseline, or of pyproject.toml; None if there is none.

    A rate on the command line overrides a range in pyproject.toml.
    """
    if "tune" in given:
        return str(RateRange.of(given["tune"]))
    if known is not None:
        kept = known.conditions.get("tune")
        return None if kept is None else str(kept)
    if "tune" not in project or "lr" in assignments(given.get("numbers", ()), "--set"):
        return None
    return str(RateRange.of(project["tune"]))


def numbers_of(
    given: Mapping[str, Any], project: Mapping[str, Any], table_name: str, option: str, tune: str | None
) -> dict[str, Any]:
    """An optimizer's arguments; where rates are tuned, its rate stands for the range's middle until then."""
    typed = assignments(given.get(option, ()), f"--{table_name}")
    numbers: dict[str, Any] = project.get(table_name, {}) | typed
    if tune is None:
        return numbers
    if "lr" in typed or ("lr" in numbers and "tune" not in given):
        raise UsageError(f"--tune {tune}, --{table_name} lr={numbers['lr']}: the rate is given or tuned; leave out one")
    return numbers | {"lr": RateRange.of(tune).middle}
