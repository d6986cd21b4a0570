"""Files that other programs read: workflows, issue forms, hooks and changelog fragments are what those expect."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import spikecheck

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = [file for file in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) if file.stem != "config"]
SCHEMAS = [
    *((file, "vendor.github-workflows") for file in WORKFLOWS),
    *((file, "vendor.github-issue-forms") for file in FORMS),
    (ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml", "vendor.github-issue-config"),
    (ROOT / "action.yml", "vendor.github-actions"),
]


def parsed(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "schema"), SCHEMAS, ids=lambda value: getattr(value, "name", ""))
def test_github_understands_it(file: Path, schema: str) -> None:
    """Against GitHub's schemas, which come with the validator: no network."""
    validator = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run([validator, "--builtin-schema", schema, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_validator_refuses_what_github_would(tmp_path: Path) -> None:
    broken = tmp_path / "ci.yml"
    shutil.copy(WORKFLOWS[0], broken)
    broken.write_text(broken.read_text(encoding="utf-8").replace("runs-on:", "run-on:"), encoding="utf-8")
    with pytest.raises(AssertionError, match="run-on"):
        test_github_understands_it(broken, "vendor.github-workflows")


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_by_their_commit_and_say_their_version(file: Path) -> None:
    used = re.findall(r"uses: *(.+)", file.read_text(encoding="utf-8"))
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", line)] == []


def test_continuous_integration_begins_with_the_oldest_python_and_torch() -> None:
    matrix = parsed(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["tests"]["strategy"]["matrix"]["include"]
    pythons = [part["python"] for part in matrix]
    (torch,) = [line for line in PYPROJECT["project"]["dependencies"] if line.startswith("torch>=")]
    assert f">={pythons[0]}" == PYPROJECT["project"]["requires-python"]
    assert matrix[0]["torch"] == torch.removeprefix("torch>=") + ".*"
    assert matrix[-1] == {"python": "3.14", "torch": ""}
    assert pythons == sorted(pythons, key=lambda version: int(version.split(".")[1]))


def test_only_publishing_may_ask_for_a_token() -> None:
    release = parsed(ROOT / ".github" / "workflows" / "release.yml")
    assert release["permissions"] == {"contents": "read"}
    assert [name for name, job in release["jobs"].items() if "permissions" in job] == ["publish"]
    assert release["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")


def test_hooks_run_what_lint_and_types_run() -> None:
    (repository,) = parsed(ROOT / ".pre-commit-config.yaml")["repos"]
    called = [hook["entry"].split(" --force")[0] for hook in repository["hooks"]]
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    for entry in called:
        quoted = ", ".join(f'"{word}"' for word in entry.split())
        assert f"session.run({quoted}" in noxfile
    assert called == ["ruff check", "ruff format", "lint-imports", "mypy"]


def test_the_version_is_the_same_everywhere() -> None:
    version = PYPROJECT["project"]["version"]
    assert spikecheck.__version__ == version
    assert parsed(ROOT / "CITATION.cff")["version"] == version
    assert f"version = {{{version}}}" in (ROOT / "README.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_releases_are_dated_and_newest_first() -> None:
    heads = re.findall(
        r"^## (\d+\.\d+\.\d+) \((.+)\)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in heads[1:])
    assert heads[0][1] == "unreleased" or re.fullmatch(r"\d{4}-\d\d-\d\d", heads[0][1])
    versions = [tuple(map(int, version.split("."))) for version, _ in heads]
    assert versions == sorted(versions, reverse=True)


def test_every_changelog_fragment_is_of_a_type_that_is_known() -> None:
    settings = PYPROJECT["tool"]["towncrier"]
    folder = ROOT / settings["directory"]
    types = {part["directory"] for part in settings["type"]}
    for file in folder.iterdir():
        assert file.name == "README.md" or re.fullmatch(rf"(\+[\w-]+|\d+)\.({'|'.join(types)})\.md", file.name)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in types)
    assert settings["start_string"] in (ROOT / settings["filename"]).read_text(encoding="utf-8")


def test_only_the_reproductions_are_larger_than_a_megabyte() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    large = {file.relative_to(ROOT).as_posix() for file in files if file.is_file() and file.stat().st_size > 1_000_000}
    assert large <= {f"reports/{name}" for name in ("reproduction.json.gz", "reproduction.html", "replication.json.gz")}
