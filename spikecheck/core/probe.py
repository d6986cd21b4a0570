"""What to record while a member trains: requests only. `dynamics.probes` carries them out."""

from typing import Annotated, Literal

from pydantic import Field

from spikecheck.core.record import Record
from spikecheck.core.spike import SpikeDefinition


class Anatomy(Record):
    """The first spike, step by step: eigenpairs and the motion along them.

    On a run the window reaches from `before` steps before the onset to `after` steps behind the recovery (at most
    `longest` steps in all); on a fork it is the whole fork. Records, with W window steps and K eigenpairs:
    `steps` [W], `loss` [W], `sharpness` [W, K] (eigenvalues, algebraically largest first), `residual` [W, K] (relative),
    `swing` [W, K] ((g_t - g_{t-1}) . v_k(t)), `next_swing` [W, K] ((g_{t+1} - g_t) . v_k(t)); snapshots at landmarks.
    """

    kind: Literal["anatomy"] = "anatomy"
    before: int = Field(600, ge=0)
    after: int = Field(60, ge=0)
    longest: int = Field(1_500, ge=1)
    pairs: int = Field(2, ge=1, le=12)
    definition: SpikeDefinition = SpikeDefinition()


class SharpnessTrace(Record):
    """Sharpness over the whole run, at every checkpoint: records `steps` [W], `sharpness` [W, 1], `residual` [W, 1]."""

    kind: Literal["sharpness"] = "sharpness"


Probe = Annotated[Anatomy | SharpnessTrace, Field(discriminator="kind")]
