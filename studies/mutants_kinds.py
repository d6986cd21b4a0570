"""Mutations of claims as values: what each one does, which claims it concerns, and how it changes a claim."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from spikecheck import Claim, Condition, Continue, Control, Directions, Inject, Setting, SpikeDefinition, Trial
from spikecheck.core.intervention import Fork
from spikecheck.harness.claim import Arm, Measure, Plant
from studies import mutants_plants as plants

Change = Callable[[Claim, float], Claim]
"""Makes a mutated claim from a claim and the root mean square of its effects."""
Effect = Callable[[Claim, float, Measure, str], Measure]
"""Makes another measure in place of a claim's or a control's; the text names which of them it is."""


class BrokenMutation(Exception):
    """A mutation could not be carried out. That is a fault of the mutation, so it does not count as a killed mutant."""


@dataclass(frozen=True)
class Mutation:
    """One way to get a claim wrong on purpose."""

    name: str
    says: str
    """What it does, in one sentence."""
    concerns: Callable[[Claim], bool]
    """Whether a claim has what the mutation changes, judged by the claim's probe and arms."""
    of: Change
    whole: str = ""
    """For a mutation in every second seed, the name of the same mutation in all seeds."""


def everything(claim: Claim) -> bool:
    """True: every claim has an effect."""
    return True


def kind(claim: Claim) -> str:
    """The kind of the claim's probe; empty without a probe."""
    return "" if claim.probe is None else claim.probe.kind


def records(*kinds: str) -> Callable[[Claim], bool]:
    """A function that says whether a claim's probe is of one of these kinds."""
    return lambda claim: kind(claim) in kinds


def has_pairs(claim: Claim) -> bool:
    """Whether the claim's probe records two eigenpairs or more."""
    return kind(claim) in ("anatomy", "directions") and getattr(claim.probe, "pairs", 1) > 1


def has_first_direction(claim: Claim) -> bool:
    """Whether the claim's probe measures along the first eigendirection."""
    return kind(claim) in ("anatomy", "directions")


def has_outputs(claim: Claim) -> bool:
    """Whether the claim's probe records outputs on held-out points."""
    return kind(claim) in ("trail", "directions") or bool(getattr(claim.probe, "outputs", False))


def has_twins(claim: Claim) -> bool:
    """Whether the claim has two arms or more."""
    return len(claim.arms) > 1


def forks(claim: Claim) -> list[Fork]:
    """The interventions of the claim's arms at the reference setting."""
    settings = (arm(claim.domain.reference) for arm in claim.arms.values())
    return [setting.intervention for setting in settings if setting.intervention is not None]


def has_weights(claim: Claim) -> bool:
    """Whether the claim uses input weights: along a trail, or at the start and end of its forks."""
    return kind(claim) == "trail" or any(fork.at == "before_onset" for fork in forks(claim))


def has_loss_alone(claim: Claim) -> bool:
    """Whether nothing that the claim measures depends on the steps of the spikes."""
    return not claim.detects_spikes or (claim.probe is None and not forks(claim))


def goes_on_from_the_onset(claim: Claim) -> bool:
    """Whether an arm continues unchanged from the onset of a spike."""
    return any(isinstance(fork, Continue) and fork.at == "onset" for fork in forks(claim))


def has_a_landmark(claim: Claim) -> bool:
    """Whether the claim measures from an onset on, in a fork or in the run itself."""
    of_the_run = kind(claim) == "anatomy" and len(forks(claim)) < len(claim.arms)
    return of_the_run or any(fork.at == "onset" for fork in forks(claim))


def looks_at_the_onset(claim: Claim) -> bool:
    """Whether the claim measures eigendirections at the onset."""
    return isinstance(claim.probe, Directions) and claim.probe.at == "onset"


def has_a_threshold(claim: Claim) -> bool:
    """Whether the claim's probe records a quantity that is compared with a stability threshold."""
    return kind(claim) in ("anatomy", "sharpness", "trail", "balance", "stability")


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


def _injected(rank: int, setting: Setting) -> Setting:
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


def _on_losses(plant: Callable[[Trial, SpikeDefinition], Trial]) -> Change:
    """A mutation of the losses; spikes are detected by the claim's own definition."""
    return lambda claim, scale: of_record(lambda trial: plant(trial, claim.definition))(claim, scale)


def concerning(claim: Claim, mutations: Iterable[Mutation]) -> list[Mutation]:
    """The mutations that change something the claim has."""
    return [mutation for mutation in mutations if mutation.concerns(claim)]


_sharpness = partial(plants.strangers, arrays=plants.SHARPNESS)

