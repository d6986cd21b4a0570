"""Probes: what to record while a member trains. These are requests only; `training.dissection` carries them out."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spikecheck.core.intervention import Fork
from spikecheck.core.record import Record
from spikecheck.core.spike import SpikeDefinition


class ProbeRecord(Record):
    """Base of every probe."""

    @property
    def reads_ends(self) -> bool:
        """Whether the probe measures only the last state of a training or fork."""
        return False

    @property
    def resumes(self) -> bool:
        """Whether a training must be resumed from a state before its end."""
        return True

    def refusal(self, intervention: Fork | None, steps: int) -> str:
        """Why a training of `steps` steps under this intervention cannot have this probe; empty where it can."""
        return ""


class Anatomy(ProbeRecord):
    """The first spike, step by step: eigenpairs and the motion along them.

    On a run the window reaches from `before` steps before the onset to `after` steps after the recovery (at most
    `longest` steps in all); on a fork, which may have no annealing, it is the whole fork. Records, with W window steps, K
    eigenpairs, M held-out points and O outputs: `steps` [W], `loss` [W], `sharpness` [W, K] (eigenvalues, algebraically
    largest first), `residual` [W, K] (relative), `swing` [W, K] ((g_t - g_{t-1}) . v_k(t)), `next_swing` [W, K]
    ((g_{t+1} - g_t) . v_k(t)), `gradient_curvature` [W] (gHg/gg); with `outputs` also `outputs` [W, M, O], the function on
    the held-out points; snapshots at landmarks.
    """

    added: ClassVar[frozenset[str]] = frozenset({"alone", "outputs"})

    kind: Literal["anatomy"] = "anatomy"
    alone: bool = Field(False, description="for a single run: faster for one, slower for many")
    before: int = Field(600, ge=0)
    after: int = Field(60, ge=0)
    longest: int = Field(1_500, ge=1)
    pairs: int = Field(2, ge=1, le=12)
    outputs: bool = False
    definition: SpikeDefinition = SpikeDefinition()

    def refusal(self, intervention: Fork | None, steps: int) -> str:
        """Refuses forks with an annealing."""
        if intervention is None or not intervention.anneal:
            return ""
        return (
            f"anneal={intervention.anneal!r}: probe Anatomy measures motion as differences between steps of one learning "
            "rate; use anneal=0, or probe Trail or Balance"
        )


class SharpnessTrace(ProbeRecord):
    """Sharpness over the whole run, at every checkpoint or at every step.

    Records `steps` [W], `sharpness` [W, 1] and `residual` [W, 1] (relative); with `every_step` also `products` [1], the
    number of Hessian-vector products.
    """

    added: ClassVar[frozenset[str]] = frozenset({"alone", "every_step"})

    kind: Literal["sharpness"] = "sharpness"
    alone: bool = Field(False, description="for a single run: faster for one, slower for many")
    every_step: bool = Field(False, description="tracked at every step, with about one Hessian-vector product a step")

    @property
    def resumes(self) -> bool:
        """False: the probe reads checkpoints or trains from the start."""
        return False


class Trail(ProbeRecord):
    """The whole run at every checkpoint, including the annealing of a fork.

    Records, with C checkpoints, H neurons of the first hidden layer, D inputs, M held-out points and O outputs: `steps` [C],
    `sharpness` [C, 1] and `residual` [C, 1] (relative; preconditioned where the update rule is), `gradient_curvature` [C]
    (gHg/gg), `input_weights` [C, H, D + 1], `outputs` [C, M, O].
    """

    kind: Literal["trail"] = "trail"

    @property
    def resumes(self) -> bool:
        """False: the probe reads checkpoints."""
        return False


class Directions(ProbeRecord):
    """How the outputs change along the top eigendirections at one state.

    Records, with K eigenpairs, N training points, M held-out points and O outputs: `values` [K], `residual` [K] (relative),
    `deviation` [K, M, O] (J v_k on the held-out points), `outputs` [M, O], `train_outputs` [N, O], and `own` [M, O], the
    deviation J J'r along the direction that the held-out residual r itself spans; with R `random` directions also
    `random_deviation` [R, M, O], J u for uniformly distributed unit vectors u that depend on the seed alone.
    """

    added: ClassVar[frozenset[str]] = frozenset({"random"})

    kind: Literal["directions"] = "directions"
    at: Literal["onset", "peak", "end"] = "end"
    pairs: int = Field(12, ge=1, le=64)
    random: int = Field(
        0, ge=0, le=64, description="random directions in parameter space, measured in addition to the pairs"
    )
    definition: SpikeDefinition = SpikeDefinition()

    @property
    def reads_ends(self) -> bool:
        """True for the probe at the end."""
        return self.at == "end"

    @property
    def resumes(self) -> bool:
        """True for the probe at a landmark of a spike."""
        return not self.reads_ends

    def refusal(self, intervention: Fork | None, steps: int) -> str:
        """Refuses forks unless the probe is at the end."""
        if intervention is None or self.reads_ends:
            return ""
        return f"probe Directions(at={self.at!r}): a fork is measured at its end only; use at='end'"


class Stability(ProbeRecord):
    """The linearised update at the landmarks of the first spike: the factor by which deviations across the valley grow.

    Records `onset`, `peak` and `recovery`, where the spike has them. Each is [3]: the modulus of the largest eigenvalue with
    a negative real part, the spectral radius, and the residual of that eigenvalue.
    """

    kind: Literal["stability"] = "stability"
    definition: SpikeDefinition = SpikeDefinition()


class Balance(ProbeRecord):
    """Self-stabilisation at the edge of stability: the oscillation across the valley, and the size that stops sharpening.

    With the first eigenpair (lambda, v) and the gradient g of a state, x = g.v/lambda is its distance from the bottom of the
    valley, which is the state minus x v. At the bottom, g' is the gradient and r the gradient of the sharpness (of v.Hv)
    without its component along v. Then alpha = -g'.r is the rise of the sharpness without oscillation, per learning rate and
    step, and beta = r.r. For gradient descent at the edge the mean of x^2 over time is 2 alpha/beta. All quantities are those
    of the full batch's training loss, whatever the update rule. Source: Damian et al., arXiv 2209.15594.

    On a run, measurements begin at step `since`; on a fork, `since` steps after its start, and they continue through its
    annealing. Records, with W measurements: `steps` [W], `sharpness` [W] (lambda), `residual` [W, 1] (relative),
    `displacement` [W] (x; v keeps its sign from one to the next), `sharpening` [W] (alpha), `steepness` [W] (beta).
    """

    kind: Literal["balance"] = "balance"
    every: int = Field(5, ge=1, description="steps between two measurements")
    since: int = Field(0, ge=0, description="steps before the first measurement")

    def refusal(self, intervention: Fork | None, steps: int) -> str:
        """Refuses trainings that end before the first measurement."""
        if self.since < steps:
            return ""
        return f"probe Balance(since={self.since!r}): only {steps:,} steps are trained; use a smaller since"


class Finish(ProbeRecord):
    """The distance from the stability threshold early and late in training, and the test loss: measurements for a gate.

    A reversal is minus the smallest real part among the eigenvalues of the linearised update: -1 where the loss has no
    curvature, 1 at the stability threshold; eta lambda - 1 for gradient descent. Records, with C checkpoints of the last
    quarter: `steps` [C], the reversals `late` [C] and their `residual` [C], the reversals `early` [period] where the
    training lasts that long, and `test_loss` [1] where points are held out.
    """

    kind: Literal["finish"] = "finish"
    looks: int = Field(4, ge=1, le=64, description="checkpoints measured, spread over the last quarter")
    early: int = Field(20, ge=1, description="updates made before the first measurement")
    period: int = Field(
        8, ge=1, le=64, description="consecutive early updates measured, since an update rule may be periodic"
    )
    edges: bool = Field(
        True, description="whether to measure the stability threshold at all: it is expensive for large nets"
    )
    instrument: Literal["central differences"] = Field(
        "central differences", description="used for every update rule, so that two optimizers are measured alike"
    )


class BatchSharpness(ProbeRecord):
    """The curvature that single batches have along their own gradients, over the whole of a workload's training.

    With a batch's own gradient g and Hessian H, batch sharpness is the mean of gHg over the mean of gg (arXiv 2412.20553).
    Only workloads are measured so. Records, with W looks: `steps` [W], `batch_sharpness` [W], `random_curvature` [W] (uHu of
    the same batches along random unit vectors u), `sharpness` [W, 1] and `residual` [W, 1] (of the loss over all batches of
    an epoch; relative).
    """

    kind: Literal["batch-sharpness"] = "batch-sharpness"
    batches: int = Field(64, ge=1, description="batches a look, at most")

    def refusal(self, intervention: Fork | None, steps: int) -> str:
        """Refuses forks: a workload has none."""
        return "" if intervention is None else "probe BatchSharpness: measures whole trainings of workloads only"


Probe = Annotated[
    Anatomy | SharpnessTrace | Trail | Directions | Stability | Balance | Finish | BatchSharpness,
    Field(discriminator="kind"),
]
