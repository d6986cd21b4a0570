"""What verifying a claim will take, said before anything is trained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outlook:
    """One claim's share of a verification; counts are about, since what is found decides what is looked at next."""

    claim: str
    settings: int
    """Judgements that are made."""
    runs: int
    """Trainings and forks, if nothing is stored."""
    share: float
    """Of the work of all claims, in [0, 1]."""
    seeds: int
    """The most that are trained at the reference setting."""
    fewest: int
    """Applicable seeds without which nothing can hold."""
    required: float | None
    """The share of seeds that the claim asks for, in (0, 1); None where an average decides."""
    power: float
    """How likely it holds at the last look, if it is true by a margin: see `harness.cost_model.power`."""
