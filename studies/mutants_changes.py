"""Changes of a claim, for mutations: of what its trials recorded, of its effect, and of its arms."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from spikecheck import Claim, Condition, Continue, Control, Directions, Inject, Setting, SpikeDefinition, Trial
from spikecheck.harness.claim import Arm, Measure, Plant
from studies import mutants_plants as plants

Change = Callable[[Claim, float], Claim]
"""Makes a mutated claim from a claim and the root mean square of its effects."""
Effect = Callable[[Claim, float, Measure, str], Measure]
"""Makes another measure in place of a claim's or a control's; the text names which of them it is."""


class BrokenMutation(Exception):
    """A mutation could not be carried out. That is a fault of the mutation, so it does not count as a killed mutant."""


def of_record(plant: Plant) -> Change:
    """A mutation of the records of the claim and of its controls; the controls' own plants are applied first."""

    def of(claim: Claim, scale: float) -> Claim:
        mutated = replace(_bare(claim), plant=_after(claim.plant, plant))
        return _asking_again(_with_controls(mutated, lambda c, _: replace(c, plant=_after(c.plant, plant))))

    return of


def of_effect(effect: Effect) -> Change:
    """A mutation of the deciding effect of the claim and of its controls; additional conditions stay."""

    def control(claim: Claim, scale: float, own: Control, name: str) -> Control:
        # A control without a measure of its own uses the claim's, and so the mutated one.
        return own if own.measure is None else replace(own, measure=effect(claim, scale, own.measure, name))

    def of(claim: Claim, scale: float) -> Claim:
        mutated = replace(_bare(claim), measure=effect(claim, scale, claim.measure, "claim"))
        return _with_controls(mutated, partial(control, claim, scale))

    return of


def of_arms(change: Callable[[Setting], Setting]) -> Change:
    """A mutation of the claim's arms; a control's own arms stay."""

    def of(claim: Claim, scale: float) -> Claim:
        return replace(_bare(claim), arms=_changed(claim.arms, change))

    return of


def early(claim: Claim, scale: float) -> Claim:
    """Move everything that begins at an onset a hundred steps earlier, in the claim and in its controls."""
    mutated = of_record(plants.spikes_early)(claim, scale)
    moved = replace(mutated, arms=_changed(claim.arms, _forked_early))
    return _with_controls(
        moved, lambda c, _: replace(c, arms=None if c.arms is None else _changed(c.arms, _forked_early))
    )


def at_the_end(claim: Claim, scale: float) -> Claim:
    """Measure directions at the end of the run."""
    assert isinstance(claim.probe, Directions)
    return replace(_bare(claim), probe=claim.probe.model_copy(update={"at": "end"}))


def noise(claim: Claim, scale: float, measure: Measure, name: str) -> Measure:
    """Normal numbers about 0 as large as the claim's own effects; they depend on seed, arms and control only."""

    def drawn(trial: Trial) -> float:
        arms = "".join(run.setting.canonical() for run in trial.arms.values())
        return float(scale * plants.drawn(trial, name + arms).normal())

    return drawn


def wrong_sign(claim: Claim, scale: float, measure: Measure, name: str) -> Measure:
    """The effect mirrored at its limit; at the upper one where there are two."""
    limit = claim.predicts.floor if claim.predicts.ceiling is None else claim.predicts.ceiling
    return lambda trial: 2.0 * (limit or 0.0) - measure(trial)


def constant(claim: Claim, scale: float, measure: Measure, name: str) -> Measure:
    """One number that satisfies the rule, for every trial."""
    floor, ceiling = claim.predicts.floor, claim.predicts.ceiling
    beyond = 1.0 + getattr(claim.predicts, "worth", 0.0)
    if floor is not None and ceiling is not None:
        number = (floor + ceiling) / 2
    else:
        number = floor + beyond if floor is not None else (ceiling or 0.0) - beyond
    return lambda _: number


def in_every_second_seed(effect: Effect) -> Effect:
    """The effect, mutated for even seeds and unchanged for odd ones."""

    def of(claim: Claim, scale: float, measure: Measure, name: str) -> Measure:
        mutated = effect(claim, scale, measure, name)
        return lambda trial: mutated(trial) if trial.seed % 2 == 0 else measure(trial)

    return of


def injected(rank: int, setting: Setting) -> Setting:
    """The setting with the spike replaced by a displacement at its onset along an eigendirection, to ten times the loss."""
    fork = setting.intervention
    if not isinstance(fork, Continue) or fork.at != "onset":
        return setting
    displaced = Inject(at="onset", rank=rank, rise=10.0, horizon=fork.horizon, definition=fork.definition)
    return setting.but(intervention=displaced)


def _forked_early(setting: Setting) -> Setting:
    fork = setting.intervention
    if fork is None or fork.at != "onset":
        return setting
    definition = fork.definition.model_copy(update={"lead": plants.EARLY})
    return setting.but(intervention=fork.model_copy(update={"at": "before_onset", "definition": definition}))


def _changed(arms: Mapping[str, Arm], change: Callable[[Setting], Setting]) -> dict[str, Arm]:
    def composed(arm: Arm) -> Arm:
        return lambda setting: change(arm(setting))

    return {name: composed(arm) for name, arm in arms.items()}


def _bare(claim: Claim) -> Claim:
    """The claim without companions, which decide nothing."""
    return replace(claim, companions={})


def _with_controls(claim: Claim, change: Callable[[Control, str], Control]) -> Claim:
    positive = None if claim.positive is None else change(claim.positive, "positive control")
    also_not = tuple(change(control, "further control") for control in claim.also_not)
    return replace(claim, control=change(claim.control, "control"), also_not=also_not, positive=positive)


def _after(first: Plant | None, then: Plant) -> Plant:
    """A control's plant, then the mutation; both are applied to the other seed's trial as well."""

    def planted(trial: Trial) -> Trial:
        return trial if first is None else first(trial)

    def both(trial: Trial) -> Trial:
        other = None if trial.other is None else planted(trial.other)
        mutated = _carried_out(then, replace(planted(trial), other=other))
        return replace(mutated, other=None if other is None else _carried_out(then, other))

    return both


def _carried_out(plant: Plant, trial: Trial) -> Trial:
    try:
        return plant(trial)
    except Exception as error:
        raise BrokenMutation(f"{type(error).__name__}: {error}") from error


def _asking_again(claim: Claim) -> Claim:
    """Check the precondition on the mutated record too: a trial that no longer meets it has no effect."""

    def asked(measure: Measure) -> Measure:
        return lambda trial: measure(trial) if claim.applies(trial) else float("nan")

    def condition(further: Condition) -> Condition:
        return replace(further, measure=asked(further.measure))

    mutated = replace(claim, measure=asked(claim.measure), also=tuple(map(condition, claim.also)))
    return _with_controls(mutated, lambda c, _: replace(c, measure=c.measure and asked(c.measure)))


def on_losses(plant: Callable[[Trial, SpikeDefinition], Trial]) -> Change:
    """A mutation of the losses; spikes are detected by the claim's own definition."""
    return lambda claim, scale: of_record(lambda trial: plant(trial, claim.definition))(claim, scale)
