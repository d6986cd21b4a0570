"""Where a claim holds, over two ladders: every cell judged by itself, all of them trained together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spikecheck.core.errors import SettingError, UnknownName, UsageError
from spikecheck.core.events import Observer, SettingJudged, StageStarted, ignore
from spikecheck.core.judgement import Judgement
from spikecheck.core.scope import Axis, Value
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim
from spikecheck.harness.gather import Trains, gather, judged
from spikecheck.harness.plan import search_seeds

Asked = tuple[str, Sequence[Any] | None]
"""A condition's name and its values, as typed or as they are; None: the claim's own ladder."""

_NO_AXIS = frozenset({"intervention"})
"""What the claim's arms set: an axis over it would be overwritten."""


@dataclass(frozen=True)
class Grid:
    """The settings of a map. Row-major: y's first value with each of x's values comes first."""

    x: Axis
    y: Axis
    centre: Setting
    settings: tuple[Setting, ...]


def grid(claim: Claim, x: Asked, y: Asked, at: Mapping[str, Any] | None = None) -> Grid:
    """Both axes around the claim's reference setting, which `at` moves.

    Raises:
        UsageError: when an axis can't be one, or its values don't make different settings.
    """
    if x[0] == y[0]:
        raise UsageError(f"x axis and y axis are both {x[0]}; give two different conditions")
    for name in (x[0], y[0]):
        if name in (at or {}):
            raise UsageError(f"at {name}: {name} is an axis of the map, whose values replace it; leave one of them out")
    centre = claim.domain.reference.but(**(at or {}))
    columns, rows = _rungs(claim, "x", x), _rungs(claim, "y", y)
    settings = tuple(centre.but(**{x[0]: across, y[0]: up}) for up in rows for across in columns)
    return Grid(
        x=_read_back("x", x[0], [settings[number :: len(columns)] for number in range(len(columns))]),
        y=_read_back("y", y[0], [settings[number : number + len(columns)] for number in _starts(settings, columns)]),
        centre=centre,
        settings=settings,
    )


def judge_cells(
    claim: Claim, lab: Trains, settings: Sequence[Setting], seeds: int, root: int, observe: Observer = ignore
) -> tuple[Judgement, ...]:
    """Every setting judged by itself on `seeds` seeds of its own, at the claim's level; all are trained in one go.

    Raises:
        UsageError: when no cell could hold with so few seeds.
        Stopped: when the laboratory is stopped; what it trained until then is kept.
    """
    fewest = claim.predicts.fewest()
    if seeds < fewest:
        raise UsageError(f"seeds={seeds}: {claim.id} needs {fewest} applicable ones to hold; give at least {fewest}")
    observe(StageStarted(claim.id, "map", len(settings), seeds))
    evidence = gather(claim, lab, {setting: search_seeds(root, setting, seeds) for setting in settings})
    cells = tuple(judged(claim, evidence[setting], 1.0 - claim.predicts.level) for setting in settings)
    for cell in cells:
        observe(SettingJudged(claim.id, "map", cell.setting, cell))
    return cells


def _rungs(claim: Claim, role: str, asked: Asked) -> tuple[Any, ...]:
    """An axis's values: those asked for as they stand, or the claim's ladder from small to large."""
    name, values = asked
    axes = set(Setting.model_fields) - _NO_AXIS
    if name not in axes:
        raise UnknownName("axis", name, axes)
    if values is None and name not in claim.domain.axes:
        raise UsageError(
            f"{role} axis {name}: {claim.id} has no ladder for it; give values, such as {name}=V1,V2, "
            f"or one of: {', '.join(claim.domain.axes) or 'none'}"
        )
    rungs = _ascending(claim.domain.axes[name].rungs) if values is None else tuple(values)
    if len(rungs) < 2:
        listed = ", ".join(map(str, rungs)) or "no value"
        raise UsageError(f"{role} axis {name}: {listed} makes no axis; give two values or more, as in {name}=V1,V2")
    return rungs


def _ascending(rungs: tuple[Any, ...]) -> tuple[Any, ...]:
    """From small to large where the rungs are numbers; a ladder begins at the reference, which suits no picture."""
    numbers = all(isinstance(rung, int | float) and not isinstance(rung, bool) for rung in rungs)
    return tuple(sorted(rungs)) if numbers else rungs


def _starts(settings: Sequence[Setting], columns: Sequence[Any]) -> range:
    return range(0, len(settings), len(columns))


def _read_back(role: str, name: str, rungs: Sequence[Sequence[Setting]]) -> Axis:
    """The axis with the values that its settings really have: a setting reads text by its own types, and fills in."""
    values: list[Value] = []
    for settings in rungs:
        found = {getattr(setting, name) for setting in settings}
        if len(found) > 1:
            listed = ", ".join(sorted(map(str, found)))
            raise SettingError(
                f"{role} axis {name}: one of its values stands for {listed}; give each of them explicitly"
            )
        values.extend(found)
    twice = [value for value in values if values.count(value) > 1]
    if twice:
        raise SettingError(f"{role} axis {name}={twice[0]}: comes twice, as these settings read it; give it once")
    return Axis(name=name, values=tuple(values))
