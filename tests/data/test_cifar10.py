"""CIFAR-10's files: none is opened that is not the published one, byte for byte. Those here are a stand-in's."""

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from spikecheck.core.errors import DataError, SettingError
from spikecheck.core.setting import Setting
from spikecheck.objective.objective import build_objective

CIFAR = Setting(problem="cifar10", points=20, loss="cross-entropy", model="conv")
BATCHES = {name: name.encode() for name in ("data_batch_1", "data_batch_2", "test_batch", "batches.meta")}
SUMS = [(name, hashlib.md5(text).hexdigest()) for name, text in BATCHES.items()]
OPENED: list[bool] = []


class CIFAR10:
    """As torchvision's: constants, and a reader that is called only once the files are known to be the published ones."""

    base_folder = "cifar-10-batches-py"
    train_list, test_list = SUMS[:2], SUMS[2:3]
    meta: ClassVar[dict[str, str]] = {"filename": SUMS[3][0], "md5": SUMS[3][1]}

    def __init__(self, root: str, train: bool = True, download: bool = False) -> None:
        assert not download
        OPENED.append(train)
        count = 30 if train else 20
        self.targets = [place % 10 for place in range(count)]
        self.data = np.zeros((count, 32, 32, 3), np.uint8)
        self.data[:, 5, 7, 1] = range(count)


def check_integrity(path: str, md5: str) -> bool:
    return hashlib.md5(Path(path).read_bytes()).hexdigest() == md5


@pytest.fixture
def folder(planted: Any, tmp_path: Path) -> Path:
    """Where the files are looked for; torchvision's reader is there, no file is."""
    planted.CIFAR10, planted.utils = CIFAR10, SimpleNamespace(check_integrity=check_integrity)
    OPENED.clear()
    return tmp_path


def write_cifar(folder: Path) -> Path:
    (folder / CIFAR10.base_folder).mkdir()
    for name, text in BATCHES.items():
        (folder / CIFAR10.base_folder / name).write_bytes(text)
    return folder / CIFAR10.base_folder


def test_without_files_it_says_which_where_and_how_to_get_them(folder: Path) -> None:
    with pytest.raises(SettingError) as caught:
        build_objective([CIFAR])
    assert str(caught.value) == (
        f"problem='cifar10': no {', '.join(f'cifar-10-batches-py/{name}' for name in BATCHES)} in {folder}; "
        "set SPIKECHECK_DATA to the folder that has them, or fetch them: "
        f"python -c \"from torchvision.datasets import CIFAR10; CIFAR10('{folder}', download=True)\""
    )


def test_cifars_colours_are_channels_first(folder: Path) -> None:
    write_cifar(folder)
    goal = build_objective([CIFAR])
    assert OPENED == [True, False]
    images = goal.train.x[0].view(20, 3, 32, 32)
    bright = images[:, 1, 5, 7] * 255
    assert (bright - bright[0]).tolist() == pytest.approx(list(range(20)))
    assert int((images != 0).sum()) == 20


def test_no_file_of_cifars_is_unpickled_unless_its_sum_is_the_published_one(folder: Path) -> None:
    there = write_cifar(folder)
    (there / "batches.meta").write_bytes(b"cos\nsystem\n(S'echo no'\ntR.")
    with pytest.raises(
        DataError, match=rf"problem='cifar10': {there / 'batches.meta'}: by its md5 not the published file"
    ):
        build_objective([CIFAR])
    assert OPENED == []
