"""What an arm does differently from the run that it is forked from."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spikecheck.core.record import Record
from spikecheck.core.spike import SpikeDefinition

Landmark = Literal["before_onset", "onset", "end"]
Value = float | int | str | None


class Fork(Record):
    """A fork starts from the exact state of its parent at a landmark of the parent's first spike, or at its end.

    With `anneal`, plain steps at `anneal_factor` times the parent's learning rate come after the fork's own: by the update
    rule alone, on the gradient of the full batch, without constraint, noise and clipping. What oscillates across the valley
    at the parent's rate dies out, so that arms are compared where all of them are at the bottom.
    """

    added: ClassVar[frozenset[str]] = frozenset({"anneal", "anneal_factor"})

    at: Landmark = "before_onset"
    horizon: int = Field(ge=1, description="parent's steps that the fork covers in learning rate x steps")
    definition: SpikeDefinition = SpikeDefinition()
    anneal: int = Field(
        0, ge=0, description="parent's steps that the annealing after the fork covers in learning rate x steps; 0: none"
    )
    anneal_factor: float = Field(0.1, gt=0.0, le=1.0, description="learning rate of the annealing over the parent's")

    def says(self) -> str:
        """In words."""
        return f"{self._from()}{self._how()}{self._then()}"

    def _how(self) -> str:
        """What it does differently; begins with what it is joined by."""
        raise NotImplementedError

    def _then(self) -> str:
        if not self.anneal:
            return ""
        return f", then annealed: {self.anneal:,} steps of the parent's at {self.anneal_factor:g} x its learning rate"

    def _from(self) -> str:
        where = {
            "before_onset": f"{self.definition.lead} steps before the onset of the first spike",
            "onset": "the onset of the first spike",
            "end": "its end",
        }
        return f"forked at {where[self.at]}, {self.horizon:,} steps"


class Continue(Fork):
    """Goes on unchanged: the spiking arm of a pair of twins, so that both cover the same horizon."""

    kind: Literal["continue"] = "continue"

    def _how(self) -> str:
        return ", unchanged"


class LowerRate(Fork):
    """Goes on at `factor` times the learning rate for 1/`factor` as many steps: the calm twin."""

    kind: Literal["lower_rate"] = "lower_rate"
    factor: float = Field(gt=0.0, le=1.0)

    def _how(self) -> str:
        return f" of the parent's at {self.factor:g} x its learning rate for 1/{self.factor:g} as many steps"


class FreezeOutside(Fork):
    """Moves along the parent's top eigendirection at the fork and nowhere else."""

    kind: Literal["freeze_outside"] = "freeze_outside"

    def _how(self) -> str:
        return ", moving along the first eigendirection only"


class Jitter(Fork):
    """Goes on with noise on its gradients: the twin at the edge that does not spike.

    What the noise keeps alive along the first eigendirection stabilises the sharpness long before it has grown to a
    spike. So the learning rate, and with it the sharpness, stays that of the spiking run.
    """

    kind: Literal["jitter"] = "jitter"
    noise: float = Field(gt=0.0, description="standard deviation of the noise on every component of the gradient")

    def _how(self) -> str:
        return f", with noise of standard deviation {self.noise:g} on every component of the gradient"


class Hold(Fork):
    """Goes on as gradient descent would if it could not oscillate: the twin at the edge that neither spikes nor gets noise.

    At every step it stays at the bottom across the valley, along the first eigendirection; and what would raise its sharpness
    above the ceiling is left out of the step. The learning rate is the spiking run's, and so is the ceiling, 2/lr. What in
    the spiking run the oscillation brings about, the ceiling, is imposed here without it: a difference between the two
    is the direct effect of the oscillation at a given ceiling, and not all that the oscillation does. Source: Damian et al.,
    arXiv 2209.15594, whose constrained trajectory this is. For plain gradient descent only.
    """

    kind: Literal["hold"] = "hold"
    every: int = Field(
        5, ge=1, description="steps between two looks at the eigendirection and the sharpness's gradient"
    )
    level: float = Field(1.0, gt=0.0, description="ceiling of the sharpness, times 2/lr")

    def _how(self) -> str:
        ceiling = "2/lr" if self.level == 1.0 else f"{self.level:g} x 2/lr"
        return f", without motion across the valley, its sharpness held at {ceiling} once it is there"


class Exchange(Fork):
    """Is given another run's place along its own first eigendirection, and nothing else of it.

    The other run has the same seed and differs in the conditions `other`; both are taken at their ends.
    """

    kind: Literal["exchange"] = "exchange"
    at: Landmark = "end"
    horizon: int = Field(0, ge=0, description="steps trained after the exchange")
    other: tuple[tuple[str, Value], ...] = Field(min_length=1, description="conditions in which the other run differs")

    def _how(self) -> str:
        listed = ", ".join(f"{name}={value}" for name, value in self.other)
        return f", moved along its first eigendirection to where the same seed's run with {listed} stands"


class Inject(Fork):
    """Is moved along one eigendirection until the loss has risen `rise`-fold, and goes on from there.

    With a `factor` below 1 it goes on at so much of the learning rate, for 1/`factor` as many steps: a spike at a rate at
    which none would come.
    """

    added: ClassVar[frozenset[str]] = Fork.added | {"factor"}

    kind: Literal["inject"] = "inject"
    rank: int = Field(ge=1, le=12, description="1 is the eigendirection of the largest eigenvalue")
    rise: float = Field(gt=1.0, description="loss after the displacement over loss before it")
    factor: float = Field(1.0, gt=0.0, le=1.0, description="learning rate after the displacement over the parent's")

    def _how(self) -> str:
        slower = "" if self.factor == 1.0 else f" and at {self.factor:g} x its learning rate"
        return f", displaced along eigendirection {self.rank} to {self.rise:g} x the loss{slower}"


Intervention = Annotated[
    Continue | LowerRate | FreezeOutside | Jitter | Hold | Exchange | Inject,
    Field(discriminator="kind"),
]


def steps_of(intervention: Fork) -> int:
    """Steps the fork trains, its annealing included: stretched where the rate is lowered so that lr x steps stays equal."""
    return own_steps(intervention) + annealing_steps(intervention)


def own_steps(intervention: Fork) -> int:
    """Steps of the fork before its annealing."""
    factor = intervention.factor if isinstance(intervention, LowerRate | Inject) else 1.0
    return round(intervention.horizon / factor)


def annealing_steps(intervention: Fork) -> int:
    """Steps of its annealing."""
    return round(intervention.anneal / intervention.anneal_factor)
