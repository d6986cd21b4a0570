"""A trial: all runs of one setting and one seed, which a claim's measure reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.run import Run
from spikecheck.core.setting import Setting
from spikecheck.optimizers.thresholds import threshold_of

if TYPE_CHECKING:
    from spikecheck.objective.objective import ProblemArrays

RESIDUAL_LIMIT = 1e-2
"""Largest relative residual of the first eigenpair that may count in a verdict. The eigenvalue's relative error is at most
the residual, and of the order of its square where the next eigenvalue is not close."""


@dataclass(frozen=True)
class Trial:
    """All runs of one setting and one seed."""

    setting: Setting
    seed: int
    trunk: Run
    """The training itself, without probes or forks; its spikes are those of the claim's definition."""
    arms: Mapping[str, Run]
    """Arms by the claim's names for them; an arm that could not be forked is absent."""
    lost: bool = False
    """Whether an arm is absent because the training it was to be measured in has diverged."""
    other: "Trial | None" = None
    """The trial of another seed at the same setting, for controls that exchange members."""

    def __getitem__(self, arm: str) -> Run:
        """The run of an arm.

        Raises:
            UnknownName: the trial has no arm of this name.
        """
        if arm not in self.arms:
            raise UnknownName("arm", arm, self.arms)
        return self.arms[arm]

    def problem(self, arm: str | None = None) -> "ProblemArrays":
        """The training and test data of an arm, or of the trunk if no arm is named.

        Raises:
            KeyError: the trial has no arm of this name.
        """
        # Imported here because it imports torch: importing a claim must not, so that `spikecheck list` takes 0.4 s.
        from spikecheck.objective.objective import numbers_of  # noqa: PLC0415

        return numbers_of((self.trunk if arm is None else self.arms[arm]).setting)

    @property
    def threshold(self) -> float:
        """The stability threshold of the update rule at its learning rate: 2/lr for gradient descent.

        Raises:
            SettingError: no formula is known for this update rule.
        """
        threshold = threshold_of(self.setting)
        if threshold is None:
            raise SettingError(f"optimizer={self.setting.optimizer!r}: no formula for its stability threshold is known")
        return threshold

    @property
    def diverged(self) -> bool:
        """Whether the loss of any of its trainings became infinite or NaN."""
        return self.lost or self.trunk.diverged or any(run.diverged for run in self.arms.values())

    @property
    def unresolved(self) -> bool:
        """Whether the first eigenpair of any record has a residual above `RESIDUAL_LIMIT`, or is missing."""
        residuals = [r["residual"] for run in self.arms.values() for r in run.records.values() if "residual" in r]
        firsts = [residual[:, 0] if residual.ndim == 2 else residual[:1] for residual in residuals]
        return any(len(first) == 0 or float(first.max()) > RESIDUAL_LIMIT for first in firsts)
