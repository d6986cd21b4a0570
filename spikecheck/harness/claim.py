"""What a claim is: a statement, where it is said to hold, what would show it, and what must not."""

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from spikecheck.core.errors import SettingError, UnknownName
from spikecheck.core.explanation import Explanation
from spikecheck.core.probe import Anatomy, Probe
from spikecheck.core.run import Run
from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.domain import Domain, Map
from spikecheck.harness.source_digest import source_of
from spikecheck.stats.prediction import Average, Estimand

if TYPE_CHECKING:
    from spikecheck.objective.objective import ProblemArrays

# Largest relative residual of the first eigenpair that a verdict may rest on. The eigenvalue's relative error is at most
# the residual, and of the order of its square where the next eigenvalue is not close.
RESIDUAL_LIMIT = 1e-2


@dataclass(frozen=True)
class Trial:
    """Everything trained for one setting and one seed."""

    setting: Setting
    seed: int
    trunk: Run
    """The training itself, without probes or forks; its spikes are those of the claim's definition."""
    arms: Mapping[str, Run]
    """By the claim's names; an arm that could not be forked is absent."""
    lost: bool = False
    """Whether an arm is absent since what it was to be looked at in has diverged."""
    other: "Trial | None" = None
    """The trial of another seed at the same setting, for controls that exchange members."""

    def __getitem__(self, arm: str) -> Run:
        if arm not in self.arms:
            raise UnknownName("arm", arm, self.arms)
        return self.arms[arm]

    def problem(self, arm: str | None = None) -> "ProblemArrays":
        """The data that an arm, or else the trunk, was trained on and looked at with."""
        # Brings torch, which the claims' own import may not: `spikecheck list` has 0.4 s.
        from spikecheck.objective.objective import numbers_of  # noqa: PLC0415

        return numbers_of((self.trunk if arm is None else self.arms[arm]).setting)

    @property
    def threshold(self) -> float:
        """The stability threshold of the update rule at its learning rate: 2/lr for gradient descent.

        Raises:
            SettingError: when no formula for it is known.
        """
        from spikecheck.training.rule_for import threshold_of  # noqa: PLC0415 - as in `problem`

        found = threshold_of(self.setting)
        if found is None:
            raise SettingError(f"optimizer={self.setting.optimizer!r}: no formula for its stability threshold is known")
        return found

    @property
    def diverged(self) -> bool:
        """Whether any of its trainings left the numbers."""
        return self.lost or self.trunk.diverged or any(run.diverged for run in self.arms.values())

    @property
    def unresolved(self) -> bool:
        """Whether the first eigenpair of any record has a residual too large to rest a verdict on, or none at all."""
        residuals = [r["residual"] for run in self.arms.values() for r in run.records.values() if "residual" in r]
        firsts = [residual[:, 0] if residual.ndim == 2 else residual[:1] for residual in residuals]
        return any(len(first) == 0 or float(first.max()) > RESIDUAL_LIMIT for first in firsts)


Arm = Callable[[Setting], Setting]
Measure = Callable[[Trial], float]
Plant = Callable[[Trial], Trial]
Given = TypeVar("Given")


def described(words: str, function: Callable[..., Given], /, **arguments: Any) -> Callable[..., Given]:
    """A function with some of its arguments given, as `functools.partial` does it, and a claim's own words for it.

    Args:
        words: stand for it in explanations and reports, as the first line of a docstring does. They decide nothing.
        function: an arm, a measure, a precondition or a plant; what it takes first is left open.
        arguments: its keyword arguments.

    >>> half = described("Half the learning rate.", lambda setting, times: setting.but(lr=setting.lr / times), times=2)
    >>> half(Setting(lr=0.1)).lr, half.__doc__
    (0.05, 'Half the learning rate.')
    """
    given = partial(function, **arguments)
    given.__doc__ = words
    return given


