"""A gate in a user's test, as the pytest fixture runs it: without a command line, a display or files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikecheck.cli.gate_rates import tuned_range
from spikecheck.cli.gate_request import GateRequest, read_baseline, rows_in, suite_of
from spikecheck.cli.gating import held_on_workload, judge
from spikecheck.core.errors import SettingError, UsageError
from spikecheck.core.events import ignore
from spikecheck.core.import_path import named
from spikecheck.core.scorecard import Scorecard
from spikecheck.gate.rates import RateRange
from spikecheck.gate.suite import contestant
from spikecheck.gate.workload_suite import WorkloadSuite
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store_address import opened
from spikecheck.session.lab_options import LabOptions

Optimizer = str | Callable[..., Any]
Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class FixtureGate:
    """The arguments of the fixture's `gate`."""

    optimizer: Optimizer
    numbers: Numbers
    """The candidate's arguments."""
    against: Optimizer | None = None
    against_set: Numbers = field(default_factory=dict)
    """The reference's arguments."""
    baseline: str | Path | None = None
    conditions: Numbers = field(default_factory=dict)
    seeds: int | None = None
    seed: int | None = None
    tune: str | None = None
    """Where each side's best rate is sought, such as lr=1e-4..1e-1; the baseline's range if None."""
    rows: str | None = None
    """The names of those to compare, with commas; the baseline's, or all, if None."""

    def held(self, folder: str) -> Scorecard:
        """Run the gate; `folder` is that of stored runs.

        Raises:
            SpikecheckError: an argument or the baseline cannot be used, or an object's name does not import it.
        """
        request = self._request()
        if isinstance(request.suite, WorkloadSuite):
            card = held_on_workload(request, request.suite, LabOptions(store=folder), ignore)
            assert card is not None
            return card
        return judge(request, Laboratory(opened(folder)), ignore)

    def _request(self) -> GateRequest:
        if (self.against is None) == (self.baseline is None):
            raise UsageError("against, baseline: give exactly one of them; it is the reference")
        path = None if self.baseline is None else Path(self.baseline)
        known = read_baseline(path)
        tune = tuned_range({} if self.tune is None else {"tune": self.tune}, {}, known)
        if tune is None and "lr" not in self.numbers:
            raise UsageError('lr: no rate is given; add lr=0.01, or tune="lr=1e-4..1e-1" for a workload')
        candidate = contestant(path_of(self.optimizer), _at_rate("", self.numbers, tune))
        reference = None
        if self.against is not None:
            own = _at_rate("against_set ", self.against_set, tune)
            reference = contestant(path_of(self.against), {"lr": candidate.lr, **own})
        conditions = dict(self.conditions) | ({} if tune is None else {"tune": tune})
        rows = None if self.rows is None else rows_in(self.rows)
        return GateRequest(candidate, reference, path, suite_of(conditions, self.seeds, self.seed, known, rows), {})


def _at_rate(whose: str, numbers: Numbers, tune: str | None) -> Numbers:
    """An optimizer's arguments; where rates are tuned, its rate stands for the range's middle until then."""
    if tune is None:
        return numbers
    if "lr" in numbers:
        raise UsageError(f"{whose}lr={numbers['lr']}, tune={tune!r}: the rate is given or tuned; leave out one")
    return {**numbers, "lr": RateRange.of(tune).middle}


def path_of(optimizer: Optimizer) -> str:
    """MODULE:NAME of an object; text is returned unchanged.

    Raises:
        SettingError: importing the name does not give the object.
    """
    if isinstance(optimizer, str):
        return optimizer
    path = f"{optimizer.__module__}:{optimizer.__qualname__}"
    if "<" in path or named("optimizer", path) is not optimizer:
        raise SettingError(f"optimizer {path}: cannot be imported by this name; define it at the top of a module")
    return path
