"""Maps of where a claim holds over two ladders: every cell is judged by itself, and all are trained together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from spikecheck.core.errors import SettingError, UnknownName, UsageError
from spikecheck.core.events import Observer, SettingJudged, StageStarted, ignore
from spikecheck.core.judgement import Judgement
from spikecheck.core.scope import AS_CLAIMED, CUTOFF, Axis, Scope, Value
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim
from spikecheck.harness.domain import Map
from spikecheck.harness.evidence import Trainer, gather, judged
from spikecheck.harness.plan import search_seeds

# Conditions that the claim's arms set: they would overwrite an axis over them.
_NO_AXIS = frozenset({"intervention"})


class Cell(NamedTuple):
    """A setting, and the cut-off with which the effect is measured there."""

    setting: Setting
    cutoff: str

    def value(self, name: str) -> Value:
        """The cell's value on the axis of that name."""
        value: Value = self.cutoff if name == CUTOFF else getattr(self.setting, name)
        return value


@dataclass(frozen=True)
class Grid:
    """A map before anything is trained. Row-major: y's first value with each of x's values comes first."""

    x: Axis
    y: Axis
    centre: Setting
    cells: tuple[Cell, ...]


def grid(claim: Claim, wanted: Map, at: Mapping[str, Any] | None = None) -> Grid:
    """The cells of a map around the claim's reference setting.

    The conditions in the map's own `at`, then those in the argument `at`, replace the reference's. Values may be text, as
    typed on a command line.

    Raises:
        UsageError: an axis is not possible, or its values do not give different cells.
    """
    if wanted.x == wanted.y:
        raise UsageError(f"x axis and y axis are both {wanted.x}; give two different conditions")
    moved = {**wanted.at, **(at or {})}
    for name in (wanted.x, wanted.y):
        if name in moved:
            raise UsageError(f"at {name}: {name} is an axis of the map, whose values replace it; leave one of them out")
    centre = claim.domain.reference.but(**moved)
    across, up = _values(claim, "x", wanted.x, wanted.x_values), _values(claim, "y", wanted.y, wanted.y_values)
    cells = tuple(_cell(centre, {wanted.x: column, wanted.y: row}) for row in up for column in across)
    return Grid(
        x=_axis("x", wanted.x, [cells[column :: len(across)] for column in range(len(across))]),
        y=_axis("y", wanted.y, [cells[first : first + len(across)] for first in range(0, len(cells), len(across))]),
        centre=centre,
        cells=cells,
    )


def survey(
    claim: Claim, lab: Trainer, plane: Grid, seeds: int = 32, root: int = 0, observe: Observer = ignore
) -> Scope:
    """Judge every cell by itself, at the claim's level, on `seeds` seeds; all cells are trained together.

    Each setting has its own seeds, derived from `root`.

    Raises:
        UsageError: no cell could hold with so few seeds.
        Stopped: the laboratory was stopped; the runs trained until then are kept.
    """
    fewest = claim.predicts.fewest()
    if seeds < fewest:
        raise UsageError(f"seeds={seeds}: {claim.id} needs {fewest} applicable seeds to hold; give at least {fewest}")
    cells = _judged(claim, lab, plane.cells, seeds, root, observe)
    return Scope(x=plane.x, y=plane.y, centre=plane.centre, seeds=seeds, fewest=fewest, cells=cells)


def _judged(
    claim: Claim, lab: Trainer, cells: Sequence[Cell], seeds: int, root: int, observe: Observer
) -> tuple[Judgement, ...]:
    """Judge the cells. Cut-offs share their runs: the laboratory trains them for the first and reads them for the rest."""
    blocks = {cell.setting: search_seeds(root, cell.setting, seeds) for cell in cells}
    observe(StageStarted(claim.id, "map", len(blocks), seeds))
    measured = _by_cutoff(claim)
    evidence = {cutoff: gather(measured[cutoff], lab, blocks) for cutoff in dict.fromkeys(c.cutoff for c in cells)}
    alpha = 1.0 - claim.predicts.level
    judgements = tuple(judged(claim, evidence[cell.cutoff][cell.setting], alpha) for cell in cells)
    for judgement in judgements:
        observe(SettingJudged(claim.id, "map", judgement.setting, judgement))
    return judgements


def _by_cutoff(claim: Claim) -> dict[str, Claim]:
    """The claim with each of its cut-offs, its own first."""
    return {AS_CLAIMED: claim} | {name: claim.under(name) for name in (*claim.cutoffs, *claim.far_cutoffs)}


def _cell(centre: Setting, values: Mapping[str, Any]) -> Cell:
    conditions = {name: value for name, value in values.items() if name != CUTOFF}
    return Cell(centre.but(**conditions), values.get(CUTOFF, AS_CLAIMED))


def _values(claim: Claim, role: str, name: str, given: Sequence[Any] | None) -> tuple[Any, ...]:
    """The values of an axis: those given, unchanged, or else all that the claim has for it."""
    axes = {CUTOFF, *Setting.model_fields} - _NO_AXIS
    if name not in axes:
        raise UnknownName("axis", name, axes)
    if name == CUTOFF:
        return _cutoffs(claim, role, given)
    if given is None and name not in claim.domain.axes:
        raise UsageError(
            f"{role} axis {name}: {claim.id} has no ladder for it; give values, such as {name}=V1,V2, "
            f"or one of: {', '.join(claim.domain.axes) or 'none'}"
        )
    values = _ascending(claim.domain.axes[name].rungs) if given is None else tuple(given)
    return _two_or_more(role, name, values)


def _cutoffs(claim: Claim, role: str, given: Sequence[Any] | None) -> tuple[str, ...]:
    known = _by_cutoff(claim)
    if len(known) == 1:
        raise UsageError(f"{role} axis {CUTOFF}: {claim.id} has no cut-off that varies; give a condition, such as lr")
    for value in given or ():
        if value not in known:
            raise UnknownName(f"cut-off of {claim.id}", str(value), known)
    return _two_or_more(role, CUTOFF, tuple(known if given is None else given))


def _two_or_more(role: str, name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(values) < 2:
        listed = ", ".join(map(str, values)) or "no value"
        raise UsageError(
            f"{role} axis {name}: {listed} is not enough for an axis; give two values or more, as in {name}=V1,V2"
        )
    return values


def _ascending(rungs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The rungs in ascending order if they are numbers; on a ladder, the reference's value is first."""
    numbers = all(isinstance(rung, int | float) and not isinstance(rung, bool) for rung in rungs)
    return tuple(sorted(rungs)) if numbers else rungs


def _axis(role: str, name: str, lines: Sequence[Sequence[Cell]]) -> Axis:
    """The axis with the values that its settings have, since a setting converts text and fills in defaults."""
    values: list[Value] = []
    for cells in lines:
        values_there = {cell.value(name) for cell in cells}
        if len(values_there) > 1:
            listed = ", ".join(sorted(map(str, values_there)))
            raise SettingError(
                f"{role} axis {name}: one of its values stands for {listed}; give each of these explicitly"
            )
        values.extend(values_there)
    twice = [value for value in values if values.count(value) > 1]
    if twice:
        raise SettingError(
            f"{role} axis {name}={twice[0]}: occurs twice after conversion to the setting's type; give it once"
        )
    return Axis(name=name, values=tuple(values))
