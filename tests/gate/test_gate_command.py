"""`spikecheck gate` and `compare` as a user meets them: real optimizers, real trainings, in a folder of one's own."""

import hashlib
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from spikecheck.cli.main import main
from spikecheck.core.scorecard import Scorecard, SuiteSetting
from spikecheck.core.setting import Setting
from spikecheck.gate.comparison import level
from spikecheck.gate.cost import BLOCKS, memory, time_ratios
from spikecheck.gate.suite import contestant
from spikecheck.models.parameter_layout import Span
from spikecheck.optimizers.capabilities import abilities
from spikecheck.optimizers.driven import OptimizerFactory
from spikecheck.report import json_file
from spikecheck.stats.paired import detectable_in_spreads

HERE = Path(__file__).parent
SMALL = ("--seeds", "4", "--at", "steps=150", "--at", "points=12", "--at", "width=6")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the planted optimizers in it."""
    (tmp_path / "planted_optimizers.py").write_text((HERE / "planted_optimizers.py").read_text(encoding="utf-8"))
    return tmp_path


def spikecheck(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {k: v for k, v in os.environ.items() if k not in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")}
    own |= {"XDG_CACHE_HOME": str(folder / "cache"), "COLUMNS": "120", **environment}
    line = [sys.executable, "-m", "spikecheck", *arguments]
    return subprocess.run(line, cwd=folder, env=own, capture_output=True, text=True, timeout=300, check=False)


def gate(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return spikecheck(folder, "gate", "--executor", "local", *SMALL, *arguments, **environment)


def settings(card: Scorecard) -> list[Setting]:
    """Of the places, which are no workloads here."""
    return [place.setting for place in card.places if isinstance(place, SuiteSetting)]


@dataclass(frozen=True)
class Told:
    """What a command left in this process."""

    returncode: int
    stdout: str
    stderr: str


def told(folder: Path, *arguments: str, **environment: str) -> Told:
    """`gate` in this process: what is refused need not wait for a new one's imports."""
    return bare(folder, *SMALL, *arguments, **environment)


def bare(folder: Path, *arguments: str, **environment: str) -> Told:
    """As `told`, with nothing but these arguments."""
    out, err = io.StringIO(), io.StringIO()
    line = ["spikecheck", "gate", "--executor", "local", *arguments]
    with pytest.MonkeyPatch.context() as here, redirect_stdout(out), redirect_stderr(err):
        here.chdir(folder)
        here.setattr(sys, "argv", line)
        for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
            here.delenv(name, raising=False)
        for name, value in ({"XDG_CACHE_HOME": str(folder / "cache"), "COLUMNS": "120"} | environment).items():
            here.setenv(name, value)
        with pytest.raises(SystemExit) as left:
            main()
    assert isinstance(left.value.code, int)
    return Told(left.value.code, out.getvalue(), err.getvalue())


