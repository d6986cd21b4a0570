"""A second way to judge arms: the text of docs/decisions/0004 over plain lists, with none of the package's code."""

from collections.abc import Mapping, Sequence

FEWEST, MOST, LEVEL = 3, 8, 0.05


def walked(hits: Sequence[bool]) -> bool | None:
    """Wald's test: whether three more forks have it than have not; None as long as neither is so."""
    net = 0
    for hit in hits:
        net += 1 if hit else -1
        if abs(net) == 3:
            return hit
    return None


def p_of(gone: Sequence[bool], placebo: Sequence[bool]) -> float:
    """One over the evidence of all pairs."""
    evidence = 1.0
    for arm, nothing in zip(gone, placebo, strict=False):
        evidence *= (1.8 if arm else 0.2) * (0.2 if nothing else 1.8)
    return min(1.0, 1.0 / evidence)


def corrected(p_values: Mapping[str, float]) -> dict[str, float]:
    """By Holm's method."""
    largest, adjusted = 0.0, {}
    for rank, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = largest
    return adjusted


def claimed(gone: Mapping[str, Sequence[bool]], placebo: Sequence[bool]) -> tuple[set[str], dict[str, int]] | None:
    """The arms that are claimed to remove the spike, and how many forks of each were made; None for a chaotic training.

    Args:
        gone: Of each arm, whether the spike is gone in its forks, by number.
        placebo: The same of the placebo.
    """
    made = dict.fromkeys(gone, FEWEST)
    of_placebo = FEWEST
    while walked(placebo[:of_placebo]) is None and of_placebo < MOST:
        of_placebo += 1
    if walked(placebo[:of_placebo]) is not False:
        return None
    while True:
        seen = {name: gone[name][:count] for name, count in made.items()}
        adjusted = corrected({name: p_of(hits, placebo[:of_placebo]) for name, hits in seen.items()})
        sure = {name for name, hits in seen.items() if walked(hits) and adjusted[name] <= LEVEL}
        waiting = [name for name, hits in seen.items() if walked(hits) is not False and name not in sure]
        waiting = [name for name in waiting if made[name] < MOST]
        if not waiting:
            return sure, {**made, "placebo": of_placebo}
        made |= {name: made[name] + 1 for name in waiting}
        of_placebo = max(of_placebo, min(of_placebo + 1, max(made[name] for name in waiting)))
