"""A laboratory from the options of a command line."""

from pathlib import Path

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.core.events import ignore
from spikecheck.lab.execution.cluster import Cluster
from spikecheck.lab.execution.local import Local
from spikecheck.lab.execution.processes import Processes
from spikecheck.lab.store import Store
from spikecheck.session.lab_options import LabOptions
from spikecheck.session.laboratory import _executor, laboratory


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("local", Local),
        ("processes", Processes),
        ("dask://host:8786", Cluster),
        ("slurm://gpu", Cluster),
        ("submitit://local", Cluster),
    ],
)
def test_an_executor_is_what_its_address_says(where: str, kind: type, tmp_path: Path) -> None:
    assert isinstance(_executor(where, Store(tmp_path), "cpu"), kind)


@pytest.mark.parametrize("where", ["dask://host:8786", "slurm://gpu", "submitit://local"])
def test_a_cluster_needs_a_store(where: str) -> None:
    with pytest.raises(UsageError, match=f"^--executor {where}, --no-store: .*; omit one of them$"):
        laboratory(LabOptions(no_store=True, device="cpu", executor=where), ignore)


def test_the_store_is_the_folder_that_was_named_or_none(tmp_path: Path) -> None:
    laboratory(LabOptions(store=str(tmp_path / "runs"), device="cpu", executor="local"), ignore)
    assert (tmp_path / "runs").is_dir()
    laboratory(LabOptions(store=str(tmp_path / "none"), no_store=True, device="cpu", executor="local"), ignore)
    assert not (tmp_path / "none").exists()