MUTATIONS = (
    Mutation(
        "noise",
        "Normal numbers about 0, as large as the claim's own effects, in place of the effect.",
        everything,
        of_effect(noise),
    ),
    Mutation(
        "noise in half",
        "The same in every second seed, the effect itself in the others.",
        everything,
        of_effect(in_every_second_seed(noise)),
        "noise",
    ),
    Mutation(
        "wrong sign",
        "The effect as far on the other side of its limit; of two limits, of the upper one.",
        everything,
        of_effect(wrong_sign),
    ),
    Mutation(
        "wrong sign in half",
        "The same in every second seed, the effect itself in the others.",
        everything,
        of_effect(in_every_second_seed(wrong_sign)),
        "wrong sign",
    ),
    Mutation(
        "constant", "One number that satisfies the rule, in place of the effect.", everything, of_effect(constant)
    ),
    Mutation(
        "constant in half",
        "The same in every second seed, the effect itself in the others.",
        everything,
        of_effect(in_every_second_seed(constant)),
        "constant",
    ),
    Mutation(
        "stranger's sharpness",
        "Another seed's eigenvalues in place of the trial's own, a spike's onset upon the onset.",
        records(*plants.SHARPNESS),
        of_record(_sharpness),
    ),
    Mutation(
        "stranger's sharpness in half",
        "The same in every second seed.",
        records(*plants.SHARPNESS),
        of_record(plants.in_every_second_seed(_sharpness)),
        "stranger's sharpness",
    ),
    Mutation(
        "stranger's motion",
        "Another seed's motion along eigendirections and curvature along gradients.",
        records(*plants.MOTION),
        of_record(partial(plants.strangers, arrays=plants.MOTION)),
    ),
    Mutation(
        "stranger's outputs",
        "Another seed's functions on the held-out points.",
        has_outputs,
        of_record(partial(plants.strangers, arrays=plants.OUTPUTS)),
    ),
    Mutation(
        "second pair",
        "The second eigenpair, value and vector, in place of the first, and so on along the pairs.",
        has_pairs,
        of_record(plants.second_pair),
    ),
    Mutation(
        "second direction",
        "What is along the second eigendirection in place of what is along the first, eigenvalues as they are.",
        has_pairs,
        of_record(plants.second_direction),
    ),
    Mutation(
        "random direction",
        "A random direction in place of the first eigendirection: as it was recorded, else noise.",
        has_first_direction,
        of_record(plants.random_direction),
    ),
    Mutation(
        "time shuffled",
        "The steps of a record in a random order, the same of all its arrays; their numbers stay.",
        records(*plants.TIMED),
        of_record(plants.shuffled),
    ),
    Mutation(
        "time reversed",
        "A record from its end to its beginning; of landmarks, onset and recovery exchanged.",
        records(*plants.TIMED, "stability"),
        of_record(plants.backwards),
    ),
    Mutation(
        "losses shuffled",
        "The losses of every arm in a random order.",
        has_loss_alone,
        _on_losses(plants.losses_shuffled),
    ),
    Mutation(
        "losses reversed",
        "The losses of every arm from the last to the first.",
        has_loss_alone,
        _on_losses(plants.losses_backwards),
    ),
    Mutation(
        "sharpness x 0.9",
        "Every eigenvalue a tenth smaller.",
        records(*plants.SHARPNESS),
        of_record(plants.flatter),
    ),
    Mutation(
        "threshold x 1.1",
        "The stability threshold a tenth higher: the learning rate that the measure reads is smaller.",
        has_a_threshold,
        of_record(partial(plants.threshold_times, factor=1.1)),
    ),
    Mutation(
        "threshold / 1.1",
        "The stability threshold so much lower.",
        has_a_threshold,
        of_record(partial(plants.threshold_times, factor=1 / 1.1)),
    ),
    Mutation(
        "points shuffled",
        "The held-out points in a random order, the same of all functions on them.",
        has_outputs,
        of_record(plants.points_shuffled),
    ),
    Mutation(
        "training outputs",
        "Outputs on training points in place of those on held-out ones.",
        records("directions"),
        of_record(plants.outputs_in_training),
    ),
    Mutation(
        "columns for rows",
        "Input weights transposed: coordinates stand for neurons.",
        has_weights,
        of_record(plants.columns_for_rows),
    ),
    Mutation(
        "coordinates shuffled",
        "Every coordinate of the input weights handed around among the neurons.",
        has_weights,
        of_record(plants.coordinates_shuffled),
    ),
    Mutation(
        "start for end",
        "Every arm ends with the weights it started from.",
        lambda claim: any(fork.at == "before_onset" for fork in forks(claim)),
        of_record(plants.start_for_end),
    ),
    *(
        Mutation(
            f"injected along v_{rank}",
            f"In place of the spike a displacement along eigendirection {rank} at its onset, to ten times the loss.",
            goes_on_from_the_onset,
            of_arms(partial(_injected, rank)),
        )
        for rank in (6, 12)
    ),
    Mutation("stranger's twin", "The last arm is another seed's.", has_twins, of_record(plants.strangers_twin)),
    Mutation("arms swapped", "The arms' runs in reverse order.", has_twins, of_record(plants.swapped)),
    Mutation(
        "arms alike", "The last arm's run in place of every arm's: no effect.", has_twins, of_record(plants.alike)
    ),
    Mutation(
        "landmark early",
        f"What begins at the onset of a spike begins {plants.EARLY} steps before.",
        has_a_landmark,
        early,
    ),
    Mutation(
        "end for onset",
        "Directions as they are at the end of the run in place of those at the onset.",
        looks_at_the_onset,
        at_the_end,
    ),
)


def scale_of(effects: Iterable[float | None]) -> float:
    """The root mean square of effects; 1 where all of them are 0."""
    present = np.array([effect for effect in effects if effect is not None])
    return float(np.sqrt(np.square(present).mean())) or 1.0
