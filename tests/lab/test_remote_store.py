"""A store behind an address is a store: what it gives is what was put, and another process finds it there."""

from pathlib import Path

import fsspec
import numpy as np
import pytest

from spikecheck.core.errors import CorruptEntry, StoreError
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.remote_store import Remote
from spikecheck.lab.store_address import opened
from spikecheck.lab.store_format import Entry

DIGEST = "ab" * 32
ENTRY = Entry({"a": np.arange(3.0)}, {"seed": 1})


@pytest.fixture(params=["memory", "file"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a file system that is in memory, and of one that is on disk."""
    return f"{request.param}://{tmp_path}/store"


def test_what_is_put_comes_back(address: str) -> None:
    store = Remote(address)
    assert DIGEST not in store
    assert store.get(DIGEST) is None
    store.put(DIGEST, ENTRY)
    found = Remote(address).get(DIGEST)
    assert found is not None
    assert found.about == {"seed": 1}
    assert found.arrays["a"].tolist() == [0.0, 1.0, 2.0]
    assert DIGEST in store
    files, root = fsspec.core.url_to_fs(address)
    assert [path for path in files.find(root) if "unfinished" in path] == []


def test_a_damaged_record_is_told_once_and_then_gone(address: str) -> None:
    store = Remote(address)
    store.put(DIGEST, ENTRY)
    files, root = fsspec.core.url_to_fs(address)
    path = f"{root}/runs/ab/{DIGEST}.safetensors"
    whole = files.cat_file(path)
    files.pipe_file(path, whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(CorruptEntry, match="is damaged .* and was set aside"):
        store.get(DIGEST)
    assert store.get(DIGEST) is None


def test_another_format_is_left_alone(address: str) -> None:
    files, root = fsspec.core.url_to_fs(address)
    files.makedirs(root, exist_ok=True)
    files.pipe_file(f"{root}/format", b"99")
    with pytest.raises(StoreError, match="holds format '99'"):
        Remote(address)


@pytest.mark.parametrize("address", ["nowhere://bucket/x", "s3://bucket/x"])
def test_an_address_that_means_nothing_here_is_one_line_with_a_remedy(address: str) -> None:
    """Of s3 fsspec knows which package is missing, and its message says so."""
    with pytest.raises(StoreError, match=rf"^store {address}: .*; give --store another place, or --no-store$"):
        Remote(address)


def test_only_a_digest_names_a_file(address: str) -> None:
    with pytest.raises(ValueError, match="give 64 lower-case hexadecimal digits"):
        Remote(address).put("../../etc/passwd", ENTRY)


def test_a_laboratory_answers_from_it(address: str) -> None:
    recipes = [Recipe(setting=Setting(width=4, steps=20), seed=seed) for seed in range(3)]
    first, again = Laboratory(opened(address)), Laboratory(opened(address))
    trained, found = first.runs(recipes), again.runs(recipes)
    assert (first.runs_trained, again.runs_trained, again.runs_reused) == (3, 0, 3)
    assert all(np.array_equal(trained[recipe].loss, found[recipe].loss) for recipe in recipes)
