"""What a claim has that a mutation can change: predicates on a claim's probe and arms."""

from collections.abc import Callable

from spikecheck import Claim, Continue, Directions
from spikecheck.core.intervention import Fork


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