def unchanged(setting: Setting) -> Setting:
    """The run itself."""
    return setting


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A further effect, on the same seeds: of a claim about a share in each of them, of one about an average over them."""

    measure: Measure
    unit: str
    predicts: Estimand


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A claim with one of its cut-offs moved, where that is not in its measure alone; None keeps the claim's own."""

    measure: Measure | None = None
    applies: Callable[[Trial], bool] | None = None
    also: tuple[Condition, ...] | None = None
    arms: Mapping[str, Arm] | None = None
    predicts: Estimand | None = None

    def of(self, claim: "Claim") -> "Claim":
        """The claim so changed."""
        return replace(
            claim,
            measure=self.measure or claim.measure,
            applies=self.applies or claim.applies,
            also=claim.also if self.also is None else self.also,
            arms=self.arms or claim.arms,
            predicts=self.predicts or claim.predicts,
        )


def limits(predicts: Estimand, **values: tuple[float, ...]) -> dict[str, Variant]:
    """A claim's limits moved, as cut-offs: by the limit's name the values that it takes in turn.

    >>> sorted(limits(Average(above=0.5), above=(0.25,)))
    ['limit above 0.25 in place of 0.5']
    """
    return {
        f"limit {name.replace('_', ' ')} {value:g} in place of {getattr(predicts, name):g}": Variant(
            predicts=replace(predicts, **{name: value})  # type: ignore[arg-type]
        )
        for name, moved in values.items()
        for value in moved
    }


