"""Segmentation against a plain loop, and its invariances."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.spike import Spike, SpikeDefinition
from spikecheck.measures.spikes import first_onset, spikes

LOSSES = st.lists(st.floats(1e-6, 1e3), max_size=60).map(np.array)
COARSE = st.lists(st.sampled_from([0.0, 1.0, 2.0, 4.0, 8.0, 32.0]), max_size=60).map(
    np.array
)  # ties, and losses of zero
DEFINITIONS = st.builds(SpikeDefinition, factor=st.floats(1.1, 5.0), settle=st.integers(1, 6))


def by_hand(loss: np.ndarray, definition: SpikeDefinition) -> list[Spike]:
    """The definition, step by step."""
    found, step = [], 1
    while step < len(loss):
        trough = min(range(step), key=lambda before: loss[before])
        level = loss[trough] * definition.factor
        if not loss[step] > level:
            step += 1
            continue
        recovery = None
        for start in range(step, len(loss) - definition.settle + 1):
            if all(value <= level for value in loss[start : start + definition.settle]):
                recovery = start
                break
        end = len(loss) if recovery is None else recovery
        peak = max(range(step, end), key=lambda inside: loss[inside])
        height = float(loss[peak] / loss[trough]) if loss[trough] else float("inf")
        found.append(Spike(trough, step, peak, recovery, height))
        if recovery is None:
            break
        step = recovery
    return found


@given(LOSSES | COARSE, DEFINITIONS)
def test_agrees_with_a_plain_loop(loss: np.ndarray, definition: SpikeDefinition) -> None:
    assert list(spikes(loss, definition)) == by_hand(loss, definition)


@given(LOSSES, DEFINITIONS, st.integers(-300, 300), st.integers(0, 1000))
def test_neither_the_scale_nor_the_start_matters(
    loss: np.ndarray, definition: SpikeDefinition, power: int, start: int
) -> None:
    plain = spikes(loss, definition)
    moved = spikes(loss * 2.0**power, definition, start)
    later = [None if s.recovery is None else s.recovery + start for s in plain]
    assert [s.recovery for s in moved] == later
    assert [(s.trough, s.onset, s.peak, s.height) for s in moved] == [
        (s.trough + start, s.onset + start, s.peak + start, s.height) for s in plain
    ]


@given(LOSSES | COARSE, DEFINITIONS)
def test_landmarks_stand_in_order(loss: np.ndarray, definition: SpikeDefinition) -> None:
    found = spikes(loss, definition)
    for spike in found:
        assert spike.trough < spike.onset <= spike.peak
        assert spike.recovery is None or spike.peak < spike.recovery
        assert spike.height > definition.factor
        assert loss[spike.trough] == loss[: spike.onset].min()
    for one, following in pairwise(found):
        assert one.recovery is not None
        assert one.recovery <= following.onset


@given(LOSSES | COARSE, DEFINITIONS)
def test_a_loss_that_only_falls_has_no_spike(loss: np.ndarray, definition: SpikeDefinition) -> None:
    assert spikes(np.sort(loss)[::-1], definition) == ()


@given(st.floats(1.01, 4.0), st.integers(1, 30))
def test_one_bump_has_the_landmarks_that_it_was_made_with(factor: float, settle: int) -> None:
    loss = np.concatenate([[4.0, 1.0, 1.0], [5.0, 9.0, 7.0], np.full(settle, 0.5)])
    (spike,) = spikes(loss, SpikeDefinition(factor=factor, settle=settle), start=100)
    assert spike == Spike(trough=101, onset=103, peak=104, recovery=106, height=9.0)
    (cut,) = spikes(loss[:-1], SpikeDefinition(factor=factor, settle=settle))
    assert cut.recovery is None


def test_an_oscillating_peak_is_one_spike() -> None:
    loss = np.concatenate([np.linspace(2, 1, 50), [5, 0.9, 8, 0.8, 12, 0.9, 6, 0.9], np.full(40, 0.7)])
    (spike,) = spikes(loss, SpikeDefinition(factor=3, settle=20))
    assert spike == Spike(trough=49, onset=50, peak=54, recovery=57, height=12.0)
    assert len(spikes(loss, SpikeDefinition(factor=3, settle=1))) == 4


def test_exactly_the_factor_is_no_spike() -> None:
    assert spikes(np.array([1.0, 3.0, 1.0]), SpikeDefinition(factor=3, settle=1)) == ()
    assert len(spikes(np.array([1.0, np.nextafter(3.0, 4.0), 3.0]), SpikeDefinition(factor=3, settle=1))) == 1


@pytest.mark.parametrize("low", [0.0, 5e-324, 1e-300])
def test_a_loss_near_zero_needs_no_warning(low: float) -> None:
    (spike,) = spikes(np.array([1.0, low, 1e300, low, low]), SpikeDefinition(settle=1))
    assert spike == Spike(trough=1, onset=2, peak=2, recovery=3, height=float("inf"))


def test_long_traces_are_segmented_fast() -> None:
    steps = np.arange(5_000)
    bumps = sum(60 * np.exp(-(((steps - centre) / 12) ** 2)) for centre in range(300, 5_000, 450))
    traces = np.exp(-steps / 4_000) * (1 + bumps) * np.exp(np.random.default_rng(0).normal(0, 0.05, (64, 5_000)))
    began = time.process_time()  # of this process: another one's load is not ours
    counts = [len(spikes(trace, SpikeDefinition())) for trace in traces]
    assert time.process_time() - began < 0.3
    assert set(counts) == {11}


@given(COARSE, DEFINITIONS)
def test_the_first_onset_is_that_of_the_first_spike(loss: np.ndarray, definition: SpikeDefinition) -> None:
    found = spikes(loss, definition)
    assert first_onset(loss, definition) == (found[0].onset if found else None)
