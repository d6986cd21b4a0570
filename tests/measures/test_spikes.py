"""Segmentation against a plain loop, and its invariances."""

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.spike import Spike, SpikeDefinition
from spikecheck.measures.spikes import spikes

LOSSES = st.lists(st.floats(1e-6, 1e3), min_size=0, max_size=60).map(np.array)
DEFINITIONS = st.builds(SpikeDefinition, factor=st.floats(1.1, 5.0), settle=st.integers(1, 6))


def by_hand(loss: np.ndarray, definition: SpikeDefinition) -> list[Spike]:
    """The definition, step by step."""
    found, step = [], 1
    while step < len(loss):
        trough = int(np.argmin(loss[:step]))
        floor = loss[trough] * definition.factor
        if not loss[step] > floor:
            step += 1
            continue
        recovery = None
        for start in range(step, len(loss) - definition.settle + 1):
            if all(value <= floor for value in loss[start : start + definition.settle]):
                recovery = start
                break
        end = len(loss) if recovery is None else recovery
        peak = step + int(np.argmax(loss[step:end]))
        found.append(Spike(trough, step, peak, recovery, float(loss[peak] / loss[trough])))
        if recovery is None:
            break
        step = recovery
    return found


@given(LOSSES, DEFINITIONS)
def test_agrees_with_a_plain_loop(loss: np.ndarray, definition: SpikeDefinition) -> None:
    assert list(spikes(loss, definition)) == by_hand(loss, definition)


@given(LOSSES, DEFINITIONS, st.integers(-8, 8), st.integers(0, 1000))
def test_neither_the_scale_nor_the_start_matters(
    loss: np.ndarray, definition: SpikeDefinition, power: int, start: int
) -> None:
    plain = spikes(loss, definition)
    moved = spikes(loss * 2.0**power, definition, start)
    assert [(s.trough + start, s.onset + start, s.peak + start, s.height) for s in plain] == [
        (s.trough, s.onset, s.peak, s.height) for s in moved
    ]


@given(LOSSES, DEFINITIONS)
def test_landmarks_stand_in_order(loss: np.ndarray, definition: SpikeDefinition) -> None:
    for spike in spikes(loss, definition):
        assert spike.trough < spike.onset <= spike.peak
        assert spike.recovery is None or spike.peak < spike.recovery
        assert spike.height > definition.factor


@given(LOSSES)
def test_a_loss_that_only_falls_has_no_spike(loss: np.ndarray) -> None:
    assert spikes(np.sort(loss)[::-1], SpikeDefinition()) == ()


def test_an_oscillating_peak_is_one_spike() -> None:
    loss = np.concatenate([np.linspace(2, 1, 50), [5, 0.9, 8, 0.8, 12, 0.9, 6, 0.9], np.full(40, 0.7)])
    assert len(spikes(loss, SpikeDefinition(factor=3, settle=20))) == 1


def test_a_loss_of_zero_needs_no_warning() -> None:
    (spike,) = spikes(np.array([1.0, 0.0, 1.0, 0.0, 0.0]), SpikeDefinition(settle=1))
    assert spike.height == float("inf")


def test_long_traces_are_segmented_fast() -> None:
    traces = np.exp(np.random.default_rng(0).normal(size=(64, 5_000)))
    began = time.perf_counter()
    for trace in traces:
        spikes(trace, SpikeDefinition(settle=1))
    assert time.perf_counter() - began < 5.0  # 0.1 s on an idle machine where spikes are as rare as in training