@dataclass(frozen=True, kw_only=True)
class Control:
    """The claim's rule on something of which the right answer is known.

    A negative control lacks the mechanism and must not hold; a positive one has a planted effect of the size claimed and must.
    """

    says: str
    measure: Measure | None = None
    """Reads the same trials otherwise; None: the claim's own measure."""
    arms: Mapping[str, Arm] | None = None
    """Other arms under the names that the measure reads; None: the claim's own arms."""
    plant: Plant | None = None
    """Changes what was recorded before the claim's own measure reads it; None: as it was recorded."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of a paper as an executable check. A file under claims/ holds one, named `claim`."""

    says: str
    """The statement, as close to the source's words as can be."""
    where: str
    """Source, version and place."""
    kind: Literal["law", "tendency"]
    domain: Domain
    measure: Measure
    """The effect, one number a trial; the first line of its docstring says what it is."""
    unit: str
    predicts: Estimand
    control: Control
    """The negative control: where the claim must not hold. What does not surely exceed it does not count as holding."""
    applies: Callable[[Trial], bool]
    """The precondition: a trial without it is neither for nor against."""
    arms: Mapping[str, Arm] = field(default_factory=lambda: {"run": unchanged})
    positive: Control | None = None
    """The positive control: a planted effect that must be found. Without it a failure is INVALID: the check may be blind."""
    quotes: str = ""
    """The source's own words, as they stand there."""
    reading: str = ""
    """Which estimand those words ask for, and why."""
    cannot_tell: str = ""
    """What this check cannot tell, in two sentences."""
    probe: Probe | None = None
    """Recorded in every arm."""
    also: tuple[Condition, ...] = ()
    also_not: tuple[Control, ...] = ()
    """Further negative controls: wherever the claim is said to hold they must not, and it must surely exceed each."""
    definition: SpikeDefinition = SpikeDefinition()
    detects_spikes: bool = True
    """Whether the verdict depends on the spike definition at all."""
    cutoffs: Mapping[str, "Measure | Variant"] = field(default_factory=dict)
    """What the claim reads with a cut-off of its own halved or doubled, by what is varied."""
    far_cutoffs: Mapping[str, "Measure | Variant"] = field(default_factory=dict)
    """The same with cut-offs further off, for maps alone: what a verdict hangs on is asked by a factor of two."""
    maps: tuple[Map, ...] = ()
    """Pictures of where it holds. They decide nothing, so they are no part of the specification."""
    companions: Mapping[str, Measure] = field(default_factory=dict)
    """Further effects by their units: reported beside the verdict for the same seeds, and not judged."""
    plant: Plant | None = None
    """Of a control: changes what was recorded before it is measured."""
    until_divergence: bool = False
    """The effect is read off what comes before any divergence, so a training that diverges later is no numerical failure."""
    beside: Mapping[str, Setting] = field(default_factory=dict)
    """Settings off the ladders that are judged as well, by name."""
    further: Mapping[str, Setting] = field(default_factory=dict)
    """More such settings, too dear to be judged but under profile full."""
    costly: bool = False
    """Whether its trainings take so long that it is judged on the first look's seeds, with little of a search or none."""
    rules: Literal["any", "threshold", "gd", "own"] = "any"
    """About which update rules it can be asked: any, those of a known stability threshold, plain gradient descent, its own."""
    known: tuple[Setting, ...] = ()
    """Counterexamples confirmed before; they are judged first."""
    registered: Mapping[str, str] = field(default_factory=dict)
    """What the register of its folder says of its specifications: whether each was committed before its first verdict."""
    id: str = ""
    """The file's name without its suffix; given on discovery."""
    source: str = ""
    """The file it was read from."""
    folder: str = ""
    """The --claims-path that finds it; empty where it is found without."""
    asked_with: tuple[str, ...] = ()
    """The options that ask it about another optimizer than its own."""

    def __post_init__(self) -> None:
        for name, known in (("kind", ("law", "tendency")), ("rules", ("any", "threshold", "gd", "own"))):
            if getattr(self, name) not in known:
                raise SettingError(f"{name}={getattr(self, name)!r}: give one of {', '.join(known)}")
        if any(isinstance(condition.predicts, Average) is not self.averages for condition in self.also):
            raise SettingError(
                "also: predicts a share beside an average; let both be shares of seeds, or both averages over them"
            )

    @property
    def averages(self) -> bool:
        """Whether an average over seeds decides, and not the share of seeds that held."""
        return isinstance(self.predicts, Average)

    def holds(self, trial: Trial, score: float) -> bool:
        """Whether the prediction holds in this trial, whose effect is `score`.

        A claim about a share needs every further condition in the same trial too; averages are judged over all trials.
        """
        further = () if self.averages else self.also
        return self.predicts.held(score) and all(c.predicts.held(c.measure(trial)) for c in further)

    def under(self, cutoff: str) -> "Claim":
        """The claim with one of its cut-offs in place of its own."""
        varied = {**self.cutoffs, **self.far_cutoffs}[cutoff]
        return varied.of(self) if isinstance(varied, Variant) else replace(self, measure=varied)

    def as_control(self, control: Control | None = None) -> "Claim":
        """A control, by default the negative one, as a claim of its own, to be judged by the same rule."""
        control = control or self.control
        return replace(
            self,
            says=control.says,
            measure=control.measure or self.measure,
            arms=control.arms or self.arms,
            plant=control.plant,
            also=() if control.measure else self.also,
            companions={},
        )

    @property
    def controls(self) -> tuple[Control, ...]:
        """The negative controls, and the positive one where there is one."""
        positive = () if self.positive is None else (self.positive,)
        return (self.control, *self.also_not, *positive)

    @property
    def rule(self) -> str:
        """The decision rule in words, rendered from the predictions that decide."""
        if self.averages:
            return ", and ".join([self.predicts.says(self.unit), *(c.predicts.says(c.unit) for c in self.also)])
        further = "".join(f", and in the same seeds {c.predicts.bounds(c.unit)}" for c in self.also)
        return self.predicts.says(self.unit) + further

    @property
    def specification(self) -> str:
        """Digest of everything that decides a verdict: kind, domain, arms, probe, definition, thresholds, and the source of
        arms and measures with what they use of their own module."""
        reference = self.domain.reference
        functions: list[Callable[..., Any]] = [self.measure, self.applies, *self.arms.values()]
        for control in self.controls:
            functions += [f for f in (control.measure, control.plant, *(control.arms or {}).values()) if f is not None]
        parts = {
            "kind": self.kind,
            "domain": {name: [str(rung) for rung in ladder.rungs] for name, ladder in self.domain.axes.items()},
            "reference": reference.canonical(),
            "beside": {name: setting.canonical() for name, setting in {**self.beside, **self.further}.items()},
            "arms": {name: arm(reference).canonical() for name, arm in self.arms.items()},
            "placebo": [
                {name: arm(reference).canonical() for name, arm in (control.arms or {}).items()}
                for control in self.controls
            ],
            "probe": self.probe.canonical() if self.probe else "",
            "definition": self.definition.canonical() + (" until divergence" if self.until_divergence else ""),
            "predicts": repr(self.predicts),
            "also": [(repr(c.predicts), source_of(c.measure)) for c in self.also],
            "sources": [source_of(function) for function in functions],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def registration(self) -> str:
        """What the register says of the claim as it stands; "unknown" of another text, empty where there is no register.

        A claim that is asked about another optimizer than its own is no longer the one that was registered.
        """
        if not self.registered:
            return ""
        return "unknown" if self.asked_with else self.registered.get(self.specification, "unknown")

    @property
    def definitions(self) -> dict[str, str]:
        """What the verdict depends on and a reader has to know."""
        said = {"spike": self.definition.says()} if self.detects_spikes else {}
        said |= {"applies": _headline(self.applies), "effect": _headline(self.measure)}
        if isinstance(self.probe, Anatomy):
            said["eigenpairs"] = (
                f"relative residual of the first pair at most {RESIDUAL_LIMIT:g}, else a numerical failure"
            )
        return said

    def _control_says(self, control: Control) -> list[str]:
        """A control in words: what it is, and what is trained, changed and measured otherwise."""
        reference = self.domain.reference
        said = [control.says, *(f"{name}: {_arm_says(arm, reference)}" for name, arm in (control.arms or {}).items())]
        said += [f"planted: {_headline(control.plant)}"] if control.plant else []
        return said + ([f"measured: {_headline(control.measure)}"] if control.measure else [])

    def explain(self) -> Explanation:
        """Everything that `spikecheck explain` shows."""
        reference = self.domain.reference
        return Explanation(
            id=self.id,
            kind=self.kind,
            says=self.says,
            where=self.where,
            reference=reference.differences(Setting(steps=1)) | _always(reference),
            axes={name: list(ladder.rungs) for name, ladder in self.domain.axes.items()},
            beside={name: s.differences(reference) for name, s in {**self.beside, **self.further}.items()},
            arms=[(name, _arm_says(arm, reference)) for name, arm in self.arms.items()],
            measure=_headline(self.measure),
            unit=self.unit,
            rule=self.rule,
            control=self._control_says(self.control),
            also_not=[line for control in self.also_not for line in self._control_says(control)],
            positive=self._control_says(self.positive) if self.positive else [],
            quotes=self.quotes,
            reading=self.reading,
            cannot_tell=self.cannot_tell,
            definitions=self.definitions,
            source=self.source,
        )


def _always(reference: Setting) -> dict[str, Any]:
    """The conditions that a reader looks for first, whether or not they are the defaults."""
    names = (
        "problem",
        "target",
        "points",
        "interval",
        "width",
        "depth",
        "activation",
        "optimizer",
        "lr",
        "steps",
        "dtype",
    )
    return {name: getattr(reference, name) for name in names}


def _headline(function: Callable[..., Any]) -> str:
    """The first line of a docstring, without its full stop; the name where there is none.

    `described` brings words of its own. Otherwise arguments fill in the names in braces, as in `{horizon} steps`.
    """
    given: dict[str, Any] = {}
    while isinstance(function, partial) and "__doc__" not in vars(function):
        given, function = {**function.keywords, **given}, function.func
    line = (inspect.getdoc(function) or str(getattr(function, "__name__", function))).splitlines()[0].rstrip(".")
    if "{" not in line:
        return line
    parameters = inspect.signature(function).parameters.values()
    given = {p.name: p.default for p in parameters if p.default is not p.empty} | given
    return re.sub(r"\{(\w+)\}", lambda name: _plain(given.get(name[1], name[0])), line)


def _plain(value: Any) -> str:
    """As people write it: 3,000 and 0.05."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def _arm_says(arm: Arm, reference: Setting) -> str:
    """An arm in words, with what it changes."""
    changes = arm(reference).differences(reference)
    intervention = changes.pop("intervention", None)
    said = [f"{name}={value!r}" for name, value in changes.items()]
    return "; ".join([_headline(arm), *said, *([intervention.says()] if intervention else [])])
