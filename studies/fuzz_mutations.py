"""Mutations of files and option texts in structure, in bytes and by single digits, and texts from a grammar, for `fuzz`."""

import json
import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from spikecheck.core.scorecard import Baseline
from spikecheck.gate.baseline import _digest
from studies.fuzz_texts import HOSTILE, WORDS

GENTLE = 0.4
"""Share of inputs in which one digit is changed, so that many are accepted and go through all that comes after reading."""
_GENERATED = 0.3
"""Share of option texts that are made from the grammar in place of another text."""
_SIGNS = "=.,:()[]{}'\"\\-+*e0123456789jnaif \n\t\x00\x1b\u202e\ud800lr"
_TRIES = 100
_NESTED = (b"[" * 100_000, b'{"a":' * 50_000, b"9" * 6_000, b'"' + b"a" * 200_000, b"\x1b]0;x\x07")
_MARKS = (b",", b'"', b"\n", b"\r", b"\x00", b";", b"NaN", b"1e999", b"-", b"\xff\xfe", "\u202e".encode())


def as_json(draw: random.Random, raw: bytes) -> bytes:
    """A document with one to three of its values, keys or bytes changed, or with one digit of one value."""
    kind = draw.random()
    if kind < 0.1:
        return as_bytes(draw, raw)
    if kind < 0.1 + GENTLE:
        return _retouched(draw, raw)
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):  # changed before
        return as_bytes(draw, raw)
    for _ in range(draw.randint(1, 3)):
        document = _with_one_changed(draw, document)
    return json.dumps(document).encode()


def as_baseline(draw: random.Random, raw: bytes) -> bytes:
    """As `as_json`; mostly with a digest that fits, without which all changes would be refused for the same reason."""
    changed = as_json(draw, raw)
    if draw.random() < 0.2:
        return changed
    try:
        baseline = Baseline.model_validate_json(changed)
        return baseline.model_copy(update={"digest": _digest(baseline)}).model_dump_json(by_alias=True).encode()
    except Exception:  # it is not for the mutation to say how this is refused
        return changed


def as_lines(draw: random.Random, raw: bytes) -> bytes:
    """A log with some of its lines changed as documents, and sometimes bytes."""
    lines = raw.splitlines()
    for _ in range(draw.randint(1, 3)):
        place = draw.randrange(len(lines))
        whole = lines[place].startswith(b"{") and draw.random() < 0.8
        lines[place] = (as_json if whole else as_bytes)(draw, lines[place]).replace(b"\n", b" ")
    return b"\n".join(lines) + b"\n"


def as_bytes(draw: random.Random, raw: bytes) -> bytes:
    """Bytes flipped, cut, repeated or replaced by nesting."""
    content = bytearray(raw or b"x")
    for _ in range(draw.randint(1, 4)):
        place, kind = draw.randrange(len(content) or 1), draw.randrange(6)
        if kind == 0 and content:
            content[place] = draw.randrange(256)
        elif kind == 1:
            del content[place:]
        elif kind == 2:
            content[place:place] = draw.randbytes(draw.randint(1, 20))
        elif kind == 3:
            content[place:place] = content[place : place + 50] * draw.randint(1, 20)
        else:
            content[place:place] = draw.choice(_NESTED if kind == 4 else _MARKS)
    return bytes(content)


def as_assignment(names: Sequence[str]) -> Any:
    """A mutation of NAME=VALUE texts, which also makes some of these names and any literal."""

    def mutated(draw: random.Random, raw: bytes) -> bytes:
        if draw.random() < _GENERATED:
            return _told(f"{draw.choice(names)}={_literal(draw)}")
        return as_text(draw, raw)

    return mutated


def as_range(draw: random.Random, raw: bytes) -> bytes:
    """A mutation of NAME=LOW..HIGH texts, which also makes some with any two numbers."""
    if draw.random() < _GENERATED:
        low, high = sorted((_number(draw), _number(draw)), key=len) if draw.random() < 0.2 else _decades(draw)
        return _told(f"{draw.choice(['lr'] * 5 + ['momentum', 'LR', ' lr '])}={low}..{high}")
    return as_text(draw, raw)


