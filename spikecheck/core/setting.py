"""The conditions of one training. A setting and a seed determine a run."""

import json
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.intervention import Hold, Intervention, Retune
from spikecheck.core.record import Record

# Hyperparameters of each update rule other than its learning rate, with torch.optim's defaults.
OPTIMIZERS: dict[str, dict[str, float]] = {
    "gd": {"weight_decay": 0.0},
    "heavy-ball": {"momentum": 0.9, "weight_decay": 0.0},
    "nesterov": {"momentum": 0.9, "weight_decay": 0.0},
    "rmsprop": {"beta2": 0.99, "eps": 1e-8, "weight_decay": 0.0},
    "adam": {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0},
    "adamw": {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01},
}
_NUMERIC = (int, float, int | None, float | None)
_NUMBERS = ("momentum", "beta1", "beta2", "eps", "weight_decay")

# Members of one ensemble may differ in these conditions; they share all others, and so one computation.
PER_MEMBER = frozenset({"target", "interval", "gamma", "input_std", "output_std", "init_scale", "lr"})


Option = bool | int | float | str | None
Options = tuple[tuple[str, Option | tuple[Option, ...]], ...]
"""Names and values of an optimizer's arguments."""


class Setting(Record):
    """All conditions of a training except its seed. Defaults are setting A of the paper: sin x, 20 points, tanh, full batch.

    >>> Setting(lr=0.1).but(width=50).width
    50
    """

    added: ClassVar[frozenset[str]] = frozenset({"batch", "gradient_noise", "options", "schedule", "clip"})

    problem: str = Field(
        "sines", description="sines, digits, few-digits, mnist1d, mnist, fashion-mnist, cifar10 or MODULE:FACTORY"
    )
    target: str = Field("sin x", description="for sines: a sum such as 'sin x + sin 4x'")
    points: int = Field(20, ge=2, description="training points; digits always has 1,347 of its 1,797 images")
    interval: float = Field(2.0, gt=0.0, description="half-length of the input interval, in units of pi")
    model: str = Field("mlp", description="mlp, linear, conv or MODULE:FACTORY of an nn.Module")
    width: int = Field(20, ge=1, le=100_000, description="neurons of a hidden layer, or channels")
    depth: int = Field(1, ge=1, le=64, description="hidden layers, or convolutions")
    activation: Literal["tanh", "relu", "gelu", "xtanh"] = "tanh"
    output_bias: bool = False
    gamma: float | None = Field(0.5, description="weights and biases ~ N(0, width^(-2 gamma))")
    input_std: float | None = Field(None, gt=0.0, description="hidden weights' and biases' standard deviation")
    output_std: float | None = Field(None, gt=0.0, description="output weights' standard deviation")
    init_scale: float = Field(1.0, gt=0.0, description="factor on every initial weight")
    loss: Literal["mse", "cross-entropy"] = "mse"
    optimizer: str = Field("gd", description="a built-in update rule, or MODULE:NAME of a torch.optim.Optimizer")
    options: Options = Field((), description="arguments other than lr of an optimizer named by MODULE:NAME")
    lr: float = Field(0.1, gt=0.0, description="learning rate")
    schedule: Literal["constant", "linear", "cosine", "warmup-cosine"] = "constant"
    clip: float | None = Field(None, gt=0.0, description="largest norm of a gradient; none: no clipping")
    momentum: float | None = Field(None, ge=0.0, lt=1.0)
    beta1: float | None = Field(None, ge=0.0, lt=1.0)
    beta2: float | None = Field(None, ge=0.0, lt=1.0)
    eps: float | None = Field(None, ge=0.0)
    weight_decay: float | None = Field(None, ge=0.0)
    steps: int = Field(5_000, ge=1, le=100_000_000)
    batch: int | None = Field(None, ge=1, description="points a step, reshuffled in every epoch; none: the full batch")
    gradient_noise: float = Field(0.0, ge=0.0, description="standard deviation of noise on every gradient component")
    dtype: Literal["float64", "float32"] = "float64"
    intervention: Intervention | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in_what_the_rule_needs(cls, values: Any) -> Any:
        """Fill in defaults of the update rule's hyperparameters; explicit standard deviations replace gamma."""
        if not isinstance(values, dict):
            return values
        filled = dict(values)
        for name, value in filled.items():
            if isinstance(value, bool) and name in cls.model_fields and cls.model_fields[name].annotation in _NUMERIC:
                raise SettingError(f"{name}={value!r}: is not a number; give one")  # True would count as 1
        optimizer = filled.get("optimizer", "gd")
        if not isinstance(optimizer, str):
            return values  # refused as a field that is no text
        if optimizer not in OPTIMIZERS and ":" not in optimizer:
            raise UnknownName("optimizer", optimizer, [*OPTIMIZERS, "MODULE:NAME"])
        for name, default in OPTIMIZERS.get(optimizer, {}).items():
            filled[name] = default if filled.get(name) is None else filled[name]
        if filled.get("input_std") is not None or filled.get("output_std") is not None:
            filled["gamma"] = None
        return filled

    @model_validator(mode="after")
    def _agree_with_itself(self) -> Self:
        for name in _NUMBERS:
            if getattr(self, name) is not None and name not in OPTIMIZERS.get(self.optimizer, {}):
                remedy = "give it as an option" if self.named else "leave it out"
                raise SettingError(f"{name}={getattr(self, name)!r}: not a condition of {self.optimizer}; {remedy}")
        if self.options and not self.named:
            raise SettingError(
                f"options={dict(self.options)!r}: {self.optimizer} is built in and takes no options; "
                "give its hyperparameters as conditions"
            )
        if isinstance(self.intervention, Hold) and self.optimizer != "gd":
            raise SettingError(
                f"optimizer={self.optimizer!r}: the intervention hold is for plain gradient descent only; use gd"
            )
        if isinstance(self.intervention, Retune):
            self._can_be_retuned(self.intervention)
        stds = (self.input_std, self.output_std)
        if (self.gamma is None) != (None not in stds):
            raise SettingError(f"input_std, output_std={stds!r}: give both, or give gamma alone")
        return self

    def _can_be_retuned(self, fork: Retune) -> None:
        known = OPTIMIZERS.get(self.optimizer, {})
        for name, value in fork.numbers:
            if name not in known:
                raise SettingError(
                    f"optimizer={self.optimizer!r}: the intervention retune cannot change {name}; "
                    f"{'known: ' + ', '.join(known) if known else 'use a built-in optimizer'}"
                )
            self.but(intervention=None, **{name: value})  # refuses a value out of its range
        if fork.empties_momentum and not known.keys() & {"momentum", "beta1"}:
            raise SettingError(
                f"optimizer={self.optimizer!r}: has no momentum that the intervention retune could empty; use adam"
            )

    def but(self, **changes: Any) -> "Setting":
        """This setting with some conditions changed. A new optimizer starts from its own default hyperparameters.

        Raises:
            UnknownName: a name that is no condition of a setting.
            SettingError: a value outside its range, or one that contradicts another condition.
        """
        unknown = set(changes) - set(Setting.model_fields)
        if unknown:
            raise UnknownName("condition of a setting", min(unknown), Setting.model_fields)
        kept: dict[str, Any] = {name: getattr(self, name) for name in Setting.model_fields}
        if changes.get("optimizer", self.optimizer) != self.optimizer:
            kept.update(dict.fromkeys(_NUMBERS), options=())
        if changes.get("gamma") is not None:
            kept.update(input_std=None, output_std=None)
        return Setting(**(kept | changes))

    @property
    def named(self) -> bool:
        """Whether the optimizer is named by MODULE:NAME."""
        return ":" in self.optimizer

    @property
    def signature(self) -> str:
        """The conditions, as JSON, that two runs must share to be trained as one ensemble."""
        shared = self.model_dump(mode="json", exclude=set(PER_MEMBER))
        return json.dumps(shared, sort_keys=True, separators=(",", ":"))

    @property
    def exact(self) -> bool:
        """Whether trainings follow the full batch's gradient as it is: not a mini-batch's, and neither noisy nor clipped."""
        return self.batch is None and self.gradient_noise == 0.0 and self.clip is None

    def differences(self, other: "Setting") -> dict[str, Any]:
        """The conditions in which this setting differs from another, with this setting's values."""
        pairs = ((name, getattr(self, name), getattr(other, name)) for name in Setting.model_fields)
        return {name: mine for name, mine, theirs in pairs if mine != theirs}

    def changes_from(self, other: "Setting") -> dict[str, Any]:
        """The changes with which `other.but` returns this setting.

        These are not the differences where the optimizer changes: its numbers then start from its own defaults.

        >>> plain = Setting(optimizer="adam")
        >>> Setting(optimizer="adamw", weight_decay=0.0).changes_from(plain)
        {'optimizer': 'adamw', 'weight_decay': 0.0}
        """
        changed = {name: getattr(other, name) for name in Setting.model_fields}
        if self.optimizer != other.optimizer:
            changed |= dict.fromkeys(_NUMBERS) | OPTIMIZERS.get(self.optimizer, {}) | {"options": ()}
        return {name: mine for name, theirs in changed.items() if (mine := getattr(self, name)) != theirs}
