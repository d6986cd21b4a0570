"""What one step of a watched training leaves in its log. A figure that is not known is absent; there is no NaN."""

from typing import Literal

from pydantic import Field

from spikecheck.core.record import BEYOND_STEPS, Record

SCHEMA = "spikecheck/watch@1"


class Header(Record):
    """The first line of a log, and of every resumption."""

    schema_name: str = Field(SCHEMA, alias="schema")
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of spikecheck, torch and Python."""
    model: str
    """Class of the watched model."""
    optimizer: str
    parameters: int = Field(ge=0)
    """Number of trained parameters."""
    every: int = Field(ge=1)
    """Steps between looks."""
    started: str
    """Date and time, ISO 8601, UTC."""


class LayerLook(Record):
    """One parameter tensor at a look; root mean squares over its entries."""

    update: float = Field(ge=0)
    weights: float = Field(ge=0)
    """Root mean square of the weights after the step."""
    gradient: float | None = Field(None, ge=0)
    """The gradient that the optimizer received: after clipping, if it was clipped."""
    surprise: float | None = Field(None, ge=0)
    """|g| / sqrt(v), with v the optimizer's bias-corrected second moment: above 1 where v under-estimates the squared
    gradient (arXiv 2304.13013)."""


class Look(Record):
    """What a look measured on the step's own batch."""

    overshoot: float | None = None
    """1 - change / slope. 0: the loss is linear along the update; 1: the step stops lowering its batch's loss; above
    1: it raises it. For gradient descent along an eigendirection of the Hessian: learning rate x eigenvalue / 2."""
    error: float | None = Field(None, ge=0)
    """Standard deviation of the overshoot by rounding."""
    unresolved: str | None = None
    """Why there is no overshoot."""
    slope: float | None = None
    """Gradient of the loss before the step, times the update; negative where the update descends."""
    change: float | None = None
    """Loss after the step minus loss before it."""
    slope_from: Literal["gradient", "half step"] | None = None
    update_norm: float | None = Field(None, ge=0)
    gradient_norm: float | None = Field(None, ge=0)
    layers: dict[str, LayerLook] = Field(default_factory=dict)


class Step(Record):
    """One step."""

    step: int = Field(ge=0, lt=BEYOND_STEPS)
    loss: float | None = None
    not_finite: Literal["nan", "inf", "-inf"] | None = None
    """The loss, if it was not finite."""
    lr: tuple[float, ...] = ()
    """Learning rates of the optimizer's groups at the step."""
    skipped: bool = False
    """The optimizer made no step, as when a GradScaler met an overflow."""
    batch: str | None = None
    """Digest of the batch, or the name it was given."""
    seconds: float | None = Field(None, ge=0)
    """Seconds since watching began."""
    processes: int = Field(1, ge=1)
    """Number of processes that train together. `loss` is the mean over them, and a look covers all their batches."""
    look: Look | None = None
