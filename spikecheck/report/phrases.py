"""Settings, counts and scores in words, shared by all formats of a report."""

import shlex
from collections import Counter
from collections.abc import Collection
from statistics import quantiles

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.reach import Reach
from spikecheck.core.replay_lines import finding, replay_line
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict
from spikecheck.core.workload_setting import optimizer_numbers, workload_of
from spikecheck.report.sanitize import inert

_READ_FIRST = ("problem", "target", "points", "width", "depth", "activation", "optimizer", "lr", "steps")

WORKLOAD = "workload"
"""The profile of reports on a workload."""


def conditions(setting: Setting, without: Collection[str] = ()) -> str:
    """The main conditions of a setting, then all others that are not defaults; `without` names conditions to leave out."""
    if (place := workload_of(setting)) is not None:
        own = {**place.options, "optimizer": setting.optimizer, **optimizer_numbers(setting), "steps": setting.steps}
        said = [f"{name}={value}" for name, value in own.items() if name not in without]
        return inert(", ".join([f"workload={place.path}", *said]))
    rest = [name for name in setting.differences(Setting()) if name not in _READ_FIRST]
    names = [name for name in [*_READ_FIRST, *rest] if name not in without]
    return inert(", ".join(f"{name}={_value(setting, name)}" for name in names))


def differs(setting: Setting, reference: Setting) -> str:
    """The conditions that differ from the reference, with the reference's values.

    >>> differs(Setting(lr=0.2), Setting(lr=0.1))
    'lr=0.2 (reference: 0.1)'
    """
    changes = setting.differences(reference)
    said = [f"{name}={_value(setting, name)} (reference: {_value(reference, name)})" for name in changes]
    return inert(", ".join(said)) or "the reference setting"


def tried(verdict: Verdict) -> list[str]:
    """How many settings the search tried, and their outcomes on its seeds."""
    if not verdict.tried:
        return ["no setting but the reference" if verdict.reference.drawn else "not reached"]
    counted = Counter(judgement.outcome for judgement in verdict.tried)
    outcomes = ", ".join(f"{counted[outcome]} {outcome}" for outcome in Outcome if counted[outcome])
    count = f"{plural(verdict.settings_tried, 'setting')}, the reference among them"
    met = f"{verdict.settings_triggered} met the precondition in enough seeds"
    return [f"{count}; {met}", f"the others in the search: {outcomes}"]


def unread(file: str, reason: str) -> str:
    """Why a claim file was left out, with the file's name once; most reasons begin with it.

    >>> unread("claims/mine.py", "claims/mine.py: defines no claim"), unread("claims/mine.py", "its rule cannot decide")
    ('claims/mine.py: defines no claim', 'claims/mine.py: its rule cannot decide')
    """
    return inert(reason if reason.startswith(f"{file}:") else f"{file}: {reason}")


def not_asked(report: Report) -> str:
    """The heading of the claims that do not apply to the workload or the optimizer."""
    return "Not applicable to this workload" if report.profile == WORKLOAD else "Not applicable to this optimizer"


def reached(reach: Reach) -> list[str]:
    """The share of its domain in which a claim holds, and how it was estimated."""
    whole = reach.settings >= reach.of
    sampled = "of its whole domain" if whole else "sampled from its domain"
    if reach.share is None:
        return [f"none of {plural(reach.settings, 'setting')} {sampled} met the precondition in enough seeds"]
    interval = "" if whole else f" ({100 * reach.low:.0f} to {100 * reach.high:.0f} %)"
    said = f"holds in {reach.holds} of {plural(reach.triggered, 'setting')} {sampled}: {100 * reach.share:.0f} % of it"
    if reach.untriggered:
        more = plural(reach.untriggered, "more setting")
        interval += f"; {more} met the precondition in too few seeds"
    how = f"each judged by its estimate on {plural(reach.seeds, 'seed')}, without an interval"
    return [said + interval, how if whole else f"{how}; the domain has {plural(reach.of, 'setting')}"]


def reach_in_brief(verdict: Verdict) -> str:
    """Sampled settings in which the claim holds, of those that triggered; empty if none was sampled."""
    return "" if verdict.reach is None else f"{verdict.reach.holds}/{verdict.reach.triggered}"


def unregistered(verdict: Verdict) -> str:
    """A remark for claims whose rule may have been written after its data; empty otherwise, or if unknown."""
    return "" if verdict.registered in ("", "before") else "rule not shown to be written before its data"


def replay(verdict: Verdict, judgement: Judgement, seed: int) -> str:
    """The command line that judges a setting again on the same seeds."""
    words = (*finding(verdict.id, verdict.claims_path), *verdict.asked_with)
    return replay_line(words, judgement.setting, verdict.reference.setting, seed, judgement.drawn)


def explained(verdict: Verdict) -> str:
    """The command line that explains the claim and its controls."""
    return shlex.join(["spikecheck", "explain", *finding(verdict.id, verdict.claims_path)])


def spread(judgement: Judgement) -> str:
    """Range and quartiles of the seeds' effects."""
    scores = sorted(score for score in judgement.scores if score is not None)
    if len(scores) < 2:
        return ", ".join(f"{score:.3g}" for score in scores) or "none"
    lower, _, upper = quantiles(scores, n=4, method="inclusive")
    return f"from {scores[0]:.3g} to {scores[-1]:.3g}, the middle half from {lower:.3g} to {upper:.3g}"


def lost(failures: int) -> str:
    """How many seeds had numerical failures."""
    if not failures:
        return "no numerical failures"
    why = "diverged, unresolved, or an effect that is not finite"
    return f"{plural(failures, 'numerical failure')} ({why}), neither for nor against"


def percent(share: float) -> str:
    """A share in percent, to three digits (four from 99.9 % on).

    >>> percent(0.8), percent(0.99951)
    ('80 %', '99.95 %')
    """
    return f"{100 * share:.{3 if share < 0.999 else 4}g} %"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "seed"), plural(2_000, "seed")
    ('1 seed', '2,000 seeds')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _value(setting: Setting, name: str) -> str:
    value = getattr(setting, name)
    return "none" if value is None else str(value)
