"""What to record while a member trains: requests only. `dynamics.probes` carries them out."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spikecheck.core.record import Record
from spikecheck.core.spike import SpikeDefinition


class Anatomy(Record):
    """The first spike, step by step: eigenpairs and the motion along them.

    On a run the window reaches from `before` steps before the onset to `after` steps behind the recovery (at most
    `longest` steps in all); on a fork it is the whole fork. Records, with W window steps, K eigenpairs, M held-out points
    and O outputs: `steps` [W], `loss` [W], `sharpness` [W, K] (eigenvalues, algebraically largest first), `residual`
    [W, K] (relative), `swing` [W, K] ((g_t - g_{t-1}) . v_k(t)), `next_swing` [W, K] ((g_{t+1} - g_t) . v_k(t)),
    `gradient_curvature` [W] (gHg/gg); with `outputs` also `outputs` [W, M, O], the function on the held-out points;
    snapshots at landmarks.
    """

    added: ClassVar[frozenset[str]] = frozenset({"alone", "outputs"})

    kind: Literal["anatomy"] = "anatomy"
    alone: bool = Field(False, description="of one run to look at: quicker for one, slower for many")
    before: int = Field(600, ge=0)
    after: int = Field(60, ge=0)
    longest: int = Field(1_500, ge=1)
    pairs: int = Field(2, ge=1, le=12)
    outputs: bool = False
    definition: SpikeDefinition = SpikeDefinition()


class SharpnessTrace(Record):
    """Sharpness over the whole run, at every checkpoint or at every step.

    Records `steps` [W], `sharpness` [W, 1], `residual` [W, 1] (relative), and of every step `products` [1]: how many.
    """

    added: ClassVar[frozenset[str]] = frozenset({"alone", "every_step"})

    kind: Literal["sharpness"] = "sharpness"
    alone: bool = Field(False, description="of one run to look at: quicker for one, slower for many")
    every_step: bool = Field(False, description="followed through the training, by about one product a step")


class Trail(Record):
    """The whole run, at every checkpoint.

    Records, with C checkpoints, H neurons of the first hidden layer, D inputs, M held-out points and O outputs: `steps` [C],
    `sharpness` [C, 1] and `residual` [C, 1] (relative; preconditioned where the update rule is), `gradient_curvature` [C]
    (gHg/gg), `input_weights` [C, H, D + 1], `outputs` [C, M, O].
    """

    kind: Literal["trail"] = "trail"


class Directions(Record):
    """What the top eigendirections of one state do to the outputs.

    Records, with K eigenpairs, N training points, M held-out points and O outputs: `values` [K], `residual` [K] (relative),
    `deviation` [K, M, O] (J v_k on the held-out points), `outputs` [M, O], `train_outputs` [N, O], and `own` [M, O], the
    deviation J J'r along the direction that the held-out residual r itself spans.
    """

    kind: Literal["directions"] = "directions"
    at: Literal["onset", "peak", "end"] = "end"
    pairs: int = Field(12, ge=1, le=64)
    definition: SpikeDefinition = SpikeDefinition()


class Stability(Record):
    """The linearised update at the landmarks of the first spike: how deviations across the valley multiply there.

    Records, under `onset`, `peak` and `recovery` where the spike has them, each [3]: the modulus of the largest eigenvalue
    with a negative real part, the spectral radius, and the residual of the first.
    """

    kind: Literal["stability"] = "stability"
    definition: SpikeDefinition = SpikeDefinition()


class Finish(Record):
    """How near the stability threshold a training began, and how it ended: what a gate asks of it.

    A reversal is the smallest real part among the linearised update's eigenvalues, its sign turned: -1 where nothing bends,
    1 at the stability threshold; eta lambda - 1 for gradient descent. Records, with C checkpoints of the last quarter:
    `steps` [C], `late` [C] and `residual` [C], `early` [1] where the training came that far, and where points are held out
    `test_loss` [1].
    """

    kind: Literal["finish"] = "finish"
    looks: int = Field(4, ge=1, le=64, description="checkpoints looked at, spread over the last quarter")
    early: int = Field(20, ge=1, description="updates made before the first look")


Probe = Annotated[Anatomy | SharpnessTrace | Trail | Directions | Stability | Finish, Field(discriminator="kind")]
