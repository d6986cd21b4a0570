"""What a setting names by MODULE:NAME."""

import re
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from spikecheck.core.errors import DataError, SettingError, UnknownName
from spikecheck.core.import_path import check_takes, for_all, made, named, source_digest
from spikecheck.core.setting import PER_MEMBER, Setting
from spikecheck.objective.objective import build_objective

Write = Callable[[str], str]


def test_a_module_beside_the_user_is_found(write: Write) -> None:
    module = write("def make(setting):\n    return setting.width\n")
    assert made("model", f"{module}:make", Setting(width=7)) == 7


def test_a_dotted_name_reaches_into_classes(write: Write) -> None:
    module = write("class Outer:\n    @staticmethod\n    def make():\n        return 3\n")
    assert made("model", f"{module}:Outer.make") == 3


@pytest.mark.parametrize(
    ("text", "name", "error", "says"),
    [
        ("", "make", UnknownName, "no object in .* is called 'make'"),
        ("def make_it(): ...", "make", UnknownName, "did you mean: make_it"),
        ("make = 3", "make", SettingError, "is int, not callable"),
        ("raise ValueError('first\\nsecond')", "make", SettingError, "importing it raised ValueError: first; fix"),
        ("import no_such_module_at_all", "make", SettingError, "no module 'no_such_module_at_all'; install it"),
        ("def make(s): return 1 / 0", "make", SettingError, "the factory raised ZeroDivisionError"),
        ("def make(s): raise AssertionError", "make", SettingError, "the factory raised AssertionError; call it"),
    ],
)
def test_what_goes_wrong_is_one_line_that_names_the_path(
    write: Write, text: str, name: str, error: type[Exception], says: str
) -> None:
    path = f"{write(text)}:{name}"
    with pytest.raises(error, match=says) as caught:
        made("model", path, Setting())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["sine", "sine:", ":sine"])
def test_a_misspelt_built_in_gets_its_near_matches(path: str) -> None:
    with pytest.raises(UnknownName, match="no problem is called .*did you mean: sines"):
        named("problem", path)


def test_a_file_hidden_by_an_installed_module_is_told_to_be_renamed(write: Write) -> None:
    """Regression: a wave.py of the user's was said to hold what the standard library's holds."""
    write("")  # moves to an empty folder
    Path("wave.py").write_text("def square_wave(setting): ...\n")
    (Path("json") / "own").mkdir(parents=True)
    Path("json/own/__init__.py").touch()
    hidden = rf"wave.py in the working folder is hidden by {re.escape(wave.__file__)}, .*; rename it$"
    with pytest.raises(SettingError, match=rf"no object in wave is called 'square_wave'; {hidden}"):
        named("problem", "wave:square_wave")
    with pytest.raises(SettingError, match=r"no module 'json.own'; json/own/__init__.py in .* hidden by .*json"):
        named("problem", "json.own:make")


def test_an_unknown_object_is_told_with_the_file_that_was_looked_into(write: Write) -> None:
    module = write("")
    with pytest.raises(UnknownName, match=rf"no object in {module} \(.*{module}\.py\) is called 'make'"):
        named("model", f"{module}:make")
    with pytest.raises(UnknownName, match=r"no object in time \(a module built into Python\)"):
        named("model", "time:make")


@pytest.mark.parametrize(
    "path", [".mine:Own", "./mine.py:Own", "mine.py:Own", "../folder/mine.py:Own", "/a/mine.py:Own"]
)
def test_the_path_of_a_file_is_no_module(path: str) -> None:
    """Regression: it was said that importing a relative name had raised TypeError, and that the file was to be fixed."""
    with pytest.raises(
        SettingError, match="not the name of a module; give mine:Own in the folder that contains mine.py"
    ):
        named("optimizer", path)


def test_a_missing_module_says_where_to_run() -> None:
    with pytest.raises(
        SettingError, match=r"model='no_such_module:make': no module 'no_such_module'; install it, or run"
    ):
        named("model", "no_such_module:make")


def test_a_factorys_own_complaint_about_its_setting_passes_unchanged(write: Write) -> None:
    module = write("from spikecheck.core.errors import DataError\ndef make(s):\n    raise DataError('mine')\n")
    with pytest.raises(DataError, match="^mine$"):
        made("problem", f"{module}:make", Setting())


def test_what_members_may_differ_in_is_hidden_from_a_shared_factory() -> None:
    setting = Setting(width=7, target="sin 2x", interval=1.0, lr=0.3, init_scale=2.0, input_std=0.1, output_std=0.2)
    seen = for_all(setting, "target")
    assert seen == Setting(width=7, target="sin 2x")
    assert for_all(setting).differences(Setting()).keys().isdisjoint(PER_MEMBER)


def test_a_digest_follows_what_a_module_imports_from_beside_it(write: Write, tmp_path: Path) -> None:
    """Regression: runs of a model were taken from the store after the file that makes it had changed."""
    inner = write("WIDTH = 3\n")
    middle = write(f"import json, torch\nfrom {inner} import WIDTH\n")
    other = write("UNRELATED = 1\n")
    module = write(f"import {middle}\ndef make(setting):\n    return {middle}.WIDTH\n")

    def digest() -> str:
        return source_digest("model", f"{module}:make")

    before = digest()
    assert digest() == before
    (tmp_path / f"{other}.py").write_text("UNRELATED = 2\n", encoding="utf-8")
    assert digest() == before
    (tmp_path / f"{inner}.py").write_text("WIDTH = 4\n", encoding="utf-8")
    assert digest() != before


def test_a_problem_that_draws_anew_is_refused(write: Write) -> None:
    """Regression: every tile had a problem of its own, and no run could be made again."""
    text = (
        "import torch\nfrom types import SimpleNamespace as N\ndef make(setting):\n    x = {}\n    return N(x=x, y=x)\n"
    )
    free = write(text.format("torch.rand(5, 1)"))
    with pytest.raises(DataError, match="two calls of its factory differ in x; draw from a generator"):
        build_objective([Setting(problem=f"{free}:make")])
    own = write(text.format("torch.rand(5, 1, generator=torch.Generator().manual_seed(1))"))
    build_objective([Setting(problem=f"{own}:make")])


@pytest.mark.parametrize(
    ("names", "says"), [(["lr"], ""), (["lr", "foo"], "no argument of .*:Own is called 'foo'; known: lr$")]
)
def test_names_of_arguments_are_checked_without_a_call(write: Write, names: list[str], says: str) -> None:
    module = write("class Own:\n    def __init__(self, params, lr):\n        raise ValueError\n")
    if not says:
        check_takes("optimizer", f"{module}:Own", names)
        return
    with pytest.raises(UnknownName, match=says):
        check_takes("optimizer", f"{module}:Own", names)


def test_a_factory_that_takes_any_name_or_has_no_signature_is_not_refused(write: Write) -> None:
    module = write("def make(params, **more): ...\n")
    check_takes("optimizer", f"{module}:make", ["foo"])
    check_takes("optimizer", "builtins:dict", ["foo"])
