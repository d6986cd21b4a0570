"""Every mutant that mutmut makes of the modules that decide something, against the quick tests of those modules.

    python studies/systematic_mutants.py --python PATH [--group NAME] [--copy FOLDER] [--only PATTERN] [--tests WORDS]

mutmut is no dependency: PATH is an interpreter of an environment that has mutmut and also finds this one's packages. mutmut
changes one operator, name or constant at a time in a copy of the repository, which is kept in FOLDER; `forked_mutants` tries
them there, and goes on from what it has tried. A survivor is tried again, against the tests as they are now; remove the copy
when the code has changed. Results go to reports/systematic-mutants.json, and from there to docs/code-mutants.md by
`python studies/code_mutants.py --part page`.
"""

import argparse
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies.code_mutants import HERE, SYSTEMATIC, write
from studies.forked_mutants import SETTLED, made, read


@dataclass(frozen=True)
class Group:
    """Modules that decide together, and the tests of all of them."""

    decides: str
    modules: tuple[str, ...]
    """Relative to the package, without a suffix."""
    tests: tuple[str, ...]
    """Files in `tests`, without the tests that tests/slow.txt names one by one."""
    slow_too: tuple[str, ...] = ()
    """Files of which those tests are tried as well."""


_STATS = tuple(
    f"stats/{module}"
    for module in (
        "averages",
        "bounds",
        "contrast",
        "counts",
        "holm",
        "looks",
        "p_values",
        "paired",
        "planning",
        "prediction",
        "proportions",
    )
)
GROUPS = {
    "gate": Group(
        "whether a gate names a regression",
        ("gate/comparison", "gate/metrics", "gate/baseline"),
        ("gate/test_comparison.py", "gate/test_metrics.py", "gate/test_baseline.py"),
    ),
    "causes": Group(
        "which cause of a spike is named",
        ("why/sequential", "why/ranking", "why/inquiry", "why/scene"),
        ("why/test_sequential.py", "why/test_ranking.py", "why/test_inquiry.py", "why/test_scene.py"),
    ),
    "forks": Group(
        "how high a fork's excursion is",
        ("why/heights", "why/excursion", "why/spikes"),
        ("why/test_heights.py", "why/test_excursion.py", "why/test_spikes.py"),
    ),
    "thresholds": Group(
        "what counts as a spike",
        ("watch/thresholds", "watch/tail"),
        ("watch/test_thresholds.py", "watch/test_tail.py"),
    ),
    "detector": Group("where a spike begins and ends", ("watch/detector",), ("watch/test_detector.py",)),
    "stats": Group(
        "which p-values and bounds a gate and a claim have",
        _STATS,
        tuple(f"stats/test_{module.removeprefix('stats/')}.py" for module in _STATS),
        ("stats/test_looks.py", "stats/test_paired.py", "stats/test_proportions.py"),
    ),
    "plan": Group(
        "what a plan finds, which rate is best, and what differs between two scorecards",
        ("gate/plan", "gate/rates", "gate/report_diff"),
        ("gate/test_plan.py", "gate/test_rates.py", "gate/test_report_diff.py"),
    ),
}
_COPIED = ("spikecheck", "tests", "claims", "workloads", "studies", "pyproject.toml", "_spikecheck_pytest.py")
_COMPILED = shutil.ignore_patterns("__pycache__")
_TABLE = """
[tool.mutmut]
source_paths = ["spikecheck"]
only_mutate = {only}
also_copy = ["claims", "workloads", "studies", "_spikecheck_pytest.py"]
"""
_MADE = """
from pathlib import Path
from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants, setup_source_paths
Path("mutants").mkdir(exist_ok=True)
copy_src_dir()
copy_also_copy_files()
setup_source_paths()
create_mutants(1)
"""
"""What `mutmut run` does before it runs tests."""
_ENVIRON = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ".", "SPIKECHECK_TEST_PROFILE": "spikecheck-ci"}
"""The copy is imported, not this repository; and a mutant's result can be had again."""


def main() -> None:
    """Make the mutants in the copy, try them, and keep what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--python", required=True, help="an interpreter that finds mutmut")
    parser.add_argument("--group", choices=GROUPS, default="gate", help="which modules (default: gate)")
    parser.add_argument("--copy", type=Path, help="where the copy is; default: a folder in build, by the group's name")
    parser.add_argument("--only", default="*", help="names of mutants, with wildcards (default: *)")
    parser.add_argument("--tests", default="", help="as -k of pytest: those that notice most, for a quick first run")
    options = parser.parse_args()
    group, copy = GROUPS[options.group], options.copy or HERE / "build" / "mutants" / options.group
    results, there = copy.resolve() / "results.json", copy.resolve() / "mutants"
    if not there.exists():
        _copied(copy, group)
        _called(options.python, copy, "-c", _MADE)
    shutil.copytree(HERE / "tests", there / "tests", dirs_exist_ok=True, ignore=_COMPILED)
    shutil.copy(HERE / "studies" / "forked_mutants.py", there / "studies")
    tests = [f"tests/{test}" for test in group.tests]
    words = [*tests, *_without_slow(group), "-k", options.tests]
    _called(options.python, there, "studies/forked_mutants.py", str(results), options.only, *words)
    write(SYSTEMATIC, json.dumps(_together(counted(read(results), made(there))), indent=1) + "\n")


def _called(python: str, folder: Path, *words: str) -> None:
    subprocess.run([python, *words], cwd=folder, env=_ENVIRON, check=True)


def _without_slow(group: Group) -> list[str]:
    lines = (HERE / "tests" / "slow.txt").read_text(encoding="utf-8").splitlines()
    kept = tuple(f"tests/{file}" for file in group.slow_too)
    return [f"--deselect={line}" for line in lines if "::" in line and not line.startswith(kept)]


def _copied(copy: Path, group: Group) -> None:
    """The repository in a folder of its own, with mutmut's table in its pyproject.toml."""
    copy.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        source = HERE / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=_COMPILED, dirs_exist_ok=True)
        else:
            shutil.copy(source, copy / name)
    only = json.dumps([f"spikecheck/{module}.py" for module in group.modules])
    with (copy / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(_TABLE.format(only=only))


def _together(new: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is known of all groups' modules, in the groups' order; what is known stays where --only tried none of a module."""
    known = json.loads(SYSTEMATIC.read_text(encoding="utf-8")) if SYSTEMATIC.exists() else {}
    tried = {module: one for module, one in new.items() if one["results"].keys() != {"not checked"}}
    every = new | known | tried
    return {module: every[module] for module in _modules() if module in every}


def _modules() -> Iterable[str]:
    return (module for group in GROUPS.values() for module in group.modules)


def counted(results: Mapping[str, str], names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """For each module, how many of its mutants have which result, and the names of those that no test noticed.

    >>> names = ["spikecheck.gate.metrics.x_spread__mutmut_1", "spikecheck.gate.metrics.x_spread__mutmut_2"]
    >>> counted({names[0]: "killed", names[1]: "survived"}, names)
    {'gate/metrics': {'results': {'killed': 1, 'survived': 1}, 'left': ['x_spread__mutmut_2']}}
    """
    modules: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        module, _, mutant = name.removeprefix("spikecheck.").rpartition(".")
        modules.setdefault(module.replace(".", "/"), []).append((mutant, results.get(name, "not checked")))
    return {
        module: {
            "results": dict(Counter(result for _, result in own)),
            "left": [mutant for mutant, result in own if result not in (*SETTLED, "not checked")],
        }
        for module, own in modules.items()
    }


if __name__ == "__main__":
    main()
