"""The log is read whatever happened to it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import UsageError
from spikecheck.core.watched import Header, LayerLook, Look, Step
from spikecheck.watch.log import LogWriter, WatchLog

HEADER = Header(model="Net", optimizer="SGD", parameters=3, every=10, started="2026-01-01T00:00:00+00:00")
LOOKED = Step(
    step=1, loss=2.0, lr=(0.1,), look=Look(overshoot=0.3, error=0.01, layers={"a": LayerLook(update=1, weights=2)})
)


def written(path: Path, *steps: Step) -> bytes:
    writer = LogWriter(path, HEADER)
    for step in steps:
        writer.write(step)
    writer.close()
    return path.read_bytes()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    steps = (Step(step=0, not_finite="nan", skipped=True, batch="ab"), LOOKED)
    written(tmp_path / "log.jsonl", *steps)
    log = WatchLog.open(tmp_path / "log.jsonl")
    assert tuple(log.ordered()) == steps and log.header == HEADER and log.unreadable == 0


@given(cut=st.integers(0, 400))
def test_a_log_cut_anywhere_is_read_up_to_its_last_whole_line(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    whole = written(path, *(Step(step=n, loss=1.0) for n in range(5)))
    header = whole.index(b"\n") + 1
    path.write_bytes(whole[: header + cut])
    log = WatchLog.open(path)
    assert len(log.steps) == whole[header : header + cut].count(b"\n") and log.unreadable == 0


@pytest.mark.parametrize("number", [2**53, 10**400])
def test_a_step_beyond_every_count_is_an_unreadable_line(tmp_path: Path, number: int) -> None:
    """Regression: `spikecheck watch` ended in an internal error, since the detector could not keep the number."""
    path = tmp_path / "log.jsonl"
    written(path, LOOKED)
    with path.open("a") as file:
        file.write(f'{{"step":{number},"loss":1.0}}\n')
    log = WatchLog.open(path)
    assert list(log.steps) == [1] and log.unreadable == 1


def test_a_log_that_grows_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    writer = LogWriter(path, HEADER)
    log = WatchLog.open(path)
    writer.write(LOOKED)
    assert log.refresh() and list(log.steps) == [1]
    assert not log.refresh()
    with path.open("a") as file:
        file.write('{"step":2,"lo')
    assert not log.refresh()
    with path.open("a") as file:
        file.write('ss":1.5}\n')
    assert log.refresh() and log.steps[2].loss == 1.5
    writer.close()


def test_a_resumed_training_takes_the_place_of_the_steps_after_it(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    written(path, *(Step(step=n, loss=1.0) for n in range(6)))
    with path.open("a") as file:
        file.write('{"step":6,"loss"')  # killed while writing
    written(path, *(Step(step=n, loss=2.0) for n in range(3, 5)))
    log = WatchLog.open(path)
    assert [(s.step, s.loss) for s in log.ordered()] == [(0, 1.0), (1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0)]
    assert log.unreadable == 1


@pytest.mark.parametrize(
    "content", ["", "step,loss\n1,2\n", '{"step":1,"loss":2.0}\n', "[1]\n3\nnull\n", "\x00\xff\n", "[" * 100_000 + "\n"]
)
def test_what_is_no_log_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="is no log of spikecheck.Watch"):
        WatchLog.open(tmp_path / "log.jsonl")


def test_a_missing_log_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none.jsonl: cannot be read: No such file"):
        WatchLog.open(tmp_path / "none.jsonl")
