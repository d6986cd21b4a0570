"""What is written is read as it was: settings, recipes and their digests, command lines, reports, baselines, logs.

Runs: tests/lab/test_run_codec.py. Stored entries: tests/lab/test_store.py. What a line's --gave says: test_reproduction.py.
"""

import json
import shlex
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from spikecheck.cli.params import condition
from spikecheck.core import intervention as forks
from spikecheck.core import probe as probes
from spikecheck.core.errors import BaselineError, SettingError, UsageError
from spikecheck.core.judgement import Companion, Effect, Judgement, Outcome
from spikecheck.core.recipe import Environment, Recipe
from spikecheck.core.replay_lines import replay_line
from spikecheck.core.scorecard import Baseline, OptimizerSpec, Scores
from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.core.watched import Header, LayerLook, Look, Step
from spikecheck.gate.baseline import baseline_of, fitting
from spikecheck.gate.metrics import MEASURES
from spikecheck.gate.suite import Suite, own_suite
from spikecheck.report import json_file
from spikecheck.watch.log import LogWriter, WatchLog

FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(1e-300, 1e300)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NUMBERS = {
    "momentum": st.floats(0.0, 1.0, exclude_max=True),
    "beta1": st.floats(0.0, 1.0, exclude_max=True),
    "beta2": st.floats(0.0, 1.0, exclude_max=True),
    "eps": st.floats(0.0, 1e300),
    "weight_decay": st.floats(0.0, 1e300),
}
CONDITIONS: dict[str, st.SearchStrategy[Any]] = {
    "problem": st.sampled_from(["sines", "digits", "mine:data"]),
    "target": st.sampled_from(["sin x", "sin x + sin 4x", "cos 2x"]),
    "points": st.integers(2, 10**6),
    "interval": POSITIVE,
    "model": st.sampled_from(["mlp", "linear", "mine.nets:Net"]),
    "width": st.integers(1, 100_000),
    "depth": st.integers(1, 64),
    "activation": st.sampled_from(["tanh", "relu", "gelu", "xtanh"]),
    "output_bias": st.booleans(),
    "init_scale": POSITIVE,
    "loss": st.sampled_from(["mse", "cross-entropy"]),
    "lr": POSITIVE,
    "schedule": st.sampled_from(["constant", "linear", "cosine", "warmup-cosine"]),
    "clip": st.none() | POSITIVE,
    "steps": st.integers(1, 10**8),
    "batch": st.none() | st.integers(1, 10**6),
    "gradient_noise": st.floats(0.0, 1e300),
    "dtype": st.sampled_from(["float64", "float32"]),
}
SCALES = st.fixed_dictionaries({"gamma": FINITE}) | st.fixed_dictionaries(
    {"gamma": st.none(), "input_std": POSITIVE, "output_std": POSITIVE}
)
BUILT_IN = st.sampled_from(sorted(OPTIMIZERS)).flatmap(
    lambda name: st.fixed_dictionaries(
        {"optimizer": st.just(name)}, optional={number: NUMBERS[number] for number in OPTIMIZERS[name]}
    )
)
OPTION = st.booleans() | st.integers(-(2**53), 2**53) | FINITE | TEXT | st.none()
NAMED = st.fixed_dictionaries(
    {
        "optimizer": st.sampled_from(["torch.optim:Adam", "mine:Lion"]),
        "options": st.lists(st.tuples(st.text("abc_", min_size=1, max_size=5), OPTION | st.tuples(FINITE, FINITE))).map(
            tuple
        ),
    }
)


def settings_with(optimizers: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Setting]:
    parts = st.tuples(st.fixed_dictionaries({}, optional=CONDITIONS), SCALES | st.just({}), optimizers)
    return parts.map(lambda three: Setting(**{name: value for part in three for name, value in part.items()}))


PLAIN = settings_with(BUILT_IN)
SETTINGS = PLAIN | settings_with(NAMED)
LANDMARKS = st.sampled_from(["before_onset", "onset", "end"])
HORIZONS = st.integers(1, 10**6)
SHARES = st.floats(1e-6, 1.0)
FORKS = st.one_of(
    st.builds(forks.Continue, at=LANDMARKS, horizon=HORIZONS, anneal=st.integers(0, 1000), anneal_factor=SHARES),
    st.builds(forks.LowerRate, at=LANDMARKS, horizon=HORIZONS, factor=SHARES),
    st.builds(forks.FreezeOutside, at=LANDMARKS, horizon=HORIZONS),
    st.builds(forks.Jitter, horizon=HORIZONS, noise=POSITIVE),
    st.builds(forks.Exchange, horizon=st.integers(0, 10), other=st.tuples(st.tuples(st.just("lr"), POSITIVE))),
    st.builds(forks.Inject, horizon=HORIZONS, rank=st.integers(1, 12), rise=st.floats(1.1, 1e6), factor=SHARES),
)
PROBES = st.one_of(
    st.builds(probes.Anatomy, before=st.integers(0, 999), pairs=st.integers(1, 12), outputs=st.booleans()),
    st.builds(probes.SharpnessTrace),
    st.builds(probes.Trail),
    st.builds(probes.Directions, at=st.sampled_from(["onset", "peak", "end"]), random=st.integers(0, 64)),
    st.builds(probes.Stability),
    st.builds(probes.Balance, every=st.integers(1, 50)),
    st.builds(probes.Finish, looks=st.integers(1, 64)),
)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    setting, fork = draw(SETTINGS), draw(st.none() | FORKS)
    try:
        return Recipe(
            setting=setting.but(intervention=fork), seed=draw(st.integers(0, 2**63)), probe=draw(st.none() | PROBES)
        )
    except SettingError:
        assume(condition=False)
        raise


