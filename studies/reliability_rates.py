"""Error rates that other studies measured on trainings and on noise, read from their pages, beside what is stated of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import chi2

from spikecheck.stats.bounds import clopper_pearson

HERE = Path(__file__).resolve().parents[1]
GATES, WORKLOADS = HERE / "reports" / "gates.md", HERE / "reports" / "workload-gates.md"
DETECTORS, CAUSES, ALARMS = (HERE / "docs" / name for name in ("detectors.md", "causes.md", "adam-alarms.md"))
STATED_OF_GATES = 0.05
_STEPS = 10_000
"""Steps in which the detector states to raise at most one false alarm."""


@dataclass(frozen=True)
class Rate:
    """An error, how often it may come, and how often it came."""

    of: str
    error: str
    stated: str
    """In words; empty where nothing is."""
    measured: str
    interval: str
    """Two-sided, 95 %."""
    broken: bool
    """Whether the interval lies beyond what is stated."""
    page: str


def rates() -> list[Rate]:
    """All of them, kind by kind."""
    return [*_of_gates(), *_of_workload_gates(), *_of_detector(), *_of_causes(), *_of_warnings()]


def table(path: Path, first: str) -> list[dict[str, str]]:
    """The rows of the first table of a page whose first column has this head, by the columns' heads.

    Raises:
        ValueError: there is none.
    """
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    heads = next((cells for line in lines if line.startswith("|") and (cells := _cells(line))[0] == first), None)
    if heads is None:
        raise ValueError(f"{path}: has no table with the first column {first!r}")
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(heads, _cells(line), strict=True)))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _share(of: str, error: str, times: int, tries: int, page: str, stated: float | None = None) -> Rate:
    low, high = clopper_pearson(times, tries, 0.025)
    at_most = "" if stated is None else f"at most {100 * stated:g} %"
    return Rate(
        of, error, at_most, f"{times} of {tries}, {100 * times / tries:.1f} %", f"{100 * low:.1f} to {100 * high:.1f} %",
        stated is not None and low > stated, page,
    )  # fmt: skip


def _of_gates() -> Iterator[Rate]:
    page = "gates"
    unchanged = table(GATES, "no regression")
    for seeds in ("4", "8", "16"):
        some = [row for row in unchanged if row["seeds"] == seeds]
        alarms, tries = (sum(int(row[name]) for row in some) for name in ("alarms", "in gates"))
        yield _share(
            f"gate, suite, {seeds} seeds",
            "an optimizer that did not change is named",
            alarms,
            tries,
            page,
            STATED_OF_GATES,
        )
    planted = table(GATES, "planted regression")
    for seeds in ("4 seeds", "8 seeds", "16 seeds"):
        named, tries = (sum(_count(row[seeds], word) for row in planted) for word in ("named", ""))
        yield _share(f"gate, suite, {seeds}", "a planted regression is not named", tries - named, tries, page)


def _of_workload_gates() -> Iterator[Rate]:
    rows = table(WORKLOADS, "workload")
    for workload in sorted({row["workload"] for row in rows}):
        some = [row for row in rows if row["workload"] == workload]
        for error, chosen, wrong in (
            ("an optimizer that did not change is named", [r for r in some if r["fault"].startswith("none")], "named"),
            ("a planted fault is not named", [r for r in some if not r["fault"].startswith("none")], ""),
        ):
            named, tries = (sum(_count(row["gates"], word) for row in chosen) for word in ("named", ""))
            if tries:
                times, stated = (named, STATED_OF_GATES) if wrong else (tries - named, None)
                yield _share(f"gate, workload {workload}", error, times, tries, "workload-gates", stated)


def _of_detector() -> Iterator[Rate]:
    text = DETECTORS.read_text(encoding="utf-8")
    found = re.search(r"([\d,]+) steps without a spike", text)
    if found is None:
        raise ValueError(f"{DETECTORS}: does not say how many steps it is about")
    steps = int(found[1].replace(",", ""))
    for row in table(DETECTORS, "noise"):
        if row["detector, threshold"] == "spikecheck":
            alarms = round(float(row["false alarms in 10,000"]) * steps / _STEPS)
            low, high = (bound * _STEPS / steps for bound in poisson_interval(alarms))
            yield Rate(
                f"detector, {row['noise']} noise", "a false alarm", "at most 1 in 10,000 steps",
                f"{alarms} in {steps:,} steps", f"{low:.2f} to {high:.2f} in 10,000", low > 1.0, "detectors",
            )  # fmt: skip


_NAMED_FALSELY = 0.05
"""What docs/causes.md requires of answers where there is no cause."""


def _of_causes() -> Iterator[Rate]:
    for row in table(CAUSES, ""):
        *_, newest = row.values()  # the answers of the newest rules stand last
        found = re.match(r"(\d+) of (\d+)", newest)
        if found is None:
            raise ValueError(f"{CAUSES}: {newest!r} is no share")
        times, tries, limit = int(found[1]), int(found[2]), float(row["required"].strip("≥≤ %")) / 100
        if "≥" in row["required"]:
            yield _share(
                "cause of a planted spike",
                "another cause, or none, is named first",
                tries - times,
                tries,
                "causes",
                1 - limit,
            )
        else:
            yield _share("cause of a planted spike", row[""], times, tries, "causes", limit)
    for row in table(CAUSES, "forks that spike"):
        named = int(row["a cause"].partition(":")[0])
        what = f"cause, {row['forks that spike']} of forks spike by chance"
        yield _share(what, "a cause is named", named, int(row["answers"]), "causes", _NAMED_FALSELY)


def _of_warnings() -> Iterator[Rate]:
    for row in table(ALARMS, "warning"):
        times, tries = (int(row[name].replace(",", "")) for name in ("false", "alarms"))
        yield _share(
            f"warning by {row['warning']}, Adam", "no spike follows within 100 steps", times, tries, "adam-alarms"
        )


def _count(cell: str, word: str) -> int:
    """Gates of one outcome, such as 2 of "2 named, 1 passed"; without a word, of all.

    >>> _count("2 named, 1 passed", "named"), _count("2 named, 1 passed", ""), _count("3 passed", "named")
    (2, 3, 0)
    """
    return sum(int(number) for number, outcome in re.findall(r"(\d+) (\w+)", cell) if word in ("", outcome))


def poisson_interval(count: int) -> tuple[float, float]:
    """The exact two-sided 95 % interval of a Poisson mean.

    >>> [round(bound, 2) for bound in poisson_interval(0)], [round(bound, 2) for bound in poisson_interval(10)]
    ([0.0, 3.69], [4.8, 18.39])
    """
    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return low, float(chi2.ppf(0.975, 2 * (count + 1))) / 2
