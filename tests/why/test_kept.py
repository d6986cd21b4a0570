"""States and logs that a watched training left, and what is said where they cannot be used."""

from pathlib import Path

import pytest
import torch

from spikecheck import Training, Watch
from spikecheck.core.errors import UsageError
from spikecheck.watch.checkpoint import save_checkpoint
from spikecheck.watch.replay import _same
from spikecheck.watch.runs import ignore_progress
from spikecheck.why import keeping as keeping_module
from spikecheck.why.executors import loaded
from spikecheck.why.kept import Kept, StatesAndKept, check_belongs, kept_steps, logged_run, parts_of, state_file
from spikecheck.why.states import reach
from tests.why.planted_spikes import planted


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of 100 steps, and with the states before steps 60, 80 and 100."""
    folder, training = tmp_path_factory.mktemp("left"), planted(None, 0, "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping_module, "_SHARE", 0)
        with Watch.of(
            training, log=folder / "watch.jsonl", states=folder, states_every=20, states_most=20, show=False
        ) as watch:
            training.run(100, observe=watch.made)
    for step in (0, 20, 40):
        state_file(folder, step).unlink()
    return folder


def of(folder: Path, training: Training | None = None) -> Kept:
    return Kept(folder, parts_of(training or planted(None, 0, "cpu")))


def test_the_log_has_the_losses_to_the_bit(left: Path) -> None:
    run = logged_run(left / "watch.jsonl")
    assert (run.first, list(run.losses)) == (0, planted(None, 0, "cpu").run(100))


def test_the_last_state_before_a_step_is_the_training_there(left: Path) -> None:
    training = planted(None, 0, "cpu")
    training.run(60)
    assert of(left).steps == [60, 80, 100]
    state = of(left).before(79)
    assert state.steps == 60 and _same(state.values, training.snapshot().values)


def test_a_damaged_state_costs_the_way_from_the_one_before(left: Path, tmp_path: Path) -> None:
    for step in (60, 80):
        state_file(tmp_path, step).write_bytes(state_file(left, step).read_bytes())
    state_file(tmp_path, 80).write_bytes(b"damaged")
    assert of(tmp_path).before(90).steps == 60
    state_file(tmp_path, 60).write_bytes(state_file(left, 60).read_bytes()[:-1])
    with pytest.raises(UsageError, match=r"states=.*state-80.pt: .*; delete it"):
        of(tmp_path).before(90)


def test_a_pickle_of_anything_is_not_loaded(left: Path, tmp_path: Path) -> None:
    torch.save({"format": "spikecheck/checkpoint@1", "steps": 0, "values": Training}, state_file(tmp_path, 0))
    with pytest.raises(UsageError, match="state-0.pt"):
        of(tmp_path).before(0)


@pytest.mark.parametrize(
    ("folder", "step", "says"),
    [
        ("left", 59, "the first state is before step 60, and the forks begin at step 59; name a later spike with --at"),
        ("empty", 59, r"holds no state; give the folder that spikecheck.Watch.of\(…, states=FOLDER\) wrote to"),
        ("no such", 59, "holds no state"),
    ],
)
def test_what_cannot_be_had_is_one_line(folder: str, step: int, says: str, left: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    place = left if folder == "left" else tmp_path / folder
    with pytest.raises(UsageError, match=says) as raised:
        of(place).before(step)
    assert "\n" not in str(raised.value)


def test_states_of_another_training_are_refused(left: Path) -> None:
    run, own = logged_run(left / "watch.jsonl"), planted(None, 0, "cpu")
    check_belongs(own, of(left), run)
    sgd = planted(lambda p: torch.optim.SGD(p, lr=0.1), 0, "cpu")
    with pytest.raises(UsageError, match=r"state\['optimizer'\] was torch.optim.adam.Adam and is torch.optim.sgd.SGD"):
        check_belongs(sgd, of(left, sgd), run)
    seed = planted(None, 1, "cpu")
    with pytest.raises(UsageError, match=r"step 80 has the loss .* in the log and .* from the state before it; give"):
        check_belongs(seed, of(left, seed), run)


def test_states_of_a_larger_model_are_refused_in_one_line(tmp_path: Path, left: Path) -> None:
    wide = planted(None, 0, "cpu")
    wide.state["model"][0] = torch.nn.Linear(8, 48)
    save_checkpoint(state_file(tmp_path, 50), wide.snapshot(), parts=parts_of(wide))
    own = planted(None, 0, "cpu")
    with pytest.raises(UsageError, match="do not fit into the training: size mismatch for 0.weight") as raised:
        check_belongs(own, Kept(tmp_path, parts_of(wide)), logged_run(left / "watch.jsonl"))
    assert "\n" not in str(raised.value)


def test_a_log_must_be_of_watch_and_have_every_step(left: Path, tmp_path: Path) -> None:
    (tmp_path / "run.csv").write_text("step,loss\n0,1\n")
    with pytest.raises(UsageError, match="is no log of spikecheck.Watch"):
        logged_run(tmp_path / "run.csv")
    lines = (left / "watch.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "gap.jsonl").write_text("".join([*lines[:30], *lines[31:]]))
    with pytest.raises(UsageError, match="gap.jsonl: lacks step 29"):
        logged_run(tmp_path / "gap.jsonl")
    (tmp_path / "none.jsonl").write_text(lines[0])
    with pytest.raises(UsageError, match="none.jsonl: holds no step"):
        logged_run(tmp_path / "none.jsonl")


def test_what_explaining_wrote_itself_is_nearer(left: Path, tmp_path: Path) -> None:
    states = StatesAndKept(tmp_path, "run", of(left))
    assert states.before(90).steps == 80
    training = planted(None, 0, "cpu")
    training.run(85)
    states.keep(training.snapshot())
    assert (states.before(90).steps, states.before(84).steps) == (85, 80)
    assert kept_steps(left) == [60, 80, 100]


def test_a_state_from_which_forks_begin_is_there_for_worker_processes(left: Path, tmp_path: Path) -> None:
    states = StatesAndKept(tmp_path, "run", of(left))
    assert reach(planted(None, 0, "cpu"), 80, states, ignore_progress) == []
    assert loaded(states.path(80)).steps == 80
