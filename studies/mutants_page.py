"""Writes the page of mutants: the mutations, their outcomes, and what the survivors mean."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from spikecheck import Outcome
from studies.mutants_judged import Judged, Mutant
from studies.mutants_kinds import Mutation
from studies.mutants_meanings import BEYOND, is_equivalent, sentence

_LETTERS = {
    Outcome.FAILS: "F",
    Outcome.INVALID: "I",
    Outcome.UNDECIDED: "U",
    Outcome.UNTRIGGERED: "T",
}

_HEAD = """# Mutants of the claims

Each claim's check is got wrong on purpose, in one way at a time, and must then no longer say that the claim holds. Where it
still does, the mutant survives: either what was changed makes no difference to what is claimed, or the check has a hole.

```console
nox -s mutants -- --seeds {seeds}
```

wrote this page, under root seed 1, which no published verdict uses. A mutant is answered as its claim is: judged at the
reference setting in one look, and guarded by both controls, which are read with the same mutation. Where the record is
mutated, that of a planted effect is mutated after it was planted, and the precondition is asked once more.

{summary}
"""

_KEY = (
    "F: fails. I: invalid, a control tells. U: undecided. T: the precondition is met too rarely. E: the check stops with an "
    "error. ?: the mutation does. **H**: it still holds, and nothing excuses it. h: it still holds, and rightly so. =: no "
    "number that decides changes, of claim or controls: what was mutated is not read, or is read alike. Empty: the claim "
    "has nothing of the kind."
)


def page(judged: Sequence[Judged], mutations: Sequence[Mutation], seeds: int) -> str:
    """The whole page."""
    held = [one for one in judged if one.answer.outcome is Outcome.HOLDS]
    parts = [
        _HEAD.format(seeds=seeds, summary=_summary(held)),
        "## Mutations\n",
        _table(("", "mutation", "what it does"), [(str(n), m.name, m.says) for n, m in enumerate(mutations, 1)]),
        "## What became of them\n",
        _outcomes(held, mutations),
        "## Survivors\n",
        _survivors(held),
        "## What is not read\n",
        _unread(held),
        "## Nothing to kill\n",
        _nothing(judged),
        "## Out of reach\n",
        _beyond(),
    ]
    return "\n".join(parts)


def _summary(held: Sequence[Judged]) -> str:
    kept = [(one, mutant) for one in held for mutant in one.kept]
    survivors = [(one, mutant) for one, mutant in kept if mutant.survives]
    excused = sum(is_equivalent(one, mutant) for one, mutant in survivors)
    return (
        f"{_number(len(held), 'claim')} held unmutated. Of their {_number(len(kept), 'mutant')} that change a number "
        f"{len(kept) - len(survivors)} no longer hold; {len(survivors)} survive, {excused} of which are in truth still what "
        f"is claimed. The other {len(survivors) - excused} show holes.\n"
    )


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _outcomes(held: Sequence[Judged], mutations: Sequence[Mutation]) -> str:
    if not held:
        return "No claim held.\n"
    names = [mutation.name for mutation in mutations]
    rows = [(one.claim.id, *_cells(one, names), f"{_killed(one)}/{len(one.kept)}") for one in held]
    head = ("claim", *map(str, range(1, len(names) + 1)), "killed")
    return f"{_KEY}\n\n{_table(head, rows)}"


def _cells(one: Judged, names: Sequence[str]) -> list[str]:
    cell_of = {mutant.mutation.name: _cell(one, mutant) for mutant in one.mutants}
    return [cell_of.get(name, "") for name in names]


def _cell(one: Judged, mutant: Mutant) -> str:
    if mutant.unread or mutant.broken:
        return "=" if mutant.unread else "?"
    if mutant.survives:
        return "h" if is_equivalent(one, mutant) else "**H**"
    return "E" if mutant.outcome is None else _LETTERS[mutant.outcome]


def _killed(one: Judged) -> int:
    return len(one.kept) - len(one.survivors)


def _survivors(held: Sequence[Judged]) -> str:
    """Holes first, then excused survivors; mutants that survive for the same reason are grouped."""
    survivors = [(one, mutant) for one in held for mutant in one.survivors]
    holes = [(one, mutant) for one, mutant in survivors if not is_equivalent(one, mutant)]
    excused = [(one, mutant) for one, mutant in survivors if is_equivalent(one, mutant)]
    return f"### Holes\n\n{_by_reason(holes)}\n### Still what is claimed\n\n{_by_reason(excused)}"


def _by_reason(survivors: Sequence[tuple[Judged, Mutant]]) -> str:
    reasons: dict[str, dict[str, list[str]]] = {}
    for one, mutant in survivors:
        reasons.setdefault(sentence(one, mutant), {}).setdefault(one.claim.id, []).append(mutant.mutation.name)
    lines = [f"- {_named(claims)} {said[0].upper()}{said[1:]}" for said, claims in reasons.items()]
    return "\n".join(lines or ["None."]) + "\n"


def _named(claims: Mapping[str, Sequence[str]]) -> str:
    return "**" + "; ".join(f"{claim}: {', '.join(names)}" for claim, names in claims.items()) + ".**"


def _unread(held: Sequence[Judged]) -> str:
    """The mutations that a check does not notice because it does not read their data; they are not survivors."""
    rows = [(one.claim.id, ", ".join(m.mutation.name for m in one.mutants if m.unread)) for one in held]
    told = [row for row in rows if row[1]]
    said = "Recorded or trained, and of no consequence for the answer:\n\n"
    return said + _table(("claim", "mutations"), told) if told else "Everything is.\n"


def _nothing(judged: Iterable[Judged]) -> str:
    rest = sorted((one.answer.outcome, one.claim.id) for one in judged if one.answer.outcome is not Outcome.HOLDS)
    lines = [
        f"- {outcome}: {', '.join(claim for _, claim in group)}" for outcome, group in groupby(rest, lambda row: row[0])
    ]
    return "\n".join(lines or ["Every claim that was asked held."]) + "\n"


def _beyond() -> str:
    said = "Mistakes that are made before anything is recorded; these tests are about them:\n\n"
    return said + "\n".join(f"- {one.says}: {', '.join(f'`{test}`' for test in one.tests)}" for one in BEYOND) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
