"""What to record while a member trains: requests only. `training.dissection` carries them out."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spikecheck.core.intervention import Fork
from spikecheck.core.record import Record
from spikecheck.core.spike import SpikeDefinition


class ProbeRecord(Record):
    """What every probe says of itself."""

    @property
    def reads_ends(self) -> bool:
        """Whether it looks at the ends of trainings, those of forks too, and at nothing before them."""
        return False

    @property
    def resumes(self) -> bool:
        """Whether a training must be resumed from a state before its end."""
        return True

    def refusal(self, intervention: Fork | None, steps: int) -> str:
        """Why a training of `steps` under this intervention cannot have this probe; empty where it can."""
        return ""


class Anatomy(ProbeRecord):
    """The first spike, step by step: eigenpairs and the motion along them.

    On a run the window reaches from `before` steps before the onset to `after` steps behind the recovery (at most
    `longest` steps in all); on a fork, which may have no annealing, it is the whole fork. Records, with W window steps, K
    eigenpairs, M held-out points and O outputs: `steps` [W], `loss` [W], `sharpness` [W, K] (eigenvalues, algebraically
    largest first), `residual` [W, K] (relative), `swing` [W, K] ((g_t - g_{t-1}) . v_k(t)), `next_swing` [W, K]
    ((g_{t+1} - g_t) . v_k(t)), `gradient_curvature` [W] (gHg/gg); with `outputs` also `outputs` [W, M, O], the function on
    the held-out points; snapshots at landmarks.
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

    def refusal(self, intervention: Fork | None, steps: int) -> str:
        """Of forks with an annealing."""
        if intervention is None or not intervention.anneal:
            return ""
        return (
            f"anneal={intervention.anneal!r}: probe Anatomy sees motion as differences between steps of one learning "
            "rate; use anneal=0, or probe Trail or Balance"
        )


class SharpnessTrace(ProbeRecord):
    """Sharpness over the whole run, at every checkpoint or at every step.

    Records `steps` [W], `sharpness` [W, 1], `residual` [W, 1] (relative), and of every step `products` [1]: how many.
    """

    added: ClassVar[frozenset[str]] = frozenset({"alone", "every_step"})

    kind: Literal["sharpness"] = "sharpness"
    alone: bool = Field(False, description="of one run to look at: quicker for one, slower for many")
    every_step: bool = Field(False, description="followed through the training, by about one product a step")

    @property
    def resumes(self) -> bool:
        """No: it looks at checkpoints, or trains from the start."""
        return False


class Trail(ProbeRecord):
    """The whole run, at every checkpoint; of a fork its annealing too.

    Records, with C checkpoints, H neurons of the first hidden layer, D inputs, M held-out points and O outputs: `steps` [C],
    `sharpness` [C, 1] and `residual` [C, 1] (relative; preconditioned where the update rule is), `gradient_curvature` [C]
    (gHg/gg), `input_weights` [C, H, D + 1], `outputs` [C, M, O].
    """

    kind: Literal["trail"] = "trail"

    @property
    def resumes(self) -> bool:
        """No: it looks at checkpoints."""
        return False


class Directions(ProbeRecord):
    """What the top eigendirections of one state do to the outputs.

    Records, with K eigenpairs, N training points, M held-out points and O outputs: `values` [K], `residual` [K] (relative),
    `deviation` [K, M, O] (J v_k on the held-out points), `outputs` [M, O], `train_outputs` [N, O], and `own` [M, O], the
    deviation J J'r along the direction that the held-out residual r itself spans; with R `random` directions also
    `random_deviation` [R, M, O], J u for unit vectors u that point anywhere with equal chance and depend on the seed alone.
    """

    added: ClassVar[frozenset[str]] = frozenset({"random"})

    kind: Literal["directions"] = "directions"
    at: Literal["onset", "peak", "end"] = "end"
    pairs: int = Field(12, ge=1, le=64)
    random: int = Field(0, ge=0, le=64, description="random directions of the parameters looked at beside the pairs")
    definition: SpikeDefinition = SpikeDefinition()

    @property
    def reads_ends(self) -> bool:
        """Where it looks at the end."""
        return self.at == "end"

    @property
    def resumes(self) -> bool:
        """Where it looks at a landmark of a spike."""
        return not self.reads_ends

    def refusal(self, intervention: Fork | None, steps: int) -> str:
        """Of forks at a landmark."""
        if intervention is None or self.reads_ends:
            return ""
        return f"probe Directions(at={self.at!r}): a fork is looked at at its end; use at='end'"


class Stability(ProbeRecord):
    """The linearised update at the landmarks of the first spike: how deviations across the valley multiply there.

    Records, under `onset`, `peak` and `recovery` where the spike has them, each [3]: the modulus of the largest eigenvalue
    with a negative real part, the spectral radius, and the residual of the first.
    """

    kind: Literal["stability"] = "stability"
    definition: SpikeDefinition = SpikeDefinition()


class Balance(ProbeRecord):
    """What stops the sharpening at the edge of stability: the oscillation across the valley, and what it has to be for that.

    With the first eigenpair (lambda, v) and the gradient g of a state, x = g.v/lambda is its distance from the bottom of the
    valley, which is the state less x v. There, with the gradient g' and with r, the gradient of the sharpness (of v.Hv), less
    its part along v: alpha = -g'.r is what the sharpness rises by without oscillation, per learning rate and step, and
    beta = r.r. For gradient descent at the edge the mean of x^2 over time is 2 alpha/beta. Source: Damian et al., arXiv
    2209.15594. All of it is of the full batch's training loss, whatever the update rule.

    On a run the looks begin at step `since`, on a fork so many steps after its start, and go on through its annealing.
    Records, with W looks: `steps` [W], `sharpness` [W] (lambda), `residual` [W, 1] (relative), `displacement` [W] (x; v keeps
    its sign from one look to the next), `sharpening` [W] (alpha), `steepness` [W] (beta).
    """

    kind: Literal["balance"] = "balance"
    every: int = Field(5, ge=1, description="steps between two looks")
    since: int = Field(0, ge=0, description="steps before the first look")

    def refusal(self, intervention: Fork | None, steps: int) -> str:
        """Of trainings that end before the first look."""
        if self.since < steps:
            return ""
        return f"probe Balance(since={self.since!r}): only {steps:,} steps are trained; use a smaller since"


class Finish(ProbeRecord):
    """How near the stability threshold a training began, and how it ended: what a gate asks of it.

    A reversal is the smallest real part among the linearised update's eigenvalues, its sign turned: -1 where nothing bends,
    1 at the stability threshold; eta lambda - 1 for gradient descent. Records, with C checkpoints of the last quarter:
    `steps` [C], `late` [C] and `residual` [C], `early` [period] where the training came that far, and `test_loss` [1]
    where points are held out.
    """

    kind: Literal["finish"] = "finish"
    looks: int = Field(4, ge=1, le=64, description="checkpoints looked at, spread over the last quarter")
    early: int = Field(20, ge=1, description="updates made before the first look")
    period: int = Field(
        8, ge=1, le=64, description="early updates looked at one after another; a rule may have a rhythm"
    )
    edges: bool = Field(True, description="whether to look at the stability threshold at all: of large nets it is dear")
    instrument: Literal["central differences"] = Field(
        "central differences", description="of whatever rule, so that two optimizers are measured alike"
    )


Probe = Annotated[
    Anatomy | SharpnessTrace | Trail | Directions | Stability | Balance | Finish, Field(discriminator="kind")
]
