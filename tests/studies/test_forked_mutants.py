"""How a mutant of mutmut's is tried: in a folder like one that it makes, with a module of one function."""

import json
import os
import subprocess
import sys
from pathlib import Path

from studies.forked_mutants import SETTLED, made, read
from studies.systematic_mutants import GROUPS, counted

ROOT = Path(__file__).parents[2]
TRAMPOLINE = "def record_trampoline_hit(function, caller=None): pass\n"
MODULE = """
import os
from functools import cache
from mutmut.mutation import trampoline

@cache
def one():
    which = os.environ["MUTANT_UNDER_TEST"]
    if which == "stats":
        trampoline.record_trampoline_hit("spikecheck.module.x_one", caller=None)
    while which.endswith("x_one__mutmut_3"):
        pass
    return 2 if which.endswith("x_one__mutmut_1") else 1
"""
TESTS = "from module import one\ndef test_one(): assert one() == 1\ndef test_other(): pass\n"
NAMES = [f"spikecheck.module.x_{name}" for name in ("one__mutmut_1", "one__mutmut_2", "one__mutmut_3", "two__mutmut_1")]


def test_mutants_are_killed_survive_never_end_or_are_reached_by_no_test(tmp_path: Path) -> None:
    """Although the function remembers what it returned before it was changed."""
    for file, text in {
        "mutmut/__init__.py": "",
        "mutmut/mutation/__init__.py": "",
        "mutmut/mutation/trampoline.py": TRAMPOLINE,
        "module.py": MODULE,
        "test_module.py": TESTS,
        "pytest.ini": "[pytest]\nmarkers = slow\n",
        "spikecheck/module.py.meta": json.dumps({"exit_code_by_key": dict.fromkeys(NAMES)}),
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    results = tmp_path / "results.json"
    words = [sys.executable, str(ROOT / "studies" / "forked_mutants.py"), str(results), "*", "test_module.py"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run(words, cwd=tmp_path, env=environ, check=True, capture_output=True)
    assert list(made(tmp_path)) == NAMES
    assert read(results) == dict(zip(NAMES, ("killed", "survived", "timeout", "no tests"), strict=True))
    assert counted(read(results), NAMES) == {
        "module": {
            "results": {"killed": 1, "survived": 1, "timeout": 1, "no tests": 1},
            "left": ["x_one__mutmut_2", "x_two__mutmut_1"],
        }
    }


def test_what_was_not_tried_is_counted_as_such_and_not_as_a_survivor() -> None:
    assert counted({}, NAMES[:1]) == {"module": {"results": {"not checked": 1}, "left": []}}
    assert SETTLED == ("killed", "timeout")


def test_a_groups_modules_and_tests_exist() -> None:
    for group in GROUPS.values():
        assert all((ROOT / "spikecheck" / f"{module}.py").is_file() for module in group.modules)
        assert all((ROOT / "tests" / test).is_file() for test in group.tests)
        assert set(group.slow_too) <= set(group.tests)
