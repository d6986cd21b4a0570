"""Kernels that another process has compiled: the same bits without torch's compiler, and no harm from any file."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch

from spikecheck.curvature import tracked_pair
from spikecheck.objective import shallow_passes
from spikecheck.objective.shallow_passes import JETS, reverse
from spikecheck.tensors import cache, kernel_records, normal_cdf
from spikecheck.tensors.compile import compiled
from spikecheck.tensors.compiler import compiler
from spikecheck.tensors.kernel_records import Key, key_of, key_of_text

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="torch finds no C++ compiler here")

FUNCTION = partial(reverse, JETS["tanh"])
FIRST_STEP = """
import sys, torch
from spikecheck.core.setting import Setting
from spikecheck.curvature.tracked_pair import by_kernels
from spikecheck.objective.objective import build_objective
from spikecheck.training.segment import _function
torch.set_num_threads(1)
goal = build_objective([Setting(width=7, points=9, steps=2_000)] * 3)
params = goal.initial([0, 1, 2])
columns = params.T.contiguous()
bound, _ = goal.bound(params)
assert _function("double", len(bound.arguments)) is not None
by = by_kernels(params.dtype, 1)
numbers = [
    *goal.gradient(params), *goal.gradient_and_products(params, params[:, None]), *bound.results[:2],
    *by.quotient(columns, columns + 1), *by.rotation(columns, columns + 1, columns * 2, columns),
    *by.crossing(columns, columns + 1),
]
print(b"".join(part.contiguous().numpy().tobytes() for part in numbers).hex())
print(*sorted({"torch._inductor", "torch._dynamo", "sympy"} & set(sys.modules)))
"""


@pytest.fixture(autouse=True)
def one_thread_and_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    torch.set_num_threads(1)
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "kernels"))
    monkeypatch.setenv("SPIKECHECK_COMPILE", "1")
    compiler.cache_clear()
    yield tmp_path / "kernels" / "spikecheck"
    compiler.cache_clear()


def example(columns: int = 32) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    shapes = (3, 50, columns), (0, columns), (40, 1, columns), (40, columns)
    return [torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in shapes]


def key() -> Key:
    found = key_of(FUNCTION, example(), True, compiler())
    assert found is not None
    return found


@pytest.fixture
def folder(one_thread_and_a_folder: Path) -> Path:
    """With the record of one kernel."""
    compiled(FUNCTION, example(), of_all_sizes=True)
    assert kernel_records.kernel(key()) is not None
    return one_thread_and_a_folder


def test_another_process_loads_all_kernels_without_torchs_compiler_with_the_same_bits() -> None:
    def told() -> list[str]:
        done = subprocess.run([sys.executable, "-c", FIRST_STEP], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    traced, recorded = told(), told()
    assert traced == [recorded[0], "sympy torch._dynamo torch._inductor"]
    assert recorded[1] == ""


def test_a_recorded_kernel_serves_all_sizes_with_the_bits_of_a_traced_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = compiled(FUNCTION, example(), of_all_sizes=True)
    monkeypatch.setattr(kernel_records, "private_folder", lambda: None)
    traced = compiled(FUNCTION, example(), of_all_sizes=True)
    assert (recorded.library or folder).parent == folder != (traced.library or folder).parent
    for columns in (1, 5, 64, 100):
        given = example(columns)
        assert all(map(torch.equal, recorded(*given), traced(*given)))
        mine, theirs = recorded.bound(*given), traced.bound(*given)
        assert mine is not None
        assert theirs is not None
        assert len(mine.arguments) == len(theirs.arguments)
        assert all(map(torch.equal, mine.results, theirs.results))


@pytest.mark.parametrize("suffix", ["json", "so"])
@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "gone"])
def test_a_damaged_file_is_no_record_and_is_made_again(folder: Path, suffix: str, damage: str) -> None:
    (path,) = folder.glob(f"*.{suffix}")
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.unlink()
    if damage != "gone":
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        path.write_bytes({"empty": b"", "cut": whole[:middle], "flipped": flipped}[damage])
    assert kernel_records.kernel(key()) is None
    compiled(FUNCTION, example(), of_all_sizes=True)
    assert kernel_records.kernel(key()) is not None


def test_what_anything_else_was_recorded_for_is_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = key()
    for part in known:
        assert kernel_records.kernel({**known, part: "other"}) is None
    (record,) = folder.glob("*.json")
    renamed = {**known, "threads": 2}
    record.rename(folder / cache.name_of(renamed))
    assert kernel_records.kernel(renamed) is None
    monkeypatch.setenv("TORCHINDUCTOR_CPP_WRAPPER", "1")
    assert key() != known


def test_a_record_that_says_to_run_something_else_is_not_run(folder: Path, tmp_path: Path) -> None:
    """Even one whose digest is right."""
    (path,) = folder.glob("*.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    assert "args.clear()" in record["values"]["call"]
    record["values"]["call"] = record["values"]["call"].replace(
        "args.clear()", f"open({str(tmp_path / 'harm')!r}, 'w')"
    )
    record["sha256"] = cache.digest_of(record["key"], record["values"])
    path.write_text(json.dumps(record), encoding="utf-8")
    assert kernel_records.kernel(key()) is None
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("mode", [0o720, 0o707])
def test_a_folder_that_others_may_write_to_is_not_trusted(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert kernel_records.kernel(key()) is None


def test_a_folder_that_is_a_link_is_not_trusted(folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert kernel_records.kernel(key()) is None


@pytest.mark.parametrize("what", ["os.replace", "os.open", "pathlib.Path.mkdir"])
def test_where_nothing_can_be_written_it_is_compiled_all_the_same(
    what: str, one_thread_and_a_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*asked: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    one = compiled(FUNCTION, example(), of_all_sizes=True)(*example())
    shutil.rmtree(one_thread_and_a_folder)
    with monkeypatch.context() as patch:
        patch.setattr(f"spikecheck.tensors.kernel_records.{what.replace('pathlib.', '')}", full)
        other = compiled(FUNCTION, example(), of_all_sizes=True)(*example())
    assert all(map(torch.equal, one, other))
    assert not list(one_thread_and_a_folder.glob("*"))


def test_many_that_write_at_once_leave_a_whole_record(folder: Path) -> None:
    (path,) = folder.glob("*.so")
    record = json.loads(next(folder.glob("*.json")).read_text(encoding="utf-8"))
    seen = []

    def write(_: int) -> None:
        kernel_records._write(key(), path, record["values"]["call"])
        seen.append(kernel_records._read(key()))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(100)))
    assert seen == [(path, record["values"]["call"])] * 100
    assert len(list(folder.iterdir())) == 2


def test_only_functions_whose_source_is_known_are_recorded() -> None:
    assert key_of(FUNCTION, example(), True, "g++") is not None
    for other in (
        example,
        lambda x: (x,),
        partial(reverse, lambda x: (x, x, x, ())),
        partial(reverse, jet=JETS["tanh"]),
    ):
        assert key_of(other, example(), True, "g++") is None
    gelu = key_of(partial(reverse, JETS["gelu"]), example(), True, "g++")
    assert gelu != key_of(FUNCTION, example(), True, "g++")
    assert key_of_text("int a;", "g++ 12") != key_of_text("int b;", "g++ 12") != key_of_text("int b;", "g++ 13")


@pytest.mark.parametrize("module", [shallow_passes, tracked_pair, normal_cdf])
def test_recorded_functions_use_only_rooms_whose_source_is_digested(module: object) -> None:
    """Otherwise a change there would leave an old kernel in use."""
    own = module.__name__.split(".")[1]  # type: ignore[attr-defined]
    homes = {getattr(value, "__module__", None) or "" for value in vars(module).values()}
    assert {home.split(".")[1] for home in homes if home.startswith("spikecheck.")} <= {own, "tensors"}


def test_a_change_of_our_source_is_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    for room in ("objective", "tensors"):
        shutil.copytree(kernel_records._PACKAGE / room, tmp_path / "package" / room)
    monkeypatch.setattr(kernel_records, "_PACKAGE", tmp_path / "package")
    kernel_records._digest_of_room.cache_clear()
    assert key() == before
    changed = tmp_path / "package" / "tensors" / "normal_cdf.py"
    with changed.open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    kernel_records._digest_of_room.cache_clear()
    assert key_of(FUNCTION, example(), True, compiler()) is None  # this process may have imported what was there before
    os.utime(changed, (0, 0))
    kernel_records._digest_of_room.cache_clear()
    assert key() != before
    monkeypatch.undo()
    kernel_records._digest_of_room.cache_clear()


def test_the_folder_is_the_users_own(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 and path.stat().st_uid == os.geteuid() for path in folder.iterdir())
