"""Which files a module consists of: the user's own that it imports, wherever they lie."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import spikecheck
from spikecheck.core.own_files import own_files


@pytest.fixture(autouse=True)
def on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder and its `src` are searched, and modules that are loaded are forgotten."""
    for folder in (tmp_path, tmp_path / "src"):
        monkeypatch.syspath_prepend(folder)


def written(folder: Path, texts: dict[str, str]) -> Path:
    """Write files; returns the first."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / next(iter(texts))


def names(folder: Path, module: str, file: Path) -> list[str]:
    return [str(each.relative_to(folder)) for each in own_files(module, file)]


@pytest.mark.parametrize(
    "line", ["from tools.rates import factor", "import tools.rates", "from tools import rates as r"]
)
def test_a_folder_without_an_init_is_followed(line: str, tmp_path: Path) -> None:
    """Regression: runs were taken from the store after a helper in such a folder had changed, so a regression passed."""
    file = written(
        tmp_path,
        {"mine.py": line, "tools/rates.py": "import tools.deep.more", "tools/deep/more.py": "", "tools/other.py": ""},
    )
    assert names(tmp_path, "mine", file) == ["mine.py", "tools/deep/more.py", "tools/rates.py"]


def test_a_package_is_followed_beside_a_folder_without_an_init(tmp_path: Path) -> None:
    """Regression: one import of such a folder hid what the rest of the package says."""
    texts = {
        "pkg/optim.py": "from .sub.base import SCALE\nimport loose.third as third",
        "pkg/__init__.py": "",
        "pkg/sub/__init__.py": "from . import lazy",
        "pkg/sub/lazy.py": "",
        "pkg/sub/base.py": "",
        "loose/third.py": "",
    }
    assert names(tmp_path, "pkg.optim", written(tmp_path, texts)) == [next(iter(texts)), *sorted(list(texts)[1:])]


def test_a_source_folder_elsewhere_and_an_import_within_a_function_are_followed(tmp_path: Path) -> None:
    """Regression: a test's factory of an optimizer in `src` was taken from the store after the optimizer had changed."""
    function = "def make(named, lr):\n    from own.optim import Mine\n    return Mine"
    texts = {"tests/test_it.py": function, "src/own/optim.py": "import other", "other.py": "", "unrelated.py": ""}
    file = written(tmp_path, texts)
    assert names(tmp_path, "test_it", file) == ["tests/test_it.py", "other.py", "src/own/optim.py"]


@pytest.mark.parametrize("text", ["import", "from .. import x", "import a\nimport mine\n"])
def test_what_cannot_be_read_or_found_is_left_out(text: str, tmp_path: Path) -> None:
    file = written(tmp_path, {"mine.py": text})
    assert names(tmp_path, "mine", file) == ["mine.py"]


def test_nothing_installed_is_followed_and_nothing_is_imported(tmp_path: Path) -> None:
    text = "import json, torch.optim, numpy, spikecheck.gate\nimport fresh_one"
    file = written(tmp_path, {"mine.py": text, "fresh_one.py": ""})
    assert names(tmp_path, "mine", file) == ["mine.py", "fresh_one.py"]
    assert "fresh_one" not in sys.modules
    for module in (torch.optim, np, spikecheck):
        assert own_files(module.__name__, Path(module.__file__ or "")) == [Path(module.__file__ or "")]


def test_a_module_that_was_loaded_from_elsewhere_is_followed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pytest loads files of folders that are not on the path."""
    texts = {"mine.py": "import helper_from_elsewhere", "away/helper_from_elsewhere.py": ""}
    file = written(tmp_path, texts)
    loaded = ModuleType("helper_from_elsewhere")
    loaded.__file__ = str(tmp_path / "away" / "helper_from_elsewhere.py")
    monkeypatch.setitem(sys.modules, loaded.__name__, loaded)
    assert names(tmp_path, "mine", file) == list(texts)
