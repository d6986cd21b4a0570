"""SECURITY.md's promises: nothing that was stored or received is unpickled or evaluated, and actions are pinned."""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from spikecheck.cli.exit import report_error
from spikecheck.cli.main import cli
from spikecheck.core.errors import CorruptEntry, SpikecheckError
from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = sorted(
    [
        *(ROOT / "spikecheck").rglob("*.py"),
        *(ROOT / "workloads").rglob("*.py"),
        *(ROOT / "claims").rglob("*.py"),
        ROOT / "_spikecheck_pytest.py",
    ]
)
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
EXECUTED = {
    ("exit.py", 'exec("")'),
    ("kernel_call.py", 'compile(text, "<kernel>", "exec")'),
    ("kernel_call.py", 'exec(compile(text, "<kernel>", "exec"), names)'),
    ("why.py", "import pickle"),
}
"""What runs no text from a stranger: the first clears a flag of Python's, the next two run what torch's compiler wrote
into the user's own cache, which SECURITY.md says is code, and the last pickles an arm to see whether a process can have it."""


def dangers(tree: ast.AST) -> Iterator[str]:
    """Every call that would run what a file holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"import {name}" for name in names if name.split(".")[0] in UNPICKLERS)
        if not isinstance(node, ast.Call):
            continue
        called, given = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
        if called in (
            "eval",
            "exec",
            "compile",
            "builtins.eval",
            "os.system",
            "os.popen",
            "yaml.load",
            "yaml.unsafe_load",
        ):
            yield ast.unparse(node).replace("'", '"')
        if called.endswith("torch.load") and given.get("weights_only") != "True":
            yield ast.unparse(node)
        if given.get("allow_pickle") == "True" or given.get("shell") == "True":
            yield ast.unparse(node)


def test_nothing_is_unpickled_or_evaluated() -> None:
    told = {(path.name, danger) for path in SHIPPED for danger in dangers(ast.parse(path.read_text(encoding="utf-8")))}
    assert told <= EXECUTED


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from dill import loads",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "eval(text)",
        "exec(text)",
        "yaml.load(text)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_each_danger_would_be_noticed(text: str) -> None:
    assert list(dangers(ast.parse(text)))


@pytest.mark.parametrize(
    "path", [ROOT / "action.yml", *sorted((ROOT / ".github" / "workflows").glob("*.yml"))], ids=lambda path: path.name
)
def test_actions_are_pinned_by_their_hash(path: Path) -> None:
    used = re.findall(r"uses:\s*(\S+)", path.read_text(encoding="utf-8"))
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)] == []


@pytest.mark.parametrize(
    "raw",
    [
        (2**62).to_bytes(8, "little") + b"{}",
        b'{"a":{"dtype":"F64","shape":[1000000000000],"data_offsets":[0,8000000000000]}}',
        b'{"a":{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}}',
        b'{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"__metadata__":{"digest":1}}',
        b'{"__metadata__":{"digest":"../../x","about":"{}","checksum":""}}',
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
    ],
    ids=["huge header", "huge array", "negative shape", "no digest", "path", "nested list", "nested object"],
)
def test_a_hostile_store_entry_is_refused(tmp_path: Path, raw: bytes) -> None:
    store = Store(tmp_path)
    store.put("ab" * 32, Entry({}, {}))
    (path,) = tmp_path.glob("runs/*/*.safetensors")
    path.write_bytes(raw if raw[7] == 0x40 else len(raw).to_bytes(8, "little") + raw)
    with pytest.raises(CorruptEntry):
        store.get("ab" * 32)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_out_of_the_store_is_neither_followed_on_writing_nor_removed_with_its_target(tmp_path: Path) -> None:
    store, precious = Store(tmp_path / "store"), tmp_path / "precious"
    precious.write_bytes(b"mine")
    store.put("ab" * 32, Entry({}, {}))
    (path,) = store.folder.glob("runs/*/*.safetensors")
    path.unlink()
    path.symlink_to(precious)
    with pytest.raises(CorruptEntry):
        store.get("ab" * 32)
    path.symlink_to(precious)
    store.put("ab" * 32, Entry({}, {"n": 1}))
    store.prune(keep_bytes=0)
    assert precious.read_bytes() == b"mine"


DEEP = "[" * 1_000_000 + "]" * 1_000_000


@pytest.mark.parametrize("command", ["report", "recheck", "merge", "compare", "watch", "diagnose", "gate"])
@pytest.mark.parametrize(
    "text", [DEEP, '{"schema":' * 100_000, "\x00", "{}", '"\\ud800"', "1" * 10_000, '{"schema": "\\u001b]0;x\\u0007"}']
)
def test_a_hostile_file_is_one_line_without_escapes(
    tmp_path: Path, command: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    words = {
        "compare": ["compare", str(path), str(path)],
        "gate": ["gate", "--plan", "--optimizer", "adam", "--set", "lr=0.1", "--baseline", str(path)],
    }.get(command, [command, str(path)])
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert isinstance(done.exception, SpikecheckError), done.exception
    assert report_error(done.exception) in (2, 4)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "\x1b" not in said


def test_names_with_escapes_and_formulas_are_inert(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [{"step": i, "loss": 2 / (i + 1), "=cmd|' /C calc'!A0\x1b]0;owned\x07": i % 7} for i in range(80)]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = CliRunner().invoke(cli, ["diagnose", str(path)], standalone_mode=False)
    assert done.exception is None
    assert "\x1b" not in done.output
    assert "\x07" not in done.output


def test_security_md_names_these_tests() -> None:
    said = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "tests/test_security.py" in said
    assert "machine code" in said
