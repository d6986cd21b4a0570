"""Every mutant that mutmut makes of the modules that decide something, against the quick tests of those modules.

    python studies/systematic_mutants.py --mutmut PATH [--group NAME] [--copy FOLDER] [--names PATTERN ...]

mutmut is no dependency: PATH is its command in an environment of its own that also finds this one's packages. It changes one
operator, name or constant at a time in a copy of the repository, which is kept in FOLDER and gone on from; remove it to begin
anew. Results go to reports/systematic-mutants.json, and from there to docs/code-mutants.md by
`python studies/code_mutants.py --part page`.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies.code_mutants import HERE, SYSTEMATIC, write


@dataclass(frozen=True)
class Group:
    """Modules that decide together, and the tests of all of them."""

    decides: str
    modules: tuple[str, ...]
    """Relative to the package, without a suffix."""
    tests: tuple[str, ...]
    """Files in `tests`, of which those in tests/slow.txt are left out."""


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
    "detector": Group(
        "where a spike begins and ends",
        ("watch/thresholds", "watch/tail", "watch/detector"),
        ("watch/test_thresholds.py", "watch/test_tail.py", "watch/test_detector.py"),
    ),
}
_COPIED = ("spikecheck", "tests", "claims", "workloads", "studies", "pyproject.toml", "_spikecheck_pytest.py")
_RESULT = re.compile(r"spikecheck\.(?P<module>[\w.]+)\.(?P<mutant>\S+__mutmut_\d+): (?P<result>[\w ]+)")
_TABLE = """
[tool.mutmut]
source_paths = ["spikecheck"]
only_mutate = {only}
also_copy = ["claims", "workloads", "studies", "_spikecheck_pytest.py"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "-m", "not slow"]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
track_dependencies = false
timeout_constant = 60.0
"""
_ENVIRON = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "", "SPIKECHECK_TEST_PROFILE": "spikecheck-ci"}
"""The copy is imported, not this repository; and a mutant's result can be had again."""


def main() -> None:
    """Run mutmut in the copy, and keep what it found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--mutmut", required=True, help="its command")
    parser.add_argument("--group", choices=GROUPS, default="gate", help="which modules (default: gate)")
    parser.add_argument("--copy", type=Path, help="where the copy is; default: a folder in build, by the group's name")
    parser.add_argument("--part", choices=("results",), help="only read what an earlier run has found")
    parser.add_argument("--names", nargs="*", default=[], help="of mutants, with wildcards; default: all not tried yet")
    options = parser.parse_args()
    copy = options.copy or HERE / "build" / "mutants" / options.group
    if options.part is None:
        _copied(copy, GROUPS[options.group])
        subprocess.run(
            [options.mutmut, "run", "--max-children", "1", *options.names], cwd=copy, env=_ENVIRON, check=True
        )
    listed = subprocess.run(
        [options.mutmut, "results", "--all", "true"], cwd=copy, env=_ENVIRON, capture_output=True, text=True, check=True
    )
    write(SYSTEMATIC, json.dumps(_together(counted(listed.stdout)), indent=1) + "\n")


def _copied(copy: Path, group: Group) -> None:
    """The repository in a folder of its own, with mutmut's table in its pyproject.toml, unless it is there."""
    if copy.exists():
        return
    copy.mkdir(parents=True)
    for name in _COPIED:
        source = HERE / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    only = json.dumps([f"spikecheck/{module}.py" for module in group.modules])
    tests = json.dumps([f"tests/{test}" for test in group.tests])
    with (copy / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(_TABLE.format(only=only, tests=tests))


def _together(new: dict[str, dict[str, object]]) -> dict[str, Any]:
    """What is known of all groups' modules, in the groups' order."""
    known = json.loads(SYSTEMATIC.read_text(encoding="utf-8")) if SYSTEMATIC.exists() else {}
    found = known | new
    return {module: found[module] for module in _modules() if module in found}


def _modules() -> Iterable[str]:
    return (module for group in GROUPS.values() for module in group.modules)


def counted(listed: str) -> dict[str, dict[str, object]]:
    """For each module, how many of its mutants have which result, and the names of those that were tried and not noticed.

    >>> counted("spikecheck.gate.metrics.x_spread__mutmut_1: killed\\nspikecheck.gate.metrics.x_spread__mutmut_2: survived")
    {'gate/metrics': {'results': {'killed': 1, 'survived': 1}, 'left': ['x_spread__mutmut_2']}}
    """
    found = [match.groupdict() for match in map(_RESULT.search, listed.splitlines()) if match]
    modules: dict[str, dict[str, object]] = {}
    for module in dict.fromkeys(one["module"] for one in found):
        own = [one for one in found if one["module"] == module]
        left = [one["mutant"] for one in own if one["result"] not in ("killed", "not checked")]
        results = dict(Counter(one["result"] for one in own))
        modules[module.replace(".", "/")] = {"results": results, "left": left}
    return modules


if __name__ == "__main__":
    main()
