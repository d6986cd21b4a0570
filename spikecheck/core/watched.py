"""What one step of a watched training leaves in its log. A figure that is not known is absent; there is no NaN."""

from typing import Literal

from pydantic import Field

from spikecheck.core.record import BEYOND_STEPS, Record

SCHEMA = "spikecheck/watch@1"


class Header(Record):
    """The first line of a log, and of every resumption."""

    schema_name: str = Field(SCHEMA, alias="schema")
    versions: dict[str, str] = Field(default_factory=dict)
    """Of spikecheck, torch and Python."""
    model: str
    """Class of the watched model."""
    optimizer: str
    parameters: int = Field(ge=0)
    """Numbers that the optimizer moves."""
    every: int = Field(ge=1)
    """Steps from look to look."""
    started: str
    """Date and time, ISO 8601, UTC."""


class LayerLook(Record):
    """One parameter tensor at a look; root mean squares over its entries."""

    update: float = Field(ge=0)
    weights: float = Field(ge=0)
    """After the step."""
    gradient: float | None = Field(None, ge=0)
    """As the optimizer met it: clipped where it was clipped."""
    surprise: float | None = Field(None, ge=0)
    """Of |g| / sqrt(v), v the optimizer's second moment, bias-corrected: above 1 where v under-estimates (arXiv
    2304.13013)."""


class Look(Record):
    """What a look measured on the step's own batch."""

    overshoot: float | None = None
    """1 - change / slope. 0: the loss is linear along the update; 1: the step stops lowering its batch's loss; above
    1: it raises it. For gradient descent along an eigendirection of the Hessian: learning rate x eigenvalue / 2."""
    error: float | None = Field(None, ge=0)
    """Of the overshoot, by rounding: one standard deviation."""
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
    """What the loss was where it was no number."""
    lr: tuple[float, ...] = ()
    """Of the optimizer's groups when it stepped."""
    skipped: bool = False
    """The optimizer made no step, as when a GradScaler met an overflow."""
    batch: str | None = None
    """Digest of the batch, or the name it was given."""
    seconds: float | None = Field(None, ge=0)
    """Since the watching began."""
    processes: int = Field(1, ge=1)
    """That train together, whose losses' mean the loss is and whose batches the look joins."""
    look: Look | None = None