HERE = Environment(torch="2", device="cpu", threads=1)


# ---- settings and recipes --------------------------------------------------------------------------------------------


@given(SETTINGS, st.none() | FORKS)
def test_a_setting_and_its_text_determine_one_another(setting: Setting, fork: Any) -> None:
    forked = setting.but(intervention=fork)
    again = Setting.model_validate_json(forked.canonical())
    assert (again, again.canonical(), again.signature) == (forked, forked.canonical(), forked.signature)
    assert forked.but() == forked
    assert forked.but(intervention=None) == setting


@given(recipes(), recipes())
def test_a_recipe_survives_json_and_has_the_digest_of_its_equals_alone(one: Recipe, other: Recipe) -> None:
    again = Recipe.model_validate_json(one.canonical())
    assert again == one
    assert again.digest(HERE) == one.digest(HERE)
    assert again.parent() == one.parent()
    assert (one.digest(HERE) == other.digest(HERE)) is (one == other)
    assert one.digest(HERE, "x") != one.digest(HERE)


@given(recipes(), st.data())
def test_a_digest_changes_with_every_condition(recipe: Recipe, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(CONDITIONS)))
    value = data.draw(CONDITIONS[name])
    try:
        other = Recipe(setting=recipe.setting.but(**{name: value}), seed=recipe.seed, probe=recipe.probe)
    except SettingError:
        return
    changed = getattr(recipe.setting, name) != value
    assert (other.digest(HERE) != recipe.digest(HERE)) is changed


@given(SETTINGS, SETTINGS)
@example(Setting(optimizer="mine:Lion", options=(("a", 1),)), Setting(optimizer="mine:Tiger", options=(("a", 1),)))
def test_changes_make_one_setting_of_another(setting: Setting, other: Setting) -> None:
    assert other.but(**setting.changes_from(other)) == setting


