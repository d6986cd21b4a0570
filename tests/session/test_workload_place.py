"""Where a workload is trained: a folder, a device, and processes, or one line that says why not."""

from pathlib import Path

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.session.lab_options import LabOptions
from spikecheck.session.workload_place import workload_place


@pytest.mark.parametrize(("executor", "workers"), [("local", 1), ("processes", None)])
def test_local_is_one_process_and_processes_is_one_a_core(executor: str, workers: int | None, tmp_path: Path) -> None:
    place = workload_place(LabOptions(store=str(tmp_path), device="cpu", executor=executor))
    assert (place.workers, place.device) == (workers, "cpu")
    assert place.store is not None and place.store.folder == tmp_path


def test_without_a_store_nothing_is_kept(tmp_path: Path) -> None:
    assert workload_place(LabOptions(store=str(tmp_path / "x"), no_store=True, device="cpu")).store is None
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("executor", ["dask://host:1", "slurm://gpu", "submitit://local"])
def test_a_cluster_is_refused(executor: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"^--executor {executor}: .*; use local or processes$"):
        workload_place(LabOptions(store=str(tmp_path), device="cpu", executor=executor))


def test_a_bucket_is_no_folder_for_checkpoints() -> None:
    with pytest.raises(
        UsageError, match="^--store memory://runs.*: checkpoints of workloads need a folder; give --store DIR"
    ):
        workload_place(LabOptions(store="memory://runs", device="cpu"))
