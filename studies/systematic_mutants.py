"""Every mutant that mutmut makes of the gate's judgement, against the quick tests of those modules.

    python studies/systematic_mutants.py --mutmut PATH [--copy FOLDER]

mutmut is no dependency: PATH is its command in an environment of its own that also finds this one's packages. It changes one
operator, name or constant at a time in a copy of the repository, which is kept in FOLDER and gone on from. Results go to
reports/systematic-mutants.json, and from there to docs/code-mutants.md by `python studies/code_mutants.py --part page`.
"""

import argparse
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from studies.code_mutants import HERE, SYSTEMATIC, write

MODULES = ("gate/comparison", "gate/metrics", "gate/baseline")
TESTS = ("tests/gate/test_comparison.py", "tests/gate/test_metrics.py", "tests/gate/test_baseline.py")
_COPIED = ("spikecheck", "tests", "claims", "workloads", "studies", "pyproject.toml", "_spikecheck_pytest.py")
_RESULT = re.compile(r"spikecheck\.(?P<module>[\w.]+)\.(?P<mutant>\S+__mutmut_\d+): (?P<result>[\w ]+)")
_TABLE = """
[tool.mutmut]
source_paths = ["spikecheck"]
only_mutate = {only}
also_copy = ["claims", "workloads", "studies", "_spikecheck_pytest.py"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist", "--no-header"]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
track_dependencies = false
timeout_constant = 60.0
"""


def main() -> None:
    """Run mutmut in the copy, and keep what it found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--mutmut", required=True, help="its command")
    parser.add_argument("--copy", type=Path, default=HERE / "build" / "mutants", help="where the copy is")
    parser.add_argument("--part", choices=("results",), help="only read what an earlier run has found")
    options = parser.parse_args()
    if options.part is None:
        _copied(options.copy)
        subprocess.run([options.mutmut, "run", "--max-children", "1"], cwd=options.copy, check=True)
    listed = subprocess.run(
        [options.mutmut, "results", "--all", "true"], cwd=options.copy, capture_output=True, text=True, check=True
    )
    write(SYSTEMATIC, json.dumps(counted(listed.stdout), indent=1) + "\n")


def _copied(copy: Path) -> None:
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
    only = json.dumps([f"spikecheck/{module}.py" for module in MODULES])
    with (copy / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(_TABLE.format(only=only, tests=json.dumps(list(TESTS))))


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
