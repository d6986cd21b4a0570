"""A claim's specification follows whatever decides it, and nothing else."""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

from spikecheck import effects
from spikecheck.harness import source_digest
from spikecheck.harness.discover import BUILT_IN, read

EFFECTS = Path(effects.__path__[0])

CLAIM = '''
"""A claim."""
from functools import partial
from spikecheck import Claim, Control, Domain, Ladder, Prediction, Setting, Trial

LIMIT = 3.0
UNUSED = 1

def tallest(loss):
    return max(loss)

def ratio(trial: Trial, power: int = 1) -> float:
    """A ratio."""
    return min((tallest(trial["run"].loss) / LIMIT) ** power for _ in range(1))

def slower(setting: Setting) -> Setting:
    """Half the rate."""
    return setting.but(lr=setting.lr / 2)

claim = Claim(
    says="it falls", where="folklore", kind="law", unit="times",
    domain=Domain(Setting(width=10, steps=200), width=Ladder(10, 20)),
    applies=lambda trial: True, measure=partial(ratio, power=2), arms={"run": slower},
    predicts=Prediction(below=1.0), control=Control(says="upside down", measure=lambda trial: 1 / ratio(trial)),
)
'''


def specification(folder: Path, text: str) -> str:
    folder.mkdir()
    file = folder / "falls.py"
    file.write_text(text, encoding="utf-8")
    return read(file).specification


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('kind="law"', 'kind="tendency"'),
        ("max(loss)", "min(loss)"),
        ("LIMIT = 3.0", "LIMIT = 4.0"),
        ("power=2", "power=3"),
        ("setting.lr / 2", "setting.lr * (0.25 if setting.width > 15 else 0.5)"),
        ("1 / ratio(trial)", "2 / ratio(trial)"),
        ("below=1.0", "below=2.0"),
    ],
)
def test_what_decides_changes_it(before: str, after: str, tmp_path: Path) -> None:
    """Regression: a helper that the measure calls, a constant that it reads, and the kind could change unnoticed."""
    assert before in CLAIM
    own = specification(tmp_path / "a", CLAIM)
    assert own == specification(tmp_path / "b", CLAIM)
    assert own != specification(tmp_path / "c", CLAIM.replace(before, after))


@pytest.mark.parametrize(("before", "after"), [("UNUSED = 1", "UNUSED = 2"), ('"""A claim."""', '"""That claim."""')])
def test_what_does_not_leaves_it(before: str, after: str, tmp_path: Path) -> None:
    assert specification(tmp_path / "a", CLAIM) == specification(tmp_path / "b", CLAIM.replace(before, after))


SHARED = '''
"""Helpers of several claims."""
from functools import partial

LIMIT = 3.0
WAYS = {"run": [1.0, 2.0]}

def tallest(loss):
    """The largest."""
    return max(loss) / LIMIT

def ratio(trial, power=1):
    """A ratio."""
    return tallest(trial["run"].loss) ** power + WAYS["run"][0]

def slower(setting, times):
    """A lower rate."""
    return setting.but(lr=setting.lr / times)

def every_run(trial):
    return True

def unused(trial):
    return 1.0
'''
USER = '''
"""A claim of shared helpers."""
from functools import partial
from spikecheck import Claim, Control, Domain, Ladder, Prediction, Setting, described
import {module} as helpers
from {module} import ratio, slower

def inverse(trial):
    """Upside down."""
    return 1 / helpers.tallest(trial["run"].loss)

claim = Claim(
    says="it falls", where="folklore", kind="law", unit="times",
    domain=Domain(Setting(width=10, steps=200), width=Ladder(10, 20)),
    applies=helpers.every_run, measure=described("A ratio, squared.", ratio, power=2),
    arms={{"run": partial(slower, times=2)}}, predicts=Prediction(below=1.0),
    control=Control(says="upside down", measure=inverse),
)
'''


@pytest.fixture
def of_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """The digest of a claim made of a shared module with some of its text replaced; `text` is that of the claim."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names: list[str] = []

    def digest(*replacements: tuple[str, str], text: str = USER) -> str:
        shared = SHARED
        for before, after in replacements:
            assert before in shared
            shared = shared.replace(before, after)
        names.append(f"shared_{len(names)}_{tmp_path.name.replace('-', '_')}")
        (tmp_path / f"{names[-1]}.py").write_text(shared, encoding="utf-8")
        monkeypatch.setattr(source_digest, "SHARED", tuple(names))
        return specification(tmp_path / f"claims_{len(names)}", text.format(module=names[-1]))

    yield digest
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("** power", "** -power"),  # imported by name
        ("/ times", "* times"),  # an arm's
        ("max(loss)", "min(loss)"),  # through another helper, and by its module's name
        ("LIMIT = 3.0", "LIMIT = 4.0"),
        ('"run": [1.0', '"run": [0.5'),
    ],
)
def test_a_shared_helper_that_is_used_changes_it(before: str, after: str, of_shared: Callable[..., str]) -> None:
    assert of_shared() == of_shared() != of_shared((before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return 1.0", "return 2.0"),  # of another claim
        ('"""The largest."""', '"""The largest of them.\n\n    In any unit.\n    """'),
        ('"""Helpers of several claims."""', '"""Helpers."""\n\nMORE = 1'),
    ],
)
def test_a_shared_helper_that_is_not_used_leaves_it(before: str, after: str, of_shared: Callable[..., str]) -> None:
    assert of_shared() == of_shared((before, after))


def test_words_of_a_described_function_decide_nothing_and_its_arguments_do(of_shared: Callable[..., str]) -> None:
    assert of_shared() == of_shared(text=USER.replace("A ratio, squared.", "Its square."))
    assert of_shared() == of_shared(
        text=USER.replace('described("A ratio, squared.", ratio, power=2)', "partial(ratio, power=2)")
    )
    assert of_shared() != of_shared(text=USER.replace("power=2", "power=3"))
    nested = USER.replace("ratio, power=2)", "partial(ratio, power=3), power=2)")
    assert nested != USER and of_shared() == of_shared(text=nested)


def test_of_the_shipped_modules_just_what_a_claim_reaches_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every function of the shared modules is altered in turn, and `condensation` asked for its digest."""
    claim = read(BUILT_IN / "condensation.py")
    names = ("arms", "preconditions", *(f"effects.{file.stem}" for file in EFFECTS.glob("[!_]*.py")))
    functions = [
        function
        for name in names
        for function in vars(import_module(f"spikecheck.{name}")).values()
        if isinstance(function, FunctionType) and function.__module__ == f"spikecheck.{name}"
    ]
    as_it_is, texts = claim.specification, source_digest._text
    changing = set()
    for altered in functions:
        monkeypatch.setattr(source_digest, "_text", lambda f, altered=altered: texts(f) + "#" * (f is altered))
        changing |= {altered.__name__} if claim.specification != as_it_is else set()
    assert len(functions) > 100
    assert changing == {
        *("through", "calm_twin", "lower_rate", "only_one_spikes"),
        *("gain", "rise", "beyond_chance", "condensed", "_alignment", "_end"),
    }
