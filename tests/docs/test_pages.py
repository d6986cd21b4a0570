"""Every page's code runs, its commands are understood, and its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import spikecheck
from tests.docs.pages import PAGES, ROOT, assert_understood, blocks, calls, commands, links, named

# What pages may call besides spikecheck and nox, which are looked at more closely.
ALLOWED = {"cat", "cd", "dask", "git", "pip", "pytest", "python", "python3"}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=named)
def test_the_python_blocks_run_one_after_another(page: Path, tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    environment = {**os.environ, "SPIKECHECK_STORE": str(tmp_path / "store")}
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", sorted({line for page in PAGES for line in commands(page)}))
def test_a_command_is_understood(line: str) -> None:
    for program, *arguments in calls(line):
        match Path(program).name:
            case "spikecheck":
                assert_understood(arguments)
            case "nox":
                noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
                assert f"@nox.session\ndef {arguments[1]}(session: nox.Session)" in noxfile
            case name:
                assert name in ALLOWED


@pytest.mark.parametrize("page", [page for page in PAGES if links(page)], ids=named)
def test_links_lead_to_files(page: Path) -> None:
    assert not [target for target in links(page) if not (page.parent / target).exists()]


@pytest.mark.parametrize("name", spikecheck.__all__)
def test_a_public_name_stands_in_the_reference_once(name: str) -> None:
    reference = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert len(re.findall(rf"^\.\. auto\w+:: spikecheck\.{name}$", reference, re.MULTILINE)) == 1
