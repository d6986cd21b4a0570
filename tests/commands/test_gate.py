"""`spikecheck gate` and `compare` as a user meets them: real optimizers, real trainings, in a folder of one's own."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from spikecheck.report import json_file
from tests.command_line import ONE, SMALL, called, settings, told

HERE = Path(__file__).parents[1] / "gate"
BY_LOSSES = "spikes, worst spike, steps lost, diverged, spiking, final loss, best loss, test loss, spread"
"""All rows but the edges, whose products with Hessians take most of a small gate's time, and the cost of a step."""


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
    done = told(
        project,
        *("--optimizer", "planted_optimizers:WrongMomentum", "--set", "lr=0.05", "--against", "heavy-ball"),
        *("--seeds", "8", "--junit", "card.xml", "--rows", BY_LOSSES, *ONE),
        GITHUB_ACTIONS="true",
    )
    assert done.returncode == 1, done.stderr
    assert "REGRESSION: worse in" in done.stdout
    assert "::error title=spikecheck gate::" in done.stdout
    failures = ET.parse(project / "card.xml").getroot().iter("failure")
    assert any("loss" in str(failure.get("message")) for failure in failures)


def test_a_baseline_is_written_read_and_refused_when_it_does_not_fit(project: Path) -> None:
    candidate = ("--optimizer", "torch.optim:Adam", "--set", "lr=0.02", "--rows", BY_LOSSES, "--at", "steps=60")
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
    other = told(project, *candidate, *file, "--at", "steps=70")
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
            spoiled["places"][0]["setting"]["steps"] = 61
        (project / "spoiled.json").write_text(json.dumps(spoiled), encoding="utf-8")
        refused = told(project, *candidate, "--baseline", "spoiled.json", "--junit", "gate.xml")
        assert refused.returncode == 4
        assert "has been changed since it was written" in refused.stderr
        assert ET.parse(project / "gate.xml").getroot()[0].get("errors") == "1"
    (project / "base.json").write_text("{}", encoding="utf-8")
    assert told(project, *candidate, *file).returncode == 4


def test_a_baseline_is_never_written_over_another_file(tmp_path: Path) -> None:
    """Regression: the error for a file that is no baseline named the command that wrote one over it."""
    source = tmp_path / "mine.py"
    source.write_text("STEPS = 3\n")
    words = ("--optimizer", "gd", "--set", "lr=0.05", *ONE, "--baseline", "mine.py")
    read = told(tmp_path, *words)
    assert read.returncode == 4
    assert "name a file that --update-baseline has written" in read.stderr and "--reason TEXT" not in read.stderr
    written = told(tmp_path, *words, "--update-baseline", "--reason", "first")
    assert written.returncode == 2
    assert "--baseline mine.py: is another file and would be lost" in written.stderr
    assert source.read_text() == "STEPS = 3\n"


def test_groups_made_by_a_function_are_gated(project: Path) -> None:
    """Regression: what a step costs was measured on tensors that no function could tell apart by name."""
    line = ("--optimizer", "planted_optimizers:two_groups", "--set", "lr=0.02", "--against", "torch.optim:Adam")
    rows = ("--rows", "final loss, diverged, time a step, memory")
    done = gate(project, *line, *rows, "--dataset", "mnist1d", "--at", "steps=60")
    assert done.returncode in (0, 1), done.stderr


def test_own_models_and_problems_are_trained(project: Path) -> None:
    mine = f"mine_{project.name}"  # found in this process, where another test may have had its own
    (project / f"{mine}.py").write_text(
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
        *("--model", f"{mine}:model", "--problem", f"{mine}:problem"),
    )
    assert done.returncode in (0, 1, 3), done.stderr
    assert [place.name for place in json_file.read_scorecard(project / "card.json").places] == [f"{mine}:problem"]


def test_the_fixture_gates_in_a_users_own_suite(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        planted=(HERE / "planted_optimizers.py").read_text(encoding="utf-8"),
        test_mine=(
            "from planted import WrongMomentum\n"
            "from torch.optim import SGD\n\n"
            "SMALL = {'steps': 150, 'points': 12, 'width': 6, 'problem': 'sines'}\n"
            "ROWS = 'final loss, best loss, diverged, spiking'\n\n\n"
            "def test_same(spikecheck):\n"
            "    card = spikecheck.gate(SGD, lr=0.1, against=SGD, seeds=4, conditions=SMALL, rows=ROWS)\n"
            "    assert card.passed\n\n\n"
            "def test_worse(spikecheck):\n"
            "    gate = {'seeds': 8, 'conditions': SMALL, 'rows': ROWS}\n"
            "    spikecheck.gate(WrongMomentum, lr=0.05, against='heavy-ball', **gate)\n\n\n"
            "def test_local(spikecheck):\n"
            "    class Hidden(SGD):\n"
            "        pass\n"
            "    spikecheck.gate(Hidden, lr=0.1, against='gd')\n"
        ),
    )
    chosen = pytester.runpytest_inprocess("-p", "no:randomly", "--collect-only", "-q", "-m", "spikecheck")
    chosen.stdout.fnmatch_lines(["*test_same*", "*test_worse*"])
    done = pytester.runpytest_subprocess("-p", "no:randomly", f"--spikecheck-store={pytester.path / 'store'}")
    done.assert_outcomes(passed=1, failed=2)
    done.stdout.fnmatch_lines(["*training has become less stable*", "*top of a module*"])


def test_a_baseline_from_before_there_were_curves_is_read(project: Path) -> None:
    candidate = (
        "--optimizer",
        "torch.optim:SGD",
        "--set",
        "lr=0.1",
        "--baseline",
        "base.json",
        "--rows",
        "final loss, best loss, diverged, spiking",
        *ONE,
    )
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
    few = ("--seeds", "3", "--seed", "7", "--at", "steps=40", "--at", "points=8", "--rows", "spikes, diverged, spiking")
    written = called(project, *line, *few, "--update-baseline", "--reason", "first")
    assert written.returncode == 0, written.stderr
    again = called(project, *line, "--json", "card.json")
    assert again.returncode == 0, again.stdout + again.stderr
    card = json_file.read_scorecard(project / "card.json")
    assert (card.seeds, card.root, {setting.steps for setting in settings(card)}) == (3, 7, {40})
    assert {row.name for row in card.rows} == {"spikes", "diverged", "spiking"}


def test_a_candidate_that_always_diverges_is_named_by_four_seeds(project: Path) -> None:
    """Regression: `no regression: 1 same, 9 undecided`, exit 0."""
    line = ("--optimizer", "torch.optim:SGD", "--set", "lr=50", "--against", "gd", "--against-set", "lr=0.05")
    done = told(project, *line, "--dataset", "mnist1d")
    assert done.returncode == 1, done.stderr
    assert "diverged" in done.stdout.splitlines()[0]


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
