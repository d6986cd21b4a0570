"""Parsers of times, sizes, shards, conditions and maps on a command line."""

import re

from spikecheck.core.errors import UnknownName, UsageError
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim
from spikecheck.harness.domain import Map

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(text: str, option: str) -> float:
    """A time such as 90s, 5m, 1h or 30d in seconds; `option` is named in errors.

    >>> seconds("90", "--budget"), seconds("1.5m", "--budget")
    (90.0, 90.0)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip(), re.ASCII)
    if match is None or float(match[1]) <= 0:
        raise UsageError(f"{option} {text!r}: give a time such as 90s, 5m, 1h or 30d")
    return float(match[1]) * _SECONDS[match[2]]


def size(text: str, option: str) -> int:
    """A size such as 500MiB in bytes; units are powers of 1024 with or without the i. `option` is named in errors.

    >>> size("2GiB", "--keep") == size("2g", "--keep") == 2 * 1024**3
    True
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE | re.ASCII)
    if match is None:
        raise UsageError(f"{option} {text!r}: give a size such as 500MiB or 2GiB")
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " "))


def shard(text: str) -> tuple[int, int]:
    """I/N, part I of N, as (I, N).

    >>> shard("2/4")
    (2, 4)
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard {text!r}: give I/N, part I of N, such as --shard 1/4")
    return int(match[1]), int(match[2])


def condition(text: str) -> tuple[str, str | None]:
    """AXIS=VALUE: the name of a setting's condition and the text of its value, which `Setting` converts.

    >>> condition("lr=0.05"), condition("gamma=none")
    (('lr', '0.05'), ('gamma', None))
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--at {text!r}: give AXIS=VALUE, such as --at lr=0.05")
    if name not in Setting.model_fields:
        raise UnknownName("condition of a setting", name, Setting.model_fields)
    return name, None if value.lower() == "none" else value


def maps(claim: Claim, x: str | None, y: str | None) -> tuple[Map, ...]:
    """The map requested by --x and --y, or the claim's own maps if neither is given."""
    if x is not None and y is not None:
        (across, columns), (up, rows) = _axis(x, "--x"), _axis(y, "--y")
        return (Map(x=across, x_values=columns, y=up, y_values=rows),)
    ladders = ", ".join(claim.domain.axes) or "none, so give values"
    if x is not None or y is not None:
        given, missing = (f"--x {x}", "--y") if y is None else (f"--y {y}", "--x")
        raise UsageError(
            f"{given}: a map has two axes; give {missing} AXIS as well; {claim.id} has ladders for: {ladders}"
        )
    if not claim.maps:
        raise UsageError(f"{claim.id}: defines no map; give --x AXIS and --y AXIS; it has ladders for: {ladders}")
    return claim.maps


def _axis(text: str, option: str) -> tuple[str, tuple[str | None, ...] | None]:
    """AXIS or AXIS=V1,V2: the name and the texts of its values, None for all values that the claim has.

    >>> _axis("lr", "--x"), _axis("target=sin x, sin 2x", "--x")
    (('lr', None), ('target', ('sin x', 'sin 2x')))
    """
    name, equals, listed = text.partition("=")
    if not equals:
        return name, None
    values = [value.strip() for value in listed.split(",")]
    if "" in values:
        raise UsageError(f"{option} {text!r}: a value is missing; give AXIS=V1,V2, such as {option} lr=0.05,0.1")
    return name, tuple(None if value.lower() == "none" else value for value in values)