def test_an_optimizer_against_itself_passes_and_tells_every_form(project: Path) -> None:
    done = gate(
        project,
        *("--optimizer", "torch.optim:SGD", "--set", "lr=0.1", "--against", "torch.optim:SGD"),
        *("--json", "card.json", "--markdown", "card.md", "--junit", "card.xml", "--html", "card.html"),
        GITHUB_STEP_SUMMARY=str(project / "summary.md"),
    )
    assert done.returncode == 0, done.stderr
    assert "no regression" in done.stdout
    card = json_file.read_scorecard(project / "card.json")
    assert card.passed
    trained = [row for row in card.rows if row.name != "time a step"]
    assert {str(row.change) for row in trained} == {"same"}
    assert {row.difference for row in trained} == {0.0}
    assert "no regression" in (project / "card.md").read_text(encoding="utf-8")
    assert (project / "summary.md").read_text(encoding="utf-8") == (project / "card.md").read_text(encoding="utf-8")
    page = (project / "card.html").read_text(encoding="utf-8")
    assert "no regression" in page
    assert all(f"Training loss in {place.name}: candidate and reference" in page for place in card.places)
    assert card.curves["candidate"] == card.curves["reference"]
    suite = ET.parse(project / "card.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("tests")) == ("0", str(len(card.rows)))


def test_a_regression_is_named_and_fails(project: Path) -> None:
    """Momentum with the wrong sign, at a rate where that decides whether anything is learned."""
    done = gate(
        project,
        *("--optimizer", "planted_optimizers:WrongMomentum", "--set", "lr=0.05", "--against", "heavy-ball"),
        *("--seeds", "8", "--junit", "card.xml"),
        GITHUB_ACTIONS="true",
    )
    assert done.returncode == 1, done.stderr
    assert "REGRESSION: worse in" in done.stdout
    assert "::error title=spikecheck gate::" in done.stdout
    failures = ET.parse(project / "card.xml").getroot().iter("failure")
    assert any("loss" in str(failure.get("message")) for failure in failures)


def test_a_baseline_is_written_read_and_refused_when_it_does_not_fit(project: Path) -> None:
    candidate = ("--optimizer", "torch.optim:Adam", "--set", "lr=0.02")
    file = ("--baseline", "base.json")
    missing = told(project, *candidate, *file)
    assert (missing.returncode, missing.stdout) == (4, "")
    assert "--update-baseline" in missing.stderr
    unexplained = told(project, *candidate, *file, "--update-baseline")
    assert unexplained.returncode == 2
    assert "--reason" in unexplained.stderr
    in_ci = told(project, *candidate, *file, "--update-baseline", "--reason", "first", CI="1")
    assert in_ci.returncode == 2
    assert "CI" in in_ci.stderr
    written = told(project, *candidate, *file, "--update-baseline", "--reason", "first")
    assert written.returncode == 0, written.stderr
    kept = json.loads((project / "base.json").read_text(encoding="utf-8"))
    assert (kept["reason"], kept["schema"]) == ("first", "spikecheck/baseline@1")
    again = told(project, *candidate, *file, "--html", "card.html", "--json", "card.json")
    assert again.returncode == 0, again.stdout + again.stderr
    curves = json_file.read_scorecard(project / "card.json").curves
    assert curves["reference"]
    assert curves["reference"] == curves["candidate"], "the baseline keeps its curves"
    other = told(project, *candidate, *file, "--at", "steps=160")
    assert other.returncode == 4
    assert "changed since" in other.stderr
    fewer = told(project, *candidate, *file, "--seeds", "3")
    assert fewer.returncode == 4
    assert "has seeds 4" in fewer.stderr
    for spoil in ("row", "seed", "steps"):
        spoiled = json.loads((project / "base.json").read_text(encoding="utf-8"))
        if spoil == "row":
            del spoiled["scores"]["values"]["final loss"]
        elif spoil == "seed":
            spoiled["scores"]["values"]["spikes"]["sines"][1:] = [None] * 3
        else:
            spoiled["places"][0]["setting"]["steps"] = 151
        (project / "spoiled.json").write_text(json.dumps(spoiled), encoding="utf-8")
        refused = told(project, *candidate, "--baseline", "spoiled.json", "--junit", "gate.xml")
        assert refused.returncode == 4
        assert "has been changed since it was written" in refused.stderr
        assert ET.parse(project / "gate.xml").getroot()[0].get("errors") == "1"
    (project / "base.json").write_text("{}", encoding="utf-8")
    assert told(project, *candidate, *file).returncode == 4


def test_pyproject_says_what_the_line_does_not(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        "[tool.spikecheck]\n"
        'optimizer = "torch.optim:SGD"\nset = { lr = 0.1, momentum = 0.5 }\nagainst = "gd"\nseeds = 2\n'
        'conditions = { steps = 60, width = 5, points = 8, schedule = "cosine" }\n',
        encoding="utf-8",
    )
    done = spikecheck(project, "gate", "--executor", "local", "--json", "card.json")
    assert done.returncode in (0, 1), done.stderr
    card = json_file.read_scorecard(project / "card.json")
    assert dict(card.candidate.options) == {"momentum": 0.5}
    assert (card.seeds, settings(card)[0].schedule) == (2, "cosine")
    (project / "pyproject.toml").write_text('[tool.spikecheck]\noptimiser = "x"\n', encoding="utf-8")
    wrong = spikecheck(project, "gate")
    assert wrong.returncode == 2
    assert "did you mean: optimizer" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--optimizer"),
        (("--optimizer", "torch.optim:SGD", "--against", "gd"), "--set lr="),
        (("--optimizer", "torch.optim:SGD", "--set", "lr=0.1"), "--against, --baseline"),
        (("--optimizer", "torch.optim:SGD", "--set", "lr", "--against", "gd"), "NAME=VALUE"),
        (("--optimizer", "torch.optim:SGDD", "--set", "lr=0.1", "--against", "gd"), "did you mean"),
        (
            ("--optimizer", "planted_optimizers:DicingElsewhere", "--set", "lr=0.1", "--against", "gd"),
            "draws from another source",
        ),
        (("--optimizer", "gd", "--set", "lr=True", "--against", "gd"), "lr=True: is not a number"),
        (("--optimizer", "adam", "--set", "lr=0.1", "--set", "betas=1", "--against", "gd"), "adam takes only"),
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--at", "lr=2"), "--set"),
        (
            ("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--at", "wdth=2"),
            "no condition of a setting is called 'wdth'; did you mean: width",
        ),
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--rows", "spike"), "did you mean: spikes"),
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--rows", ","), "names no row; give some of"),
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--at", "steps=True"), "steps=True: is no number"),
        (
            ("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--problem", "sines", "--at", "Widht=3"),
            "no condition of a setting is called 'Widht'; did you mean: width",
        ),
        (
            ("--optimizer", "torch.optim:Adam", "--set", "lr=0.1", "--set", "betas={1: 2}", "--against", "gd"),
            "betas={1: 2}: give a number, True, False, None or text",
        ),
        (
            ("--optimizer", "planted_optimizers:Unspeakable", "--set", "lr=0.1", "--against", "gd"),
            "its step raised Unsaid after 0 steps: raise Unsaid (planted_optimizers.py, line",
        ),
        (
            ("--optimizer", "planted_optimizers:WantsItsLoss", "--set", "lr=0.1", "--against", "gd"),
            "missing 1 required positional argument: 'loss'",
        ),
        (("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--seeds", "1000000000"), "2<=x<=100000"),
        (
            ("--optimizer", "gd", "--set", "lr=1e-300", "--against", "gd"),
            "lr=1e-300: gd moves no parameter in any training",
        ),
        (
            ("--optimizer", "planted_optimizers:LeavesAtOnce", "--set", "lr=0.1", "--against", "gd"),
            "its step raised SystemExit after 0 steps: 0",
        ),
        (
            ("--optimizer", "planted_optimizers:leaves_when_made", "--set", "lr=0.1", "--against", "gd"),
            "the factory raised SystemExit: 0",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(project: Path, arguments: tuple[str, ...], said: str) -> None:
    done = told(project, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("seeds = 1", "seeds=1: give a whole number, 2 to 100,000"),
        ("seed = -1", "seed=-1: give a whole number, 0 or more"),
        ("conditions = { steps = true }", "--at steps=True: is no number"),
    ],
)
def test_numbers_of_pyproject_are_checked_as_those_of_the_line(project: Path, line: str, said: str) -> None:
    """Regression: what the command line refuses was an internal error in pyproject.toml, or was taken as it was."""
    table = '[tool.spikecheck]\noptimizer = "gd"\nset = { lr = 0.1 }\nagainst = "gd"\n'
    (project / "pyproject.toml").write_text(f"{table}{line}\n", encoding="utf-8")
    done = bare(project)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_two_that_always_diverge_do_not_pass(project: Path) -> None:
    done = told(project, "--optimizer", "gd", "--set", "lr=1e9", "--against", "gd", "--rows", "final loss,diverged")
    assert (done.returncode, "every training of the reference diverged" in " ".join(done.stdout.split())) == (3, True)


def test_a_step_summary_that_cannot_be_written_costs_no_verdict(project: Path) -> None:
    line = ("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd")
    done = gate(project, *line, "--at", "steps=60", GITHUB_STEP_SUMMARY=str(project / "no" / "such"))
    assert done.returncode == 0
    assert "no regression" in done.stdout
    assert "warning: GITHUB_STEP_SUMMARY" in done.stderr


def test_groups_made_by_a_function_are_gated(project: Path) -> None:
    """Regression: what a step costs was measured on tensors that no function could tell apart by name."""
    line = ("--optimizer", "planted_optimizers:two_groups", "--set", "lr=0.02", "--against", "torch.optim:Adam")
    done = gate(project, *line, "--dataset", "mnist1d", "--at", "steps=60")
    assert done.returncode in (0, 1), done.stderr


def test_an_optimizer_that_steps_only_in_train_mode_is_timed_in_it() -> None:
    """Regression: schedule-free optimizers raised while the gate measured what a step costs."""
    assert len(time_ratios(contestant("planted_optimizers:Strict", {"lr": 0.1}))) == BLOCKS


def test_own_models_and_problems_are_trained(project: Path) -> None:
    (project / "mine.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "from spikecheck.data.dataset import Data\n\n\n"
        "def model(setting):\n"
        "    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))\n\n\n"
        "def problem(setting):\n"
        "    x = torch.linspace(-1, 1, 20, dtype=torch.float64).view(10, 2)\n"
        "    return Data(x, x.sum(1, keepdim=True))\n",
        encoding="utf-8",
    )
    done = gate(
        project,
        *("--optimizer", "planted_optimizers:MatrixRule", "--set", "lr=0.01", "--against", "gd", "--json", "card.json"),
        *("--model", "mine:model", "--problem", "mine:problem"),
    )
    assert done.returncode in (0, 1, 3), done.stderr
    assert [place.name for place in json_file.read_scorecard(project / "card.json").places] == ["mine:problem"]


def test_two_scorecards_are_compared(project: Path) -> None:
    line = ("--optimizer", "torch.optim:SGD", "--set", "lr=0.1", "--against", "gd")
    gate(project, *line, "--json", "one.json")
    same = spikecheck(project, "compare", "one.json", "one.json")
    assert same.returncode == 0, same.stderr
    assert "unchanged" in same.stdout
    card = json.loads((project / "one.json").read_text(encoding="utf-8"))
    card["rows"][0]["change"] = "worse"
    (project / "two.json").write_text(json.dumps(card), encoding="utf-8")
    worse = spikecheck(project, "compare", "one.json", "two.json")
    assert worse.returncode == 1
    assert "regressed" in worse.stdout
    del card["rows"][1]
    (project / "two.json").write_text(json.dumps(card), encoding="utf-8")
    missing = spikecheck(project, "compare", "one.json", "two.json")
    assert missing.returncode == 4
    assert "is in one.json and not in two.json" in missing.stderr
    assert spikecheck(project, "compare", "one.json", "nowhere.json").returncode == 2


def test_the_fixture_gates_in_a_users_own_suite(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        planted=(HERE / "planted_optimizers.py").read_text(encoding="utf-8"),
        test_mine=(
            "from planted import WrongMomentum\n"
            "from torch.optim import SGD\n\n"
            "SMALL = {'steps': 150, 'points': 12, 'width': 6}\n\n\n"
            "def test_same(spikecheck):\n"
            "    card = spikecheck.gate(SGD, lr=0.1, against=SGD, seeds=4, conditions=SMALL)\n"
            "    assert card.passed\n\n\n"
            "def test_worse(spikecheck):\n"
            "    spikecheck.gate(WrongMomentum, lr=0.05, against='heavy-ball', seeds=8, conditions=SMALL)\n\n\n"
            "def test_local(spikecheck):\n"
            "    class Hidden(SGD):\n"
            "        pass\n"
            "    spikecheck.gate(Hidden, lr=0.1, against='gd')\n"
        ),
    )
    chosen = pytester.runpytest_subprocess("-p", "no:randomly", "--collect-only", "-q", "-m", "spikecheck")
    chosen.stdout.fnmatch_lines(["*test_same*", "*test_worse*"])
    done = pytester.runpytest_subprocess("-p", "no:randomly", f"--spikecheck-store={pytester.path / 'store'}")
    done.assert_outcomes(passed=1, failed=2)
    done.stdout.fnmatch_lines(["*training has become less stable*", "*top of a module*"])


def test_a_baseline_from_before_there_were_curves_is_read(project: Path) -> None:
    candidate = ("--optimizer", "torch.optim:SGD", "--set", "lr=0.1", "--baseline", "base.json")
    assert told(project, *candidate, "--update-baseline", "--reason", "first").returncode == 0
    file = project / "base.json"
    kept = json.loads(file.read_text(encoding="utf-8"))
    del kept["scores"]["curves"], kept["digest"]
    kept["digest"] = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
    file.write_text(json.dumps(kept), encoding="utf-8")
    done = told(project, *candidate, "--html", "card.html")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Only the candidate: the other side kept no curve." in (project / "card.html").read_text(encoding="utf-8")


def test_a_baseline_knows_its_seeds_and_conditions(project: Path) -> None:
    """Regression: the next call took 16 seeds and the default settings, and refused the baseline for it."""
    line = (
        "gate",
        "--executor",
        "local",
        "--optimizer",
        "torch.optim:SGD",
        "--set",
        "lr=0.1",
        "--baseline",
        "base.json",
    )
    few = ("--seeds", "3", "--seed", "7", "--at", "steps=80", "--at", "points=8", "--rows", "spikes, diverged, spiking")
    written = spikecheck(project, *line, *few, "--update-baseline", "--reason", "first")
    assert written.returncode == 0, written.stderr
    again = spikecheck(project, *line, "--json", "card.json")
    assert again.returncode == 0, again.stdout + again.stderr
    card = json_file.read_scorecard(project / "card.json")
    assert (card.seeds, card.root, {setting.steps for setting in settings(card)}) == (3, 7, {80})
    assert {row.name for row in card.rows} == {"spikes", "diverged", "spiking"}


def test_a_candidate_that_always_diverges_is_named_by_four_seeds(project: Path) -> None:
    """Regression: `no regression: 1 same, 9 undecided`, exit 0."""
    line = ("--optimizer", "torch.optim:SGD", "--set", "lr=50", "--against", "gd", "--against-set", "lr=0.05")
    done = told(project, *line, "--dataset", "mnist1d")
    assert done.returncode == 1, done.stderr
    assert "diverged" in done.stdout.splitlines()[0]


def test_a_gate_of_too_few_seeds_says_so_before_and_does_not_pass(project: Path) -> None:
    line = (
        "--optimizer",
        "torch.optim:SGD",
        "--set",
        "lr=0.1",
        "--against",
        "gd",
        "--dataset",
        "mnist1d",
        "--seeds",
        "3",
    )
    planned = told(project, *line, "--plan")
    assert planned.returncode == 0
    assert "too few to detect a candidate that diverges in every training" in planned.stdout
    spreads = detectable_in_spreads(3, 1, level(1, "mean"))
    assert f"worse from {spreads:.1f} standard deviations" in " ".join(planned.stdout.split())
    assert not (project / "cache").exists()
    done = told(project, *line)
    assert done.returncode == 3
    assert "warning: seeds=3" in done.stderr
    assert done.stdout.startswith("UNDECIDED")


def test_what_an_optimizer_keeps_anywhere_is_counted() -> None:
    """Regression: only the state_dict was, so a leak of memory went unseen. Adam has two numbers a parameter."""
    assert memory(contestant("torch.optim:SGD", {"lr": 0.1})) == 0.0
    assert memory(contestant("torch.optim:SGD", {"lr": 0.1, "momentum": 0.9})) == pytest.approx(1.0)
    assert memory(contestant("adam", {"lr": 0.1})) == pytest.approx(2.0, abs=0.01)
    assert memory(contestant("planted_optimizers:Leaks", {"lr": 0.1})) == pytest.approx(60.0)


def test_tensors_without_data_take_no_memory() -> None:
    """Regression: torch's compiler keeps some in the process that traced a kernel, and a gate ended as an internal error."""
    with FakeTensorMode():
        kept = torch.ones(1_000)
    assert memory(contestant("torch.optim:SGD", {"lr": 0.1})) == 0.0
    del kept


def test_a_fault_of_every_fifth_step_is_seen_at_the_edge(project: Path) -> None:
    """Regression: the edge was looked at after 20 updates and at no others."""
    line = ("--optimizer", "planted_optimizers:EveryFifth", "--set", "lr=0.1", "--against", "gd")
    done = gate(project, *line, "--dataset", "mnist1d", "--seeds", "8")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "early edge" in done.stdout.splitlines()[0]


CHATTY = """
from torch.optim import SGD
from kit.helper import FACTOR


class Chatty(SGD):
    def step(self, closure=None):
        print("stepping")
        return super().step(closure)
"""


def test_an_optimizer_that_prints_from_a_folder_without_init_is_gated(project: Path) -> None:
    """Regressions: such a folder was an internal error, and what is printed stood in the JSON."""
    (project / "kit").mkdir()
    (project / "kit" / "chatty.py").write_text(CHATTY, encoding="utf-8")
    (project / "kit" / "helper.py").write_text("FACTOR = 1\n", encoding="utf-8")
    line = ("--optimizer", "kit.chatty:Chatty", "--set", "lr=0.1", "--against", "gd", "--dataset", "mnist1d")
    done = gate(project, *line, "--at", "steps=40", "--rows", "final loss, diverged", "--json", "-", "--quiet")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decision"] == "passed"
    first = spikecheck(project, "doctor", "--optimizer", "kit.chatty:Chatty", "--set", "lr=0.1")
    assert first.returncode == 0, first.stdout + first.stderr


def test_a_terminal_that_says_it_has_no_columns_is_written_to(project: Path) -> None:
    """Regression: nothing was printed at all."""
    line = ("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--dataset", "mnist1d", "--at", "steps=40")
    done = told(project, *line, COLUMNS="0")
    assert "no regression" in done.stdout
    assert "final loss" in done.stdout


def test_an_optimizer_that_moves_small_parameters_alone_is_no_idle_one() -> None:
    """Regression: pytorch_optimizer's SaRA was refused, since the made-up parameters that it was tried on were all large."""
    order = OptimizerFactory("planted_optimizers:SmallOnly", (), (Span("all", 0, (64,)),), torch.float64)
    assert abilities(order, 0.1, 50).together