@given(PLAIN, PLAIN)
@example(Setting(optimizer="adamw", weight_decay=0.0), Setting(optimizer="adam"))
def test_a_replay_line_names_its_setting_whatever_the_reference_is(setting: Setting, reference: Setting) -> None:
    """As a shell splits it, and as the command reads it. Regression: numbers that two optimizers share."""
    words = shlex.split(replay_line(["some-claim"], setting, reference, 7, 32))
    assert words[:3] == ["spikecheck", "replay", "some-claim"]
    assert words[-4:] == ["--seed", "7", "--seeds", "32"]
    changes = words[3:-4]
    assert changes[::2] == ["--at"] * (len(changes) // 2)
    assert reference.but(**dict(map(condition, changes[1::2]))) == setting


# ---- reports ---------------------------------------------------------------------------------------------------------

MAYBE = st.none() | FINITE
EFFECTS = st.builds(Effect, unit=TEXT, median=MAYBE, low=MAYBE, high=MAYBE, mean=MAYBE, mean_low=MAYBE, mean_high=MAYBE)
PARTS = st.floats(0.0, 1.0)


@st.composite
def judgements(draw: st.DrawFn) -> Judgement:
    held, applicable, drawn = sorted(draw(st.integers(0, 512)) for _ in range(3))
    beside = st.builds(Companion, effect=EFFECTS, measured=st.just(3), held=st.just(2))
    return Judgement(
        setting=draw(SETTINGS),
        outcome=draw(st.sampled_from(Outcome)),
        drawn=drawn,
        applicable=applicable,
        held=held,
        low=draw(PARTS),
        high=draw(PARTS),
        required=draw(st.none() | PARTS),
        level=draw(PARTS),
        estimand=draw(st.sampled_from(["share", "mean", "median", "equivalence"])),
        effect=draw(EFFECTS),
        seeds=draw(st.lists(st.integers(0, 2**32 - 1), max_size=5).map(tuple)),
        scores=draw(st.lists(MAYBE, max_size=5).map(tuple)),
        companions=draw(st.lists(beside, max_size=2).map(tuple)),
    )


@given(judgements())
def test_a_judgement_survives_its_report_bit_by_bit(judgement: Judgement) -> None:
    again = Judgement.model_validate_json(judgement.model_dump_json(by_alias=True, indent=1))
    assert again == judgement
    assert list(map(repr, again.scores)) == list(map(repr, judgement.scores))


# ---- baselines -------------------------------------------------------------------------------------------------------

SUITE = own_suite({}, 3, 0, tuple(measure.name for measure in MEASURES))
CONTESTANT = OptimizerSpec(optimizer="adam", lr=0.01)


@st.composite
def baselines(draw: st.DrawFn) -> Baseline:
    assert isinstance(SUITE, Suite)
    lacks, counts = draw(st.booleans()), st.sampled_from([0.0, 1.0])
    laws = {measure.name: counts if measure.law == "count" else FINITE for measure in SUITE.measures}
    one = {row: st.tuples(*[st.none() | law if lacks else law] * 3) for row, law in laws.items()}
    values = {row: {place: draw(numbers) for place in SUITE.settings} for row, numbers in one.items()}
    return baseline_of(
        CONTESTANT,
        Scores(values=values),
        SUITE,
        reason=draw(TEXT),
        command=draw(TEXT),
        environment={"device": "cpu AVX2"},
    )


@given(baselines())
def test_a_baseline_is_read_as_it_was_written_and_fits_if_it_is_whole(
    tmp_path_factory: pytest.TempPathFactory, baseline: Baseline
) -> None:
    path = tmp_path_factory.getbasetemp() / "baseline.json"
    json_file.write(baseline, path)
    again = json_file.read_baseline(path)
    assert again == baseline
    blocks = [(measure, baseline.scores.values[measure.name]) for measure in SUITE.measures]
    whole = all(measure.may_lack or None not in values for measure, block in blocks for values in block.values())
    if whole:
        assert fitting(again, path, SUITE, {"device": "cpu AVX512"}) == baseline
    else:
        with pytest.raises(BaselineError, match="of 3 seeds"):
            fitting(again, path, SUITE, {"device": "cpu AVX512"})


@given(baselines(), st.data())
def test_a_baseline_whose_number_was_edited_is_refused(
    tmp_path_factory: pytest.TempPathFactory, baseline: Baseline, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "edited.json"
    parsed = json.loads(json_file.text(baseline))
    row = data.draw(st.sampled_from(sorted(parsed["scores"]["values"])))
    place = data.draw(st.sampled_from(sorted(parsed["scores"]["values"][row])))
    number = data.draw(FINITE)
    assume(parsed["scores"]["values"][row][place][1] != number)
    parsed["scores"]["values"][row][place][1] = number
    path.write_text(json.dumps(parsed))
    with pytest.raises(BaselineError, match="has been changed since it was written"):
        fitting(json_file.read_baseline(path), path, SUITE, {"device": "cpu"})


# ---- logs ------------------------------------------------------------------------------------------------------------

HEADER = Header(model="Net", optimizer="SGD", parameters=3, every=10, started="2026-01-01T00:00:00+00:00")
SIZES = st.floats(0.0, 1e300)
LAYERS = st.builds(LayerLook, update=SIZES, weights=SIZES, gradient=st.none() | SIZES, surprise=st.none() | SIZES)
LOOKS = st.builds(
    Look,
    overshoot=MAYBE,
    error=st.none() | SIZES,
    unresolved=st.none() | TEXT,
    slope=MAYBE,
    change=MAYBE,
    slope_from=st.none() | st.sampled_from(["gradient", "half step"]),
    update_norm=st.none() | SIZES,
    gradient_norm=st.none() | SIZES,
    layers=st.dictionaries(TEXT, LAYERS, max_size=3),
)
STEPS = st.builds(
    Step,
    step=st.integers(0, 10**9),
    loss=MAYBE,
    not_finite=st.none() | st.sampled_from(["nan", "inf", "-inf"]),
    lr=st.lists(FINITE, max_size=3).map(tuple),
    skipped=st.booleans(),
    batch=st.none() | TEXT,
    seconds=st.none() | SIZES,
    processes=st.integers(1, 9),
    look=st.none() | LOOKS,
)


@given(st.lists(STEPS, max_size=6, unique_by=lambda step: step.step))
def test_any_steps_of_a_log_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    writer = LogWriter(path, HEADER)
    for step in steps:
        writer.write(step)
    writer.close()
    log = WatchLog.open(path)
    assert (log.header, log.unreadable) == (HEADER, 0)
    assert list(log.ordered()) == sorted(steps, key=lambda step: step.step)


@given(st.text(max_size=20) | st.sampled_from(["lr", "=", "lr=", "width=1=2", "none=none"]))
def test_a_text_that_names_no_condition_is_refused_in_one_line(text: str) -> None:
    name, equals, _ = text.partition("=")
    assume(not equals or name not in Setting.model_fields)
    with pytest.raises(UsageError) as refused:
        condition(text)
    assert "\n" not in str(refused.value) or "\n" in text
