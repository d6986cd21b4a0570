"""Every tensor within a value is copied to the host, and the value keeps its form."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch

from spikecheck.lab.host import on_host


@dataclass(frozen=True)
class Part:
    """A tensor and a number."""

    values: torch.Tensor
    count: int


ELSEWHERE = torch.ones(2, device="meta")


class Copied(Exception):
    """Raised where a tensor without data is copied: there is no accelerator here."""


@pytest.mark.parametrize(
    "value",
    [
        ELSEWHERE,
        [1, ELSEWHERE],
        (ELSEWHERE,),
        {"a": {"b": ELSEWHERE}},
        Part(ELSEWHERE, 3),
        {"a": [Part(ELSEWHERE, 3), None]},
    ],
)
def test_no_tensor_is_left_elsewhere(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(self: torch.Tensor) -> torch.Tensor:
        raise Copied

    monkeypatch.setattr(torch.Tensor, "cpu", copied)
    with pytest.raises(Copied):
        on_host(value)


def test_what_holds_no_tensor_comes_back_as_it_was() -> None:
    part = Part(torch.arange(3.0), 7)
    there: Any = on_host({"parts": [part, (1, "two")], "kind": Part, "none": None})
    assert torch.equal(there["parts"][0].values, part.values)
    assert (there["parts"][0].count, there["parts"][1]) == (7, (1, "two"))
    assert there["kind"] is Part and there["none"] is None
