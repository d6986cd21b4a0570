"""Fashion-MNIST's files: how they are read, and what is refused. Their images here are random, but for the package's own."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spikecheck.core.errors import DataError, SettingError
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.data import fashion_mnist
from spikecheck.lab import memory_estimate as estimate
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective.objective import build_objective, numbers_of
from spikecheck.objective.sources import sources

Numbers = NDArray[np.uint8]
FASHION = Setting(problem="fashion-mnist", points=40, loss="cross-entropy")
PARTS = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
PACKAGE = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files are looked for; none is there."""
    monkeypatch.setenv("SPIKECHECK_FASHION_MNIST", str(tmp_path))
    return tmp_path


def idx(numbers: Numbers) -> bytes:
    sizes = b"".join(length.to_bytes(4, "big") for length in numbers.shape)
    return bytes([0, 0, 8, numbers.ndim]) + sizes + numbers.tobytes()


def write(folder: Path, seed: int = 0, images: int = 100, tests: int = 30) -> dict[str, Numbers]:
    """Random images, every second of class 0: the other nine have 5 or 6 in a hundred."""
    random = np.random.default_rng(seed)
    found: dict[str, Numbers] = {}
    for part, count in zip(PARTS, (images, images, tests, tests), strict=True):
        classes = (np.arange(count) // 2 % 9 + 1) * (np.arange(count) % 2)
        drawn = random.integers(0, 256, (count, 28, 28)) if "images" in part else classes
        found[part] = drawn.astype(np.uint8)
        (folder / part).write_bytes(gzip.compress(idx(found[part]), 1, mtime=0))
    return found


def test_without_files_it_says_which_where_and_how_to_get_them(folder: Path) -> None:
    with pytest.raises(SettingError) as caught:
        build_objective([FASHION])
    assert str(caught.value) == (
        f"problem='fashion-mnist': no {', '.join(PARTS)} in {folder}; apt-get install dataset-fashion-mnist, or set "
        "SPIKECHECK_FASHION_MNIST to the folder with the four files"
    )


def test_only_the_files_that_are_missing_are_named(folder: Path) -> None:
    write(folder)
    (folder / PARTS[2]).unlink()
    with pytest.raises(SettingError, match=rf"problem='fashion-mnist': no {PARTS[2]} in "):
        build_objective([FASHION])


def test_the_packages_folder_is_looked_in_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKECHECK_FASHION_MNIST", raising=False)
    assert fashion_mnist._files() == tuple(PACKAGE / part for part in PARTS)


def test_it_is_read_into_a_training_with_either_model(folder: Path) -> None:
    written = write(folder)
    images, classes = written[PARTS[0]], written[PARTS[1]]
    first = np.sort([place for label in range(10) for place in np.flatnonzero(classes == label)[:4]])
    pixels = torch.from_numpy(images[first].reshape(40, 784) / 255)
    for model in ("mlp", "conv"):
        goal = build_objective([FASHION.but(model=model)] * 2)
        torch.testing.assert_close(goal.train.x[0], pixels - pixels.mean(0))
        assert goal.train.y[0].tolist() == classes[first].tolist()
        assert goal.test is not None
        assert goal.test.x.shape == (1, 30, 784)
        tested = torch.from_numpy(written[PARTS[2]].reshape(30, 784) / 255)
        torch.testing.assert_close(goal.test.x[0], tested - pixels.mean(0))
    recipe = Recipe(setting=FASHION.but(model="conv", width=2, steps=5, lr=0.01), seed=0)
    run = Laboratory().runs([recipe])[recipe]
    assert run.loss[-1] < run.loss[0]


def test_members_share_one_copy_whatever_their_target(folder: Path) -> None:
    write(folder)
    goal = build_objective([FASHION, FASHION.but(target="sin 2x")])
    assert goal.train.x.shape == (1, 40, 784)


def test_several_thousand_test_images_are_held_out_in_balance(folder: Path) -> None:
    write(folder, tests=12_000)
    held_out = numbers_of(FASHION).y_test
    assert len(held_out) == fashion_mnist.HELD_OUT == 5_000
    assert held_out.sum(0).tolist() == [500] * 10


def test_too_many_points_are_refused(folder: Path) -> None:
    write(folder)
    with pytest.raises(SettingError, match="points=101: fashion-mnist has 100 training points; use at most that many"):
        build_objective([FASHION.but(points=101)])


def test_other_files_give_other_records(folder: Path) -> None:
    """The bytes count, not their place or age; and what was read before is not taken for what lies there now."""
    missing = sources(FASHION)
    write(folder)
    first, before = sources(FASHION), build_objective([FASHION]).train.x
    write(folder)
    assert sources(FASHION) == first != missing
    write(folder, seed=1)
    os.utime(folder / PARTS[0], (1, 1))  # clocks of file systems are coarse
    assert sources(FASHION) not in {first, missing}
    assert not torch.equal(build_objective([FASHION]).train.x, before)


IMAGES = idx(np.zeros((100, 28, 28), np.uint8))


@pytest.mark.parametrize(
    ("part", "content", "says"),
    [
        (PARTS[0], b"\x80\x04K\x01.", "begins with 80044b01, not with 00000803"),
        (PARTS[0], b"", "begins with nothing, not with 00000803"),
        (PARTS[0], IMAGES[:10], "begins with 00000803, not with 00000803 and 3 lengths"),
        (PARTS[0], IMAGES[:-1], "should hold 78,400 bytes by its header, and holds 78,399"),
        (PARTS[0], IMAGES + b"x", "should hold 78,400 bytes by its header, and holds more"),
        (PARTS[0], bytes([0, 0, 8, 3]) + b"\xff" * 12, r"holds \[4294967295, 4294967295, 4294967295\], not images"),
        (PARTS[0], bytes([0, 0, 8, 3]) + b"\xff" * 4 + IMAGES[8:], r"holds \[4294967295, 28, 28\], not images"),
        (PARTS[0], bytes([0, 0, 13, 3]) + IMAGES[4:], "begins with 00000d03, not with 00000803"),
        (PARTS[1], idx(np.zeros(99, np.uint8)), "holds 100 images, train-labels-idx1-ubyte.gz 99 classes"),
        (PARTS[1], idx(np.full(100, 10, np.uint8)), "holds the class 10, where there are 10"),
        (PARTS[1], IMAGES, "begins with 00000803, not with 00000801"),
        (PARTS[2], idx(np.zeros((30, 14, 14), np.uint8)), r"holds \[30, 14, 14\], not images of 28 x 28"),
    ],
)
def test_files_of_another_kind_are_refused(folder: Path, part: str, content: bytes, says: str) -> None:
    write(folder)
    (folder / part).write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=f"problem='fashion-mnist': .*{says}.*; install .*, or repair the file$"):
        build_objective([FASHION])


