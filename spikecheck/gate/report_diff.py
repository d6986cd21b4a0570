"""Comparison of two reports or two scorecards. A claim or row that only one of them has is an error, never ignored."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from spikecheck.core.comparison import Comparison, Kind, Line
from spikecheck.core.errors import BaselineError, SettingError, UsageError
from spikecheck.core.gzipped import restored
from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.scorecard import Change, Row, Scorecard
from spikecheck.core.verdict import Report, Verdict

T = TypeVar("T")

_KINDS: dict[str, type[Report] | type[Scorecard]] = {"spikecheck/report@1": Report, "spikecheck/gate@1": Scorecard}
_ORDER: tuple[Kind, ...] = ("regressed", "improved", "changed", "same")


def compared(before: Path, after: Path) -> Comparison:
    """The changes from one file to the other.

    Raises:
        UsageError: a file cannot be read, or is neither a report nor a scorecard.
        BaselineError: one is a report and the other a scorecard, or they have different claims, rows, settings or seeds.
    """
    old, new = _read(before), _read(after)
    if isinstance(old, Report) and isinstance(new, Report):
        lines = _claims(old, new, before, after)
    elif isinstance(old, Scorecard) and isinstance(new, Scorecard):
        lines = _rows(old, new, before, after)
    else:
        raise BaselineError(
            f"{before}, {after}: one is a report and the other a scorecard; compare two of the same kind"
        )
    return Comparison(str(before), str(after), tuple(sorted(lines, key=lambda line: _ORDER.index(line.kind))))


def _claims(old: Report, new: Report, before: Path, after: Path) -> list[Line]:
    for path, report in ((before, old), (after, new)):
        if not report.complete:
            again = "run its command again, which reuses its finished runs" if report.stored else "make it again"
            raise BaselineError(f"{path}: was stopped early; {again}")
    if old.profile != new.profile:
        raise BaselineError(
            f"{before} has profile {old.profile}, {after} has {new.profile}; compare two of the same profile"
        )
    pairs = _matched({v.id: v for v in old.claims}, {v.id: v for v in new.claims}, "claim", before, after)
    return [_claim(was, now, before, after) for was, now in pairs]


def _claim(was: Verdict, now: Verdict, before: Path, after: Path) -> Line:
    if was.specification != now.specification:
        raise BaselineError(
            f"{now.id}: its specification is {was.specification} in {before} and {now.specification} in {after}, so these are "
            f"verdicts on two different claims; make {before} again"
        )
    kind: Kind = "same"
    if was.passed and not now.passed:
        kind = "regressed"
    elif now.passed and not was.passed:
        kind = "improved"
    elif (was.replicates, was.generalises) != (now.replicates, now.generalises):
        kind = "changed"
    return Line(now.id, kind, _verdict_says(was), _verdict_says(now))


def _rows(old: Scorecard, new: Scorecard, before: Path, after: Path) -> list[Line]:
    trained = [{place.name for place in card.places} for card in (old, new)]
    if trained[0] != trained[1] or (old.seeds, old.root) != (new.seeds, new.root):
        raise BaselineError(f"{before}, {after}: have different settings or seeds; make {before} again")
    pairs = _matched({r.title: r for r in old.rows}, {r.title: r for r in new.rows}, "row", before, after)
    return [Line(now.title, _row_kind(was, now), _row_says(was), _row_says(now)) for was, now in pairs]


def _row_kind(was: Row, now: Row) -> Kind:
    if was.change is now.change:
        return "same"
    if not now.alarms:
        return "changed"
    if now.change is Change.WORSE:
        return "regressed"
    return "improved" if was.change is Change.WORSE else "changed"


def _matched(old: dict[str, T], new: dict[str, T], what: str, before: Path, after: Path) -> Iterable[tuple[T, T]]:
    for names, here, there in ((old.keys() - new.keys(), before, after), (new.keys() - old.keys(), after, before)):
        if names:
            listed = ", ".join(sorted(names))
            raise BaselineError(f"{what} {listed}: is in {here} and not in {there}; make both from the same selection")
    return [(old[name], new[name]) for name in new]


def _verdict_says(verdict: Verdict) -> str:
    reference = verdict.reference
    counts = ", ".join(
        filter(
            None,
            (_share(reference), _mean(reference))
            if reference.required is not None
            else (_mean(reference), _share(reference)),
        )
    )
    reach = "" if verdict.reach is None else f" (in {verdict.reach.holds} of {verdict.reach.triggered} settings)"
    return f"replicates {_word(verdict.replicates)} ({counts}), generalises {_word(verdict.generalises)}{reach}"


def _share(judgement: Judgement) -> str:
    return f"{judgement.held}/{judgement.applicable}, {100 * judgement.low:.0f} to {100 * judgement.high:.0f} %"


def _mean(judgement: Judgement) -> str:
    """The average that decides, or the mean if a share decides; empty in reports that have none."""
    effect = judgement.effect
    if judgement.estimand == "median":
        return _average("median", effect.median, effect.low, effect.high)
    return _average("mean", effect.mean, effect.mean_low, effect.mean_high)


def _average(name: str, estimate: float | None, low: float | None, high: float | None) -> str:
    if estimate is None:
        return ""
    return f"{name} {estimate:.3g}" + (f" ({low:.3g} to {high:.3g})" if low is not None and high is not None else "")


def _word(outcome: Outcome) -> str:
    return str(outcome).upper() if outcome is Outcome.FAILS else str(outcome)


def _row_says(row: Row) -> str:
    interval = "" if row.low is None or row.high is None else f" ({row.low:+.3g} to {row.high:+.3g})"
    return f"{row.change}, {row.difference:+.3g}{interval}"


def _read(path: Path) -> Report | Scorecard:
    try:
        text = restored(path.read_bytes(), path).decode("utf-8")
        document = json.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; give a file written by --json") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not JSON; give a file written by --json") from error
    named = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(named, str) or named not in _KINDS:
        raise UsageError(f"{path}: has schema {named!r}; give files that verify or gate wrote with --json")
    try:
        return _KINDS[named].model_validate_json(text)
    except (ValidationError, SettingError) as error:
        reason = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else error
        raise UsageError(f"{path}: is not a valid {named}: {reason}") from error
