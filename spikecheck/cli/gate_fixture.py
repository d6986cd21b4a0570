"""A gate in a user's test, as the pytest fixture runs it: without a command line, a display or files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spikecheck.cli.fixture_arguments import (
    Numbers,
    Optimizer,
    conditions_in,
    file_in,
    names_in,
    numbers_in,
    path_of,
    text_in,
    whole,
)
from spikecheck.cli.gate_rates import tuned_range
from spikecheck.cli.gate_request import GateRequest, read_baseline, rows_in, suite_of
from spikecheck.cli.gating import held_on_workload, judge
from spikecheck.core.errors import UsageError
from spikecheck.core.events import ignore
from spikecheck.core.import_path import check_takes
from spikecheck.core.scorecard import Scorecard
from spikecheck.core.setting import OPTIMIZERS
from spikecheck.gate.rates import RateRange
from spikecheck.gate.suite import contestant
from spikecheck.gate.workload_suite import WorkloadSuite
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store_address import opened
from spikecheck.session.lab_options import LabOptions


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
    rows: str | Sequence[str] | None = None
    """The names of those to compare, in a list or in text with commas; the baseline's, or all, if None."""

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
        path, asked = file_in("baseline", self.baseline), text_in("tune", self.tune, '"lr=1e-4..1e-1"')
        own, rows = conditions_in(self.conditions), names_in(self.rows)
        numbers = numbers_in("numbers", self.numbers, '{"lr": 0.01}')
        others = numbers_in("against_set", self.against_set, '{"lr": 0.01}')
        known = read_baseline(path)
        tune = tuned_range({} if asked is None else {"tune": asked}, {}, known)
        optimizer = path_of(self.optimizer)
        if tune is None and "lr" not in numbers:
            if optimizer not in OPTIMIZERS:
                check_takes("optimizer", optimizer, numbers)  # a wrong name comes before what is missing
            raise UsageError('lr: no rate is given; add lr=0.01, or tune="lr=1e-4..1e-1" for a workload')
        candidate = contestant(optimizer, _at_rate("", numbers, tune))
        reference = None
        if self.against is not None:
            reference = contestant(
                path_of(self.against, "against"), {"lr": candidate.lr, **_at_rate("against_set ", others, tune)}
            )
        suite = suite_of(
            own | ({} if tune is None else {"tune": tune}),
            whole(self.seeds),
            whole(self.seed),
            known,
            None if rows is None else rows_in(rows),
        )
        return GateRequest(candidate, reference, path, suite, {})


def _at_rate(whose: str, numbers: Numbers, tune: str | None) -> Numbers:
    """An optimizer's arguments; where rates are tuned, its rate stands for the range's middle until then."""
    if tune is None:
        return numbers
    if "lr" in numbers:
        raise UsageError(f"{whose}lr={numbers['lr']}, tune={tune!r}: the rate is given or tuned; leave out one")
    return {**numbers, "lr": RateRange.of(tune).middle}
