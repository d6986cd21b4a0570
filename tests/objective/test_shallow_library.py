"""Where exponentials come from, and when there is no library: whatever fails, inductor's kernel is there."""

import shutil
import subprocess
from typing import Any

import pytest
import torch

from spikecheck.objective import shallow_library
from spikecheck.objective.shallow_kernel import shallow_kernel
from spikecheck.objective.shallow_products import shallow_products

CAPABILITY = torch.backends.cpu.get_cpu_capability()
pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or CAPABILITY not in shallow_library._REGISTER,
    reason="no C++ compiler, or neither AVX2 nor AVX-512",
)


def test_where_the_exponentials_differ_torchs_own_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = torch.Generator().manual_seed(0)
    shapes = (3, 50, 16), (0, 16), (40, 1, 16), (40, 16)
    given = [torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in shapes]
    own = shallow_kernel("tanh", torch.float64)
    monkeypatch.setattr(shallow_library, "_same_exponentials", lambda *asked: False)
    calling = shallow_kernel.__wrapped__("tanh", torch.float64)
    assert own is not None
    assert calling is not None
    assert all(map(torch.equal, calling(*given), own(*given)))


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a library's own exponentials were found to be torch's, library by library."""
    chosen, judge = list[bool](), shallow_library._same_exponentials

    def noted(*asked: Any) -> bool:
        chosen.append(judge(*asked))
        return chosen[-1]

    monkeypatch.setattr(shallow_library, "_same_exponentials", noted)
    return chosen


def test_the_own_exponentials_are_torchs_on_this_processor(judged: list[bool]) -> None:
    """Else every one would be a call, and only the time would tell."""
    assert shallow_kernel.__wrapped__("relu", torch.float64) is not None
    assert judged == [True]


def test_an_exponential_with_another_constant_is_noticed(judged: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    text = shallow_library._SOURCE.read_text(encoding="utf-8")
    for sound, moved in (
        ("1.666666666666669072e-1", "1.66666666666660e-1"),
        ("-.28235290563031577122588448175013436025525412068e-12", "-.29e-12"),
        ("0x1.62e42fefa39efp+9", "709.5"),
        ("-1000.0", "-700.0"),
    ):
        assert sound in text
        monkeypatch.setattr(shallow_library, "_SOURCE", Source(text.replace(sound, moved)))
        assert shallow_kernel.__wrapped__("relu", torch.float64) is not None
    assert judged == [False] * 4


class Source:
    """A file with this text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, encoding: str) -> str:
        return self._text


@pytest.mark.parametrize("error", [OSError("no space left"), subprocess.CalledProcessError(1, "g++")])
def test_no_failure_of_a_compiler_is_raised(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*asked: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(shallow_library, "library_of", failing)
    for made in (shallow_kernel, shallow_products):
        assert made.__wrapped__("tanh", torch.float64) is None


def test_a_processor_without_avx2_has_no_such_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    for made in (shallow_kernel, shallow_products):
        assert made.__wrapped__("tanh", torch.float64) is None
