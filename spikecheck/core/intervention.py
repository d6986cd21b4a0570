"""Interventions: what an arm does differently from the run that it is forked from."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from spikecheck.core.errors import SettingError
from spikecheck.core.record import Record
from spikecheck.core.spike import SpikeDefinition

Landmark = Literal["before_onset", "onset", "end"]
Value = float | int | str | None


class Fork(Record):
    """A fork starts from the exact state of its parent at a landmark of the parent's first spike, or at its end.

    With `anneal`, the fork's own steps are followed by plain steps at `anneal_factor` times the parent's learning rate: the
    update rule on the gradient of the full batch, without constraint, noise or clipping. The oscillation across the valley
    at the parent's rate then dies out, so that arms are compared when all of them are at the bottom of the valley.
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
        """The intervention in words."""
        return f"{self._from()}{self._how()}{self._then()}"

    def _how(self) -> str:
        """What the fork does differently, as the end of a sentence; begins with its comma or space."""
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
    """Continues unchanged: the spiking arm of a pair of twins, so that both cover the same horizon."""

    kind: Literal["continue"] = "continue"

    def _how(self) -> str:
        return ", unchanged"


class LowerRate(Fork):
    """Continues at `factor` times the learning rate for 1/`factor` as many steps: the calm twin."""

    kind: Literal["lower_rate"] = "lower_rate"
    factor: float = Field(gt=0.0, le=1.0)

    def _how(self) -> str:
        return f" of the parent's at {self.factor:g} x its learning rate for 1/{self.factor:g} as many steps"


class FreezeOutside(Fork):
    """Moves only along the parent's top eigendirection at the fork."""

    kind: Literal["freeze_outside"] = "freeze_outside"

    def _how(self) -> str:
        return ", moving along the first eigendirection only"


class Jitter(Fork):
    """Continues with noise on its gradients: the twin at the edge of stability that does not spike.

    Noise keeps a small oscillation along the first eigendirection alive, which stabilises the sharpness before it can grow
    into a spike. The learning rate, and with it the sharpness, therefore stays that of the spiking run.
    """

    kind: Literal["jitter"] = "jitter"
    noise: float = Field(gt=0.0, description="standard deviation of the noise on every component of the gradient")

    def _how(self) -> str:
        return f", with noise of standard deviation {self.noise:g} on every component of the gradient"


class Hold(Fork):
    """Continues as gradient descent without oscillation: the twin at the edge that neither spikes nor receives noise.

    Every step stays at the bottom of the valley along the first eigendirection, and the part of the step that would raise
    the sharpness above the ceiling is removed. The learning rate and the ceiling, 2/lr, are those of the spiking run. There
    the oscillation enforces the ceiling; here it is imposed. A difference between the two runs is therefore the direct
    effect of the oscillation at a given ceiling, and not its total effect. Only for plain gradient descent. Source: the
    constrained trajectory of Damian et al., arXiv 2209.15594.
    """

    kind: Literal["hold"] = "hold"
    every: int = Field(
        5, ge=1, description="steps between two updates of the eigendirection and of the sharpness's gradient"
    )
    level: float = Field(1.0, gt=0.0, description="ceiling of the sharpness, times 2/lr")

    def _how(self) -> str:
        ceiling = "2/lr" if self.level == 1.0 else f"{self.level:g} x 2/lr"
        return f", without motion across the valley, its sharpness held at {ceiling} once it is there"


class Exchange(Fork):
    """Moves to another run's coordinate along its own first eigendirection; all other coordinates stay.

    The other run has the same seed and differs in the conditions `other`; both are compared at their last steps.
    """

    kind: Literal["exchange"] = "exchange"
    at: Landmark = "end"
    horizon: int = Field(0, ge=0, description="steps trained after the exchange")
    other: tuple[tuple[str, Value], ...] = Field(min_length=1, description="conditions in which the other run differs")

    def _how(self) -> str:
        listed = ", ".join(f"{name}={value}" for name, value in self.other)
        return f", moved along its first eigendirection to where the same seed's run with {listed} stands"


class Inject(Fork):
    """Is displaced along one eigendirection until the loss has risen `rise`-fold, and continues from there.

    With a `factor` below 1 it continues at `factor` times the learning rate for 1/`factor` as many steps: a spike at a rate
    at which none would arise by itself.
    """

    added: ClassVar[frozenset[str]] = Fork.added | {"factor"}

    kind: Literal["inject"] = "inject"
    rank: int = Field(ge=1, le=12, description="1 is the eigendirection of the largest eigenvalue")
    rise: float = Field(gt=1.0, description="loss after the displacement over loss before it")
    factor: float = Field(1.0, gt=0.0, le=1.0, description="learning rate after the displacement over the parent's")

    def _how(self) -> str:
        slower = "" if self.factor == 1.0 else f" and at {self.factor:g} x its learning rate"
        return f", displaced along eigendirection {self.rank} to {self.rise:g} x the loss{slower}"


class Retune(Fork):
    """Continues with other hyperparameters of its optimizer, or with its momentum emptied.

    Only for built-in optimizers. A second moment that is averaged over fewer steps from the fork on starts from the value
    that it had, bias correction included, so that nothing but its speed changes there.
    """

    kind: Literal["retune"] = "retune"
    numbers: tuple[tuple[str, float], ...] = Field((), description="hyperparameters that change, with their new values")
    empties_momentum: bool = Field(False, description="whether the running mean of gradients restarts from 0")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.numbers and not self.empties_momentum:
            raise SettingError("numbers=(), empties_momentum=False: retune changes nothing; give one, or use continue")
        return self

    def _how(self) -> str:
        listed = [f"{name}={value:g}" for name, value in self.numbers]
        return f", with {' and '.join(listed + ['its momentum emptied'] * self.empties_momentum)}"


Intervention = Annotated[
    Continue | LowerRate | FreezeOutside | Jitter | Hold | Exchange | Inject | Retune,
    Field(discriminator="kind"),
]


def steps_of(intervention: Fork) -> int:
    """Steps the fork trains, including its annealing. A lower rate takes more steps, so that lr x steps stays equal."""
    return own_steps(intervention) + annealing_steps(intervention)


def own_steps(intervention: Fork) -> int:
    """Steps of the fork before its annealing."""
    factor = intervention.factor if isinstance(intervention, LowerRate | Inject) else 1.0
    return round(intervention.horizon / factor)


def annealing_steps(intervention: Fork) -> int:
    """Steps of the fork's annealing."""
    return round(intervention.anneal / intervention.anneal_factor)
