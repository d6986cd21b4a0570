"""MNIST's files: which are looked for, how they are read, and what is refused. Their images here are random."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spikecheck.core.errors import DataError, SettingError
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective.objective import build_objective
from spikecheck.objective.sources import sources

Numbers = NDArray[np.uint8]
MNIST = Setting(problem="mnist", points=40, loss="cross-entropy")
PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def read_idx(path: str) -> torch.Tensor:
    text = Path(path).read_bytes()
    sizes = [int.from_bytes(text[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(text[3])]
    return torch.from_numpy(np.frombuffer(text, np.uint8, offset=4 + 4 * text[3]).reshape(sizes).copy())


def write_idx(path: Path, numbers: Numbers) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = b"".join(length.to_bytes(4, "big") for length in numbers.shape)
    path.write_bytes(bytes([0, 0, 8, numbers.ndim]) + sizes + numbers.tobytes())


@pytest.fixture
def folder(planted: Any, tmp_path: Path) -> Path:
    """Where the files are looked for; torchvision's readers are there, no file is."""
    planted.mnist = SimpleNamespace(read_image_file=read_idx, read_label_file=lambda path: read_idx(path).long())
    return tmp_path


def write_mnist(folder: Path, seed: int = 0, images: int = 100) -> dict[str, Numbers]:
    """Random images, every second of class 0: the other nine have 5 or 6 in a hundred."""
    random = np.random.default_rng(seed)
    found: dict[str, Numbers] = {}
    for part, count in zip(PARTS, (images, images, 30, 30), strict=True):
        classes = (np.arange(count) // 2 % 9 + 1) * (np.arange(count) % 2)
        drawn = random.integers(0, 256, (count, 28, 28)) if "images" in part else classes
        found[part] = drawn.astype(np.uint8)
        write_idx(folder / "MNIST" / "raw" / part, found[part])
    return found


def test_without_files_it_says_which_where_and_how_to_get_them(folder: Path) -> None:
    with pytest.raises(SettingError) as caught:
        build_objective([MNIST])
    assert str(caught.value) == (
        f"problem='mnist': no {', '.join(f'MNIST/raw/{part}' for part in PARTS)} in {folder}; "
        "set SPIKECHECK_DATA to the folder that has them, or fetch them: "
        f"python -c \"from torchvision.datasets import MNIST; MNIST('{folder}', download=True)\""
    )


def test_only_the_files_that_are_missing_are_named(folder: Path) -> None:
    write_mnist(folder)
    (folder / "MNIST" / "raw" / PARTS[2]).unlink()
    with pytest.raises(SettingError, match=rf"problem='mnist': no MNIST/raw/{PARTS[2]} in "):
        build_objective([MNIST])


def test_mnist_is_read_into_a_training_with_either_model(folder: Path) -> None:
    written = write_mnist(folder)
    images, classes = written[PARTS[0]], written[PARTS[1]]
    first = np.sort([place for label in range(10) for place in np.flatnonzero(classes == label)[:4]])
    pixels = torch.from_numpy(images[first].reshape(40, 784) / 255)
    for model in ("mlp", "conv"):
        goal = build_objective([MNIST.but(model=model)] * 2)
        torch.testing.assert_close(goal.train.x[0], pixels - pixels.mean(0))
        assert goal.train.y[0].tolist() == classes[first].tolist()
        assert goal.test is not None and goal.test.x.shape == (1, 30, 784)
    recipe = Recipe(setting=MNIST.but(model="conv", width=2, steps=5, lr=0.01), seed=0)
    run = Laboratory().runs([recipe])[recipe]
    assert run.loss[-1] < run.loss[0]


def test_too_many_points_are_refused(folder: Path) -> None:
    write_mnist(folder)
    with pytest.raises(SettingError, match="points=101: mnist has 100 training points; use at most that many"):
        build_objective([MNIST.but(points=101)])


def test_other_files_give_other_records(folder: Path) -> None:
    """The bytes count, not their place or age; and what was read before is not taken for what lies there now."""
    missing = sources(MNIST)
    write_mnist(folder)
    first, before = sources(MNIST), build_objective([MNIST]).train.x
    write_mnist(folder)
    assert sources(MNIST) == first != missing
    write_mnist(folder, seed=1)
    os.utime(folder / "MNIST" / "raw" / PARTS[0], (1, 1))  # clocks of file systems are coarse
    assert sources(MNIST) not in {first, missing}
    assert not torch.equal(build_objective([MNIST]).train.x, before)
    assert sources(Setting(problem="cifar10")) == sources(Setting()) == ""


@pytest.mark.parametrize(
    ("part", "numbers", "says"),
    [
        (PARTS[0], b"\x80\x04K\x01.", "is not in MNIST's format"),
        (PARTS[1], np.zeros(99, np.uint8), r"hold \[100, 28, 28\] and \[99\], not images of 28 x 28 with a class each"),
        (PARTS[2], np.zeros((30, 14, 14), np.uint8), r"hold \[30, 14, 14\] and \[30\], not images"),
    ],
)
def test_files_of_another_kind_are_refused(folder: Path, part: str, numbers: bytes | Numbers, says: str) -> None:
    write_mnist(folder)
    path = folder / "MNIST" / "raw" / part
    if isinstance(numbers, bytes):
        path.write_bytes(numbers)
    else:
        write_idx(path, numbers)
    with pytest.raises(DataError, match=f"problem='mnist': .*{says}"):
        build_objective([MNIST])