@pytest.mark.parametrize("damage", ["not gzip", "cut off", "flipped"])
def test_what_is_not_whole_is_refused(folder: Path, damage: str) -> None:
    write(folder)
    packed = (folder / PARTS[0]).read_bytes()
    flipped = packed[:500] + bytes([packed[500] ^ 255]) + packed[501:]
    broken = {"not gzip": IMAGES, "cut off": packed[: len(packed) // 2], "flipped": flipped}
    (folder / PARTS[0]).write_bytes(broken[damage])
    with pytest.raises(DataError, match=rf"problem='fashion-mnist': .*{PARTS[0]} "):
        build_objective([FASHION])


@pytest.mark.skipif(not PACKAGE.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_the_packages_own_files_hold_what_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKECHECK_FASHION_MNIST", raising=False)
    setting = FASHION.but(points=2_000)
    goal = build_objective([setting] * 2)
    assert goal.test is not None
    assert torch.bincount(goal.train.y[0]).tolist() == [200] * 10
    assert torch.bincount(goal.test.y[0]).tolist() == [500] * 10
    assert goal.train.x.shape[1:] == (2_000, 784)
    assert 0.25 < float(numbers_of(setting).x.std()) < 0.4  # 0.35 before the mean image is taken off
    assert estimate.parameters(setting) == goal.size
    assert estimate.training_points(setting) == goal.points
    assert estimate._held_out(setting) == goal.held_out_points.x.shape[1]
    files = fashion_mnist._files()
    images, classes = fashion_mnist._labelled(*files[:2])
    assert images.shape == (60_000, 1, 28, 28)
    assert classes[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert torch.bincount(classes).tolist() == [6_000] * 10
    assert float(images.double().mean()) / 255 == pytest.approx(0.2860, abs=1e-4)
