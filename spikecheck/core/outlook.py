"""What verifying a claim will cost, estimated before anything is trained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outlook:
    """One claim's share of a verification. The counts are approximate, since each result decides what is judged next."""

    claim: str
    settings: int
    """Settings that are judged."""
    runs: int
    """Trainings and forks, if nothing is stored."""
    share: float
    """Share of the work of all claims, in [0, 1]."""
    seeds: int
    """The largest number of seeds trained at the reference setting."""
    fewest: int
    """The smallest number of applicable seeds with which the claim can hold."""
    required: float | None
    """The share of seeds that the claim requires, in (0, 1); None where an average decides."""
    power: float
    """Probability that the claim holds at the last look, if it is true by a margin: see `harness.cost_model.power`."""
