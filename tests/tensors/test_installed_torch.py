"""What is known of torch without importing it, compared with what torch says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spikecheck.tensors import installed_torch
from spikecheck.tensors.cache import digest_of

ASKED = """
import sys
from spikecheck.lab.device import environment, usable
device = usable("auto")
print(environment(device).canonical())
print(device, "torch" in sys.modules)
"""
OF_TORCH = """
import torch
print(torch.__version__, torch.backends.cpu.get_cpu_capability())
"""
linux_on_a_cpu = pytest.mark.skipif(
    not Path("/proc/cpuinfo").exists() or torch.version.cuda is not None, reason="elsewhere torch is always asked"
)


def said(code: str, **environment: str) -> list[str]:
    """What a process prints that begins with this code."""
    whole = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=whole
    ).stdout.split()


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    return tmp_path / "spikecheck"


def test_where_torch_is_imported_it_is_asked(monkeypatch: pytest.MonkeyPatch, kernels: Path) -> None:
    assert installed_torch.version() == torch.__version__
    monkeypatch.setattr(torch, "__version__", "3.0")
    assert installed_torch.version() == "3.0"
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "of the test")
    assert installed_torch.cpu_capability() == "of the test"
    assert installed_torch.built_for_accelerators()


@linux_on_a_cpu
@pytest.mark.parametrize("capability", ["", "default", "avx2"])
def test_the_second_process_knows_without_torch_what_torch_says(kernels: Path, capability: str) -> None:
    forced = {"ATEN_CPU_CAPABILITY": capability} if capability else {}
    first, second = said(ASKED, **forced), said(ASKED, **forced)
    version, instructions = said(OF_TORCH, **forced)
    assert (first[-2:], second[-2:]) == (["cpu", "True"], ["cpu", "False"])
    assert first[:-2] == second[:-2]
    found = json.loads(" ".join(second[:-2]))
    assert (found["torch"], found["device"]) == (version, f"cpu {instructions}")


@linux_on_a_cpu
def test_what_was_kept_for_another_variable_does_not_count(kernels: Path) -> None:
    said(ASKED)
    assert said(ASKED, ATEN_CPU_CAPABILITY="default")[-1] == "True"
    assert len(list(kernels.glob("*.json"))) == 2


@linux_on_a_cpu
@pytest.mark.parametrize("harm", ["cut off", "of another processor", "a folder"])
def test_a_file_that_is_not_ours_is_as_none(kernels: Path, harm: str) -> None:
    before = said(ASKED)
    (kept,) = kernels.glob("*.json")
    text = kept.read_text()
    if harm == "cut off":
        kept.write_text(text[: len(text) // 2])
    elif harm == "of another processor":
        record = json.loads(text)
        record["key"][-2] = "0" * 64
        record["values"]["capability"] = "SSE"
        kept.write_text(json.dumps(record | {"sha256": digest_of(record["key"], record["values"])}))
    else:
        kept.unlink()
        kept.mkdir()
    again = said(ASKED)
    assert again[-1] == "True"
    assert again[:-1] == before[:-1]


@linux_on_a_cpu
@pytest.mark.parametrize("differs", ["instructions", "_build"])
def test_another_processor_or_another_torch_is_asked(
    kernels: Path, differs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed_torch.cpu_capability()
    before = {"instructions": "of another processor", "_build": {"__version__": "2"}}[differs]
    monkeypatch.setattr(installed_torch, differs, lambda: before)
    installed_torch.cpu_capability()
    assert len(list(kernels.glob("*.json"))) == 2


@linux_on_a_cpu
def test_torch_corrects_what_was_kept(kernels: Path) -> None:
    right = installed_torch.cpu_capability()
    (path,) = kernels.glob("*.json")
    record = json.loads(path.read_text())
    wrong = {"capability": "SSE"}
    path.write_text(json.dumps(record | {"values": wrong, "sha256": digest_of(record["key"], wrong)}))
    assert installed_torch.cpu_capability() == right
    assert json.loads(path.read_text()) == record


def test_where_processors_cannot_be_told_apart_nothing_is_kept(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_torch, "_PROCESSORS", tmp_path / "none")
    assert installed_torch.cpu_capability() == torch.backends.cpu.get_cpu_capability()
    assert not list(tmp_path.rglob("*.json"))


def test_a_build_for_accelerators_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_torch, "_imported", lambda: False)
    monkeypatch.setattr(sys, "platform", "linux")
    for build in (
        {},
        {"__version__": "2", "cuda": "12.8"},
        {"__version__": "2", "hip": "6"},
        {"__version__": "2", "xpu": "1"},
    ):
        monkeypatch.setattr(installed_torch, "_build", lambda build=build: build)
        assert installed_torch.built_for_accelerators()
    monkeypatch.setattr(installed_torch, "_build", lambda: {"__version__": "2", "cuda": None, "hip": None, "xpu": None})
    assert not installed_torch.built_for_accelerators()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert installed_torch.built_for_accelerators()
