"""The definition of a claim: a statement, its domain, its measure and prediction, and its controls."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, TypeVar

from spikecheck.core.errors import SettingError
from spikecheck.core.explanation import Explanation
from spikecheck.core.probe import Probe, ProbeRecord
from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.claim_fields import check_free, check_functions, check_kinds, check_mapping, check_text
from spikecheck.harness.claim_words import definitions_of, explanation_of
from spikecheck.harness.domain import Domain, Map
from spikecheck.harness.source_digest import source_of
from spikecheck.harness.trial import RESIDUAL_LIMIT, Trial
from spikecheck.harness.user_functions import called_for_a
from spikecheck.stats.prediction import Average, Equivalence, Estimand, Prediction

__all__ = [
    "RESIDUAL_LIMIT",
    "Arm",
    "Claim",
    "Condition",
    "Control",
    "Measure",
    "Plant",
    "Trial",
    "Variant",
    "described",
    "limits",
    "unchanged",
]

Arm = Callable[[Setting], Setting]
Measure = Callable[[Trial], float]
Plant = Callable[[Trial], Trial]
Given = TypeVar("Given")
_RULES = (Prediction, Average, Equivalence)


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
    """An additional effect on the same seeds that must also be as predicted.

    For a claim about a share it must be so in each seed; for a claim about an average, its average must be.
    """

    measure: Measure
    unit: str
    predicts: Estimand

    def __post_init__(self) -> None:
        check_text(self, "unit")
        check_functions(self, "measure")
        check_kinds(self, {"predicts": _RULES})


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A claim with one of its cut-offs changed, where the change affects more than its measure; None keeps the claim's own."""

    measure: Measure | None = None
    applies: Callable[[Trial], bool] | None = None
    also: tuple[Condition, ...] | None = None
    arms: Mapping[str, Arm] | None = None
    predicts: Estimand | None = None

    def of(self, claim: "Claim") -> "Claim":
        """The changed claim."""
        return replace(
            claim,
            measure=self.measure or claim.measure,
            applies=self.applies or claim.applies,
            also=claim.also if self.also is None else self.also,
            arms=self.arms or claim.arms,
            predicts=self.predicts or claim.predicts,
        )