def as_text(draw: random.Random, raw: bytes) -> bytes:
    """An option's text with signs exchanged, inserted and removed, or with one digit exchanged."""
    if draw.random() < GENTLE:
        return _retouched(draw, raw)
    text = list(raw.decode("utf-8", "surrogatepass"))
    for _ in range(draw.randint(1, 5)):
        place = draw.randint(0, len(text))
        text[place : place + draw.randint(0, 2)] = [draw.choice(_SIGNS) for _ in range(draw.randint(0, 3))]
    if draw.random() < 0.05:
        text.append(draw.choice("([{-'") * draw.choice([10, 1_000, 5_000]))
    return _told("".join(text).replace("\x00", "" if draw.random() < 0.9 else "\x00"))


def _told(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _literal(draw: random.Random) -> str:
    """A value of an option: mostly a number, else a word, a hostile value or a few of them together."""
    kind = draw.random()
    if kind < 0.55:
        return _number(draw)
    if kind < 0.8:
        return draw.choice(WORDS)
    if kind < 0.9:
        return repr(draw.choice(HOSTILE))[:4_000]
    opened, closed = draw.choice([("(", ")"), ("[", "]"), ("{", "}")])
    return opened + ", ".join(_literal(draw) for _ in range(draw.randint(0, 3))) + closed


def _number(draw: random.Random) -> str:
    """A number in one of Python's notations, near the sizes that are meant or far from them."""
    size = draw.choice(
        [draw.random(), 10.0 ** draw.uniform(-9, 3), 10.0 ** draw.uniform(-320, 308), float(draw.randint(0, 1_000))]
    )
    signed = draw.choice(["", "", "", "", "-", "+", " "])
    return signed + draw.choice(
        [
            repr(size),
            f"{size:.3g}",
            f"{size:e}",
            str(int(size) % 10_000),
            f"{int(size) % 10_000:_}",
            hex(int(size) % 99),
        ]
    )


def _decades(draw: random.Random) -> tuple[str, str]:
    """Two rates of which the first is mostly smaller, up to six decades apart."""
    low = 10.0 ** draw.uniform(-6, 0)
    return f"{low:.3g}", f"{low * 10 ** draw.uniform(-0.5, 6):.3g}"


def _retouched(draw: random.Random, raw: bytes) -> bytes:
    """One digit exchanged for another: of a valid input, mostly a valid one, which is read to its end."""
    for _ in range(_TRIES if raw else 0):
        place = draw.randrange(len(raw))
        if 48 <= raw[place] < 58:
            return raw[:place] + draw.choice("0123456789").encode() + raw[place + 1 :]
    return raw


def _with_one_changed(draw: random.Random, document: Any) -> Any:
    """The document with one value exchanged, one key removed or added; where in its tree is drawn."""
    places = list(_places(document))
    if not places:
        return _hostile(draw)
    holder, key = draw.choice(places)
    kind = draw.random()
    if kind < 0.15:
        del holder[key]
    elif kind < 0.25 and isinstance(holder, dict):
        holder[draw.choice(["x", "", "\x1b[31m", "schema", "__class__"])] = _hostile(draw)
    elif kind < 0.35 and isinstance(holder[key], list):
        holder[key] = holder[key] * draw.choice([0, 2, 3])
    elif kind < 0.45:
        holder[key] = holder[draw.choice(list(holder))] if isinstance(holder, dict) else [holder[key]]
    elif kind < 0.6 and isinstance(holder[key], float):
        holder[key] = draw.choice([-holder[key], holder[key] * 1e6, holder[key] + 1, 0, -1, 1e300])
    else:
        holder[key] = _hostile(draw)
    return document


def _hostile(draw: random.Random) -> Any:
    """A value of its own, since the next change may be made inside it."""
    return deepcopy(draw.choice(HOSTILE))


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree that holds a value: its holder and its key."""
    left = [part]
    while left:
        holder = left.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        for key, value in items:
            yield holder, key
            left.append(value)
