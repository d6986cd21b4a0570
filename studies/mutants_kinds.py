"""Mutations of claims as values: what each one does, which claims it concerns, and how it changes a claim."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from spikecheck import Claim
from studies import mutants_plants as plants
from studies.mutants_changes import (
    Change,
    at_the_end,
    constant,
    early,
    in_every_second_seed,
    injected,
    noise,
    of_arms,
    of_effect,
    of_record,
    on_losses,
    wrong_sign,
)
from studies.mutants_concerns import (
    everything,
    forks,
    goes_on_from_the_onset,
    has_a_landmark,
    has_a_threshold,
    has_first_direction,
    has_loss_alone,
    has_outputs,
    has_pairs,
    has_twins,
    has_weights,
    looks_at_the_onset,
    records,
)


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
        on_losses(plants.losses_shuffled),
    ),
    Mutation(
        "losses reversed",
        "The losses of every arm from the last to the first.",
        has_loss_alone,
        on_losses(plants.losses_backwards),
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
        "Every coordinate of the input weights permuted among the neurons.",
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
            of_arms(partial(injected, rank)),
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