def limits(predicts: Estimand, **values: tuple[float, ...]) -> dict[str, Variant]:
    """Variants of a claim with changed limits, for use as cut-offs; `values` gives each limit's new values by its name.

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
    """The claim's rule applied where the correct answer is known.

    A negative control lacks the mechanism and must not hold. A positive control has a planted effect of the claimed size and
    must hold.
    """

    says: str
    measure: Measure | None = None
    """Another measure of the same trials; None: the claim's own measure."""
    arms: Mapping[str, Arm] | None = None
    """Other arms under the names that the measure reads; None: the claim's own arms."""
    plant: Plant | None = None
    """Changes the recorded data before the measure reads them; None: no change."""

    def __post_init__(self) -> None:
        check_text(self, "says")
        check_functions(self, "measure", "arms", "plant")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of a paper as an executable check. A file under claims/ defines one, named `claim`."""

    says: str
    """The statement, as close to the source's words as possible."""
    where: str
    """The source, its version, and the place in it."""
    kind: Literal["law", "tendency"]
    domain: Domain
    measure: Measure
    """The effect, one number a trial; reports show the first line of its docstring."""
    unit: str
    predicts: Estimand
    control: Control
    """The negative control, where the claim must not hold. To count as holding, the claim must significantly exceed it."""
    applies: Callable[[Trial], bool]
    """The precondition: a trial that does not meet it counts neither for nor against the claim."""
    arms: Mapping[str, Arm] = field(default_factory=lambda: {"run": unchanged})
    positive: Control | None = None
    """The positive control: a planted effect that the check must find. Without it a failing claim is INVALID, since the
    check may be unable to find any effect."""
    quotes: str = ""
    """The source's own words, verbatim."""
    reading: str = ""
    """Which estimand the quoted words call for, and why."""
    cannot_tell: str = ""
    """What this check cannot show, in two sentences."""
    probe: Probe | None = None
    """The probe that records every arm."""
    also: tuple[Condition, ...] = ()
    """Additional effects that must also be as predicted."""
    also_not: tuple[Control, ...] = ()
    """Additional negative controls: where the claim holds they must not hold, and it must significantly exceed each."""
    definition: SpikeDefinition = SpikeDefinition()
    detects_spikes: bool = True
    """Whether the verdict depends on the spike definition at all."""
    cutoffs: Mapping[str, "Measure | Variant"] = field(default_factory=dict)
    """The claim's measure with one of its cut-offs halved or doubled, by a description of the change."""
    far_cutoffs: Mapping[str, "Measure | Variant"] = field(default_factory=dict)
    """Cut-offs that differ by more than a factor of two. They appear in maps only; `sensitivity` uses `cutoffs`."""
    maps: tuple[Map, ...] = ()
    """Maps of where the claim holds. They decide nothing, so they are not part of the specification."""
    companions: Mapping[str, Measure] = field(default_factory=dict)
    """Additional effects by unit, on the same seeds: they are reported with the verdict and not judged."""
    plant: Plant | None = None
    """For a control: changes the recorded data before they are measured."""
    until_divergence: bool = False
    """Whether the effect is measured before any divergence, so that a later divergence is no numerical failure."""
    beside: Mapping[str, Setting] = field(default_factory=dict)
    """Settings off the ladders that are judged as well, by name."""
    further: Mapping[str, Setting] = field(default_factory=dict)
    """Expensive settings off the ladders, by name; they are judged with --profile full only."""
    costly: bool = False
    """Whether trainings are so expensive that only the first look's seeds are judged, with a small search or none."""
    rules: Literal["any", "threshold", "gd", "own"] = "any"
    """The update rules it can be verified with: any, those with a known stability threshold, plain gradient descent, or its
    own only."""
    known: tuple[Setting, ...] = ()
    """Counterexamples that were confirmed earlier; they are judged first."""
    registered: Mapping[str, str] = field(default_factory=dict)
    """For each specification in its folder's register: whether it was committed before its first verdict."""
    id: str = ""
    """The file's name without its suffix; set on discovery."""
    source: str = ""
    """The file it was read from."""
    folder: str = ""
    """The --claims-path that finds it; empty if not needed."""
    asked_with: tuple[str, ...] = ()
    """The options that verify it with another optimizer than its own."""

    def __post_init__(self) -> None:
        for name, known in (("kind", ("law", "tendency")), ("rules", ("any", "threshold", "gd", "own"))):
            if getattr(self, name) not in known:
                raise SettingError(f"{name}={getattr(self, name)!r}: give one of {', '.join(known)}")
        self._check_fields()
        if any(isinstance(condition.predicts, Average) is not self.averages for condition in self.also):
            raise SettingError(
                "also: mixes a share and an average; let both be shares of seeds, or both averages over them"
            )

    def _check_fields(self) -> None:
        """Refuse a part that is of another kind than it has to be, before anything is trained with it."""
        check_text(self, "says", "where", "unit", "quotes", "reading", "cannot_tell")
        for name, kind in (("arms", object), ("companions", object), ("beside", Setting), ("further", Setting)):
            check_mapping(self, name, kind)
        check_functions(self, "measure", "applies", "arms", "companions", "plant")
        single: dict[str, type | tuple[type, ...]] = {
            "domain": Domain,
            "predicts": _RULES,
            "control": Control,
            "definition": SpikeDefinition,
        }
        single |= {"positive": (Control, type(None)), "probe": (ProbeRecord, type(None))}
        check_kinds(self, single)
        check_kinds(self, {"also": Condition, "also_not": Control, "maps": Map, "known": Setting}, several=True)
        check_free("beside", (*self.beside, *self.further))

    @property
    def averages(self) -> bool:
        """Whether an average over seeds decides, and not a share of seeds."""
        return isinstance(self.predicts, Average)

    def under(self, cutoff: str) -> "Claim":
        """The claim with one of its cut-offs changed; `cutoff` is a key of `cutoffs` or `far_cutoffs`."""
        varied = {**self.cutoffs, **self.far_cutoffs}[cutoff]
        return varied.of(self) if isinstance(varied, Variant) else replace(self, measure=varied)

    def as_control(self, control: Control | None = None) -> "Claim":
        """A control, by default the negative one, as a claim that is judged by the same rule."""
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
        """The negative controls, then the positive one if there is one."""
        positive = () if self.positive is None else (self.positive,)
        return (self.control, *self.also_not, *positive)

    @property
    def rule(self) -> str:
        """The decision rule in words, made from the predictions that decide."""
        if self.averages:
            return ", and ".join([self.predicts.says(self.unit), *(c.predicts.says(c.unit) for c in self.also)])
        further = "".join(f", and in the same seeds {c.predicts.bounds(c.unit)}" for c in self.also)
        return self.predicts.says(self.unit) + further

    @property
    def specification(self) -> str:
        """Digest of everything that decides a verdict: kind, domain, arms, probe, spike definition, thresholds, and the
        source of arms and measures with the functions and constants they use from their own module."""
        reference = self.domain.reference
        functions: list[Callable[..., Any]] = [self.measure, self.applies, *self.arms.values()]
        for control in self.controls:
            functions += [f for f in (control.measure, control.plant, *(control.arms or {}).values()) if f is not None]
        parts = {
            "kind": self.kind,
            "domain": {name: [str(rung) for rung in ladder.rungs] for name, ladder in self.domain.axes.items()},
            "reference": reference.canonical(),
            "beside": {name: setting.canonical() for name, setting in {**self.beside, **self.further}.items()},
            "arms": {name: self.arm_at_reference(name, arm).canonical() for name, arm in self.arms.items()},
            "placebo": [
                {name: self.arm_at_reference(name, arm).canonical() for name, arm in (control.arms or {}).items()}
                for control in self.controls
            ],
            "probe": self.probe.canonical() if self.probe else "",
            "definition": self.definition.canonical() + (" until divergence" if self.until_divergence else ""),
            "predicts": repr(self.predicts),
            "also": [(repr(c.predicts), source_of(c.measure)) for c in self.also],
            "sources": [source_of(function) for function in functions],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def arm_at_reference(self, name: str, arm: Arm) -> Setting:
        """The setting of an arm of this claim or of its controls, at the reference.

        Raises:
            ClaimError: the arm raises, or returns no setting.
        """
        return called_for_a(Setting, self, f"arm {name!r}", arm, self.domain.reference)

    @property
    def registration(self) -> str:
        """The register's entry for the claim's current specification.

        "unknown" if the register has another specification, or if the claim is verified with another optimizer than its own,
        since that is not the claim that was registered. Empty if there is no register.
        """
        if not self.registered:
            return ""
        return "unknown" if self.asked_with else self.registered.get(self.specification, "unknown")

    @property
    def definitions(self) -> dict[str, str]:
        """Definitions on which the verdict depends, in words, by term."""
        return definitions_of(self)

    def explain(self) -> Explanation:
        """The claim in words, for `spikecheck explain`."""
        return explanation_of(self)
