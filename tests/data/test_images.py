"""Images through torchvision: what is said where it is missing, and what is chosen of what is there."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.data.images import data_folder, subset
from spikecheck.objective.objective import build_objective


@pytest.mark.parametrize("problem", ["mnist", "cifar10"])
def test_without_torchvision_the_remedy_is_a_pair_that_fits(problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    says = rf"^problem='{problem}': needs torchvision, .*pip install torch==2.14.1 torchvision==0.29.1$"
    with pytest.raises(SettingError, match=says):
        build_objective([Setting(problem=problem)])


def test_a_torchvision_that_does_not_fit_torch_is_named_as_the_cause(
    write: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("torchvision").mkdir()
    Path("torchvision/__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist\\nmore')")
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    with pytest.raises(SettingError, match=r"cannot be imported \(operator torchvision::nms does not exist\); each"):
        build_objective([Setting(problem="mnist")])


def test_the_platforms_folder_is_looked_in_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SPIKECHECK_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder().name == "spikecheck"
    monkeypatch.setenv("SPIKECHECK_DATA", "beside/me")
    assert data_folder() == Path("beside/me")


def test_a_subset_is_balanced_scaled_and_centred_on_its_own_images() -> None:
    random = torch.Generator().manual_seed(3)
    classes = torch.arange(12_000) % 2 * (torch.arange(12_000) % 10)  # half of them of class 0
    images = torch.randint(0, 256, (12_000, 1, 3, 4), generator=random, dtype=torch.uint8)
    images[0, 0, 0, 0], images[1, 0, 0, 0] = 0, 255
    data = subset("p", (images, classes), (images.flip(0), classes.flip(0)), 600)
    assert data.x.shape == (600, 12) and data.x_test is not None and data.x_test.shape == (1_000, 12)
    assert torch.bincount(data.y).tolist() == [100, 100, 0, 100, 0, 100, 0, 100, 0, 100]
    assert data.y_test is not None and set(torch.bincount(data.y_test).tolist()) == {0, 166, 167}
    torch.testing.assert_close(data.x.mean(0), torch.zeros(12, dtype=torch.float64))
    assert float(data.x_test.mean(0).abs().max()) > 1e-4
    chosen = torch.cat([(classes == label).nonzero()[:100, 0] for label in (0, 1, 3, 5, 7, 9)]).sort().values
    torch.testing.assert_close(255 * (data.x - data.x[0]), (images[chosen].flatten(1) - images[0].flatten().double()))
    assert float(data.x[1, 0] - data.x[0, 0]) == 1.0
