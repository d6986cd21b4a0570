"""The mutants of the code fit the code: `python studies/code_mutants.py` shows that tests notice them."""

from pathlib import Path

import pytest

from studies.code_mutants import MUTANTS, failed, mutated
from studies.code_mutants_kinds import CodeMutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.wrong))
def test_a_mutant_changes_one_place_and_names_tests_that_exist(mutant: CodeMutant) -> None:
    text = (ROOT / "spikecheck" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.right_text) == 1
    compile(text.replace(mutant.right_text, mutant.wrong_text), mutant.file, "exec")
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_a_test_that_fails_on_a_mutant_is_named_and_the_copy_is_put_back(tmp_path: Path) -> None:
    (tmp_path / "spikecheck").mkdir()
    module = tmp_path / "spikecheck" / "one.py"
    module.write_text("ONE = 1\n")
    (tmp_path / "test_one.py").write_text(
        "from pathlib import Path\n"
        "def test_one(): assert 'ONE = 1' in Path('spikecheck/one.py').read_text()\n"
        "def test_other(): pass\n"
    )
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "_spikecheck_pytest.py").write_text("")  # a copy has its own plugin
    tests = ("test_one.py::test_one", "test_one.py::test_other")
    assert failed(tmp_path, tests) == set()
    with mutated(tmp_path, CodeMutant("one is two", "one.py", "= 1", "= 2", tests)):
        assert failed(tmp_path, tests) == {"test_one.py::test_one"}
    assert module.read_text() == "ONE = 1\n"
    with (
        pytest.raises(ValueError, match="0 times"),
        mutated(tmp_path, CodeMutant("none", "one.py", "= 3", "= 2", tests)),
    ):
        pass
