"""Vector EI by nested sampling: against a fine grid of points in every cell, and its own error bars."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from information_oracles import (
    applied,
    codes,
    golden,
    grid_points,
    information,
    naive_bins,
    table,
    vector_oracle,
)

from nbwidgets_nn.kernels import vector_information
from nbwidgets_nn.kernels.intervention import Intervention
from nbwidgets_nn.kernels.vector_information import sample_vector
from nbwidgets_nn.kernels.vector_of_layer import components

GOLDEN = {"2 to 2": (golden(2, 2, 1.0), 2.0338), "3 to 2": (golden(3, 2, 3.0), 2.5641)}
"""Weights, and EI with 8 bins behind a sigmoid by `vector_oracle` with 300 and 96 points a bin and axis."""


def layer(
    weights,
    activation=torch.sigmoid,
    in_range=(0, 1),
    in_bins=8,
    out_range=(0, 1),
    out_bins=8,
    outside="clip",
):
    weights = np.asarray(weights, float)
    outputs, inputs = weights.shape
    return Intervention(
        lambda x: applied(activation, x @ weights.T),
        inputs,
        outputs,
        in_range,
        in_bins,
        np.full(outputs, out_range[0]),
        np.full(outputs, out_range[1]),
        np.full(outputs, out_bins),
        outside,
    )


@pytest.fixture(params=["every cell", "some cells"])
def design(request, monkeypatch):
    """Both ways to choose cells, on the same small layers."""
    if request.param == "some cells":
        monkeypatch.setattr(vector_information, "MOST_CELLS", 0)
    return request.param


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_values(name, design):
    weights, truth = GOLDEN[name]
    found = sample_vector(layer(weights), samples=400_000)
    assert found.enumerated == (design == "every cell")
    assert found.value == pytest.approx(truth, abs=4 * found.standard_error + 2e-4)
    assert found.standard_error < (0.004 if found.enumerated else 0.03)


@pytest.mark.parametrize("outside", ["clip", "drop"])
@pytest.mark.parametrize(
    ("weights", "activation"),
    [
        ([[1.0]], None),
        ([[0.8], [-1.7]], torch.tanh),
        ([[1.0, 0.7]], None),
        ([[1.2, -0.4], [0.3, 1.9]], torch.tanh),
        ([[1.0, 1.0], [1.0, -1.0]], None),
        ([[2.0, 0.0], [0.0, 0.5]], torch.relu),
    ],
)
def test_is_brute_force(weights, activation, outside, design):
    weights, question = np.array(weights), layer(weights, activation, (-1, 1), 4, (-0.8, 1), 4, outside)
    truth = vector_oracle(
        lambda x: applied(activation, x @ weights.T), weights.shape[1], (-1, 1), 4, (-0.8, 1), 4, outside, 120
    )
    found = sample_vector(question, samples=100_000)
    assert found.value == pytest.approx(truth, abs=4 * found.standard_error + 3e-3)
    x, _ = grid_points(weights.shape[1], (-1, 1), 4, 120)
    y = applied(activation, x @ weights.T)
    # Draws in some cells say less of all of them.
    slack = 0.01 if design == "every cell" else 0.05
    assert found.outside == pytest.approx(((y < -0.8) | (y > 1)).mean(), abs=slack)


@pytest.mark.parametrize("outside", ["clip", "drop"])
def test_groups_are_brute_force(outside, design):
    """The inputs outside the group stay random; outputs outside it do not count."""
    weights = np.array([[1.0, -0.8], [0.5, 1.4], [3.0, -3.0]])
    question = layer(weights, torch.tanh, (-1, 1), 4, (-0.8, 1), 4, outside)
    x, cells = grid_points(2, (-1, 1), 4, 120)
    labels = naive_bins(applied(torch.tanh, x @ weights.T), -0.8, 1, 4, outside)
    for inputs, outputs in [([0], [0]), ([1], [0, 1]), ([1, 0], [2]), ([0], [1, 2])]:
        found = sample_vector(question, inputs, outputs, samples=150_000)
        truth = information(table(codes(cells[:, inputs], 4), codes(labels[:, outputs], 4)))
        assert found.value == pytest.approx(truth, abs=4 * found.standard_error + 3e-3)


def calibrated(estimates, truth):
    """Deviations of about one standard error; bias is in the error too, so they need not be centred."""
    z = np.array([(one.value - truth) / one.standard_error for one in estimates])
    return abs(z.mean()) < 2 and 0.4 < np.sqrt((z**2).mean()) < 2.2 and abs(z).max() < 4.5


@pytest.mark.parametrize("name", GOLDEN)
def test_standard_errors_are_calibrated(name, design):
    weights, truth = GOLDEN[name]
    assert calibrated(
        [sample_vector(layer(weights), samples=100_000, seed=seed) for seed in range(16)], truth
    )


@pytest.mark.parametrize("samples", [5_000, 20_000])
@pytest.mark.parametrize("estimator", ["grassberger", "miller-madow"])
def test_few_draws_a_cell_are_within_their_error(samples, estimator):
    """With 10 or 40 draws in each of 512 cells the estimators' own bias counts: the error has to know."""
    weights, truth = GOLDEN["3 to 2"]
    found = [
        sample_vector(layer(weights), samples=samples, seed=seed, estimator=estimator) for seed in range(8)
    ]
    assert all(abs(one.value - truth) < 4 * one.standard_error for one in found)


def test_errors_of_the_outputs_entropy_are_calibrated(monkeypatch):
    """Nothing is random inside a cell here; what is not known is how often each of the unequal outputs comes."""
    monkeypatch.setattr(vector_information, "MOST_CELLS", 0)
    question = layer([[1.0]], torch.relu, (-1, 1), 16, (-1, 1), 16)
    shares = np.array([9] + [1] * 7) / 16
    truth = -(shares * np.log2(shares)).sum()
    assert calibrated([sample_vector(question, samples=20_000, seed=seed) for seed in range(16)], truth)


def test_groups_have_calibrated_errors():
    weights = golden(3, 2, 3.0)
    x, cells = grid_points(3, (0, 1), 8, 20)
    labels = naive_bins(applied(torch.sigmoid, x @ weights.T), 0, 1, 8)
    truth = information(table(cells[:, 0], codes(labels, 8)))
    found = [sample_vector(layer(weights), [0], [0, 1], samples=30_000, seed=seed) for seed in range(16)]
    assert calibrated(found, truth)


@pytest.mark.parametrize(("weights", "bits"), [(np.eye(3), 9), (np.ones((4, 1)), 3), (-np.eye(2)[::-1], 6)])
def test_deterministic_cells_are_nearly_exact(weights, bits):
    found = sample_vector(layer(weights, None, (-1, 1), out_range=(-1, 1)))
    assert found.value == pytest.approx(bits, abs=1e-3)
    assert found.standard_error < 1e-2  # with few draws a cell two estimators differ by this


def test_more_outputs_than_a_code_has_room_for():
    """64^12 output cells are hashed: copies of one input still tell 3 bits, and of two 6."""
    one = sample_vector(layer(np.ones((12, 1)), None, in_bins=8, out_bins=64), samples=60_000)
    assert one.value == pytest.approx(3, abs=4 * one.standard_error + 1e-3)
    both = np.zeros((14, 2))
    both[::2, 0] = both[1::2, 1] = 1
    two = sample_vector(layer(both, None, in_bins=8, out_bins=64), samples=400_000)
    assert two.value == pytest.approx(6, abs=4 * two.standard_error + 1e-3)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3))
def test_bounds(seed, inputs, outputs):
    rng = np.random.default_rng(seed)
    in_bins, out_bins = (int(bins) for bins in rng.integers(2, 6, 2))
    weights = rng.normal(size=(outputs, inputs)) * 2
    found = sample_vector(
        layer(weights, torch.tanh, (-1, 1), in_bins, (-1, 1), out_bins), samples=20_000, seed=seed
    )
    slack = 4 * found.standard_error + 1e-9
    assert -slack <= found.value <= min(inputs * np.log2(in_bins), outputs * np.log2(out_bins)) + slack
    assert 0 <= found.coverage <= 1
    assert found.plugin_bias >= 0


def test_estimators():
    """Some ten draws for each cell that occurs: the plain histogram is too high, the corrected ones less."""
    weights, truth = GOLDEN["3 to 2"]
    off = {}
    for estimator in ("plugin", "miller-madow", "grassberger"):
        drawn = [sample_vector(layer(weights), samples=40_000, seed=k, estimator=estimator) for k in range(6)]
        off[estimator] = np.mean([one.value for one in drawn]) - truth
    assert off["plugin"] > 0.012
    assert abs(off["miller-madow"]) < off["plugin"] / 1.5
    assert abs(off["grassberger"]) < off["plugin"] / 1.5


def test_plugin_bias_is_that_of_the_joint_histogram():
    """(K_XY - K_X - K_Y + 1)/(2 N ln 2) where every cell is met: input 0 and an output that does not depend on it."""
    found = sample_vector(layer([[0.0, 1.0]], None), [0], [0], samples=4_000)
    rng, excess = np.random.default_rng(0), []
    for _ in range(20):
        counts = table(rng.integers(8, size=found.samples), rng.integers(8, size=found.samples))
        excess.append(information(counts))
    assert np.mean(excess) == pytest.approx(49 / (2 * found.samples * np.log(2)), rel=0.1)
    assert found.plugin_bias == pytest.approx(np.mean(excess), rel=0.15)


def test_coverage_inside_falls_where_cells_are_shallow(design):
    """64 outputs of each cell are met by 4 draws, or by 4,000; the true EI is known only then."""
    question = layer(np.eye(3), None, in_bins=2, out_bins=8)
    shallow = sample_vector(question, samples=256)
    deep = sample_vector(question, samples=64_000 if design == "every cell" else 400_000)
    assert shallow.coverage_inside < 0.9
    assert deep.coverage_inside > 0.97
    assert deep.value == pytest.approx(3, abs=4 * deep.standard_error)


def test_stopping_early_is_said(monkeypatch):
    question = layer(golden(2, 2, 1.0))
    assert not sample_vector(question).stopped_early
    assert not sample_vector(question, samples=5_000, threshold=1e-6).stopped_early
    monkeypatch.setattr(vector_information, "MOST_DRAWS", 2**16)
    assert sample_vector(question, threshold=1e-6).stopped_early


def test_settings_of_the_draws():
    question = layer(golden(2, 2, 1.0))
    few = sample_vector(question, samples=100)
    assert not few.enumerated
    every = sample_vector(question, samples=1_000)
    assert every.enumerated
    assert every.cells == 64
    assert every.samples == pytest.approx(1_000, abs=32)
    many = sample_vector(question, threshold=0.001)
    assert many.standard_error <= 0.001 * many.value
    assert many.samples > sample_vector(question, threshold=0.05).samples


def test_equal_seeds_give_equal_results(design):
    question = layer(golden(2, 2, 1.0))
    one, same, other = (sample_vector(question, samples=20_000, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.value != other.value


def test_coverage_falls_where_every_draw_is_new():
    full = sample_vector(layer(golden(2, 2, 1.0)), samples=30_000)
    assert full.coverage > 0.99
    rng = np.random.default_rng(0)
    wide = sample_vector(layer(rng.normal(size=(32, 32)), out_bins=64), samples=20_000)
    assert wide.coverage < 0.1


def test_all_dropped_is_zero():
    found = sample_vector(layer(np.ones((2, 2)), None, out_range=(5, 6), outside="drop"), samples=10_000)
    assert (found.value, found.outside) == (0, 1)


def test_nan_is_refused():
    question = layer(np.ones((2, 2)), torch.log, (-1, 1))
    with pytest.raises(ValueError, match="output: expected numbers from every unit of the layer, got NaN"):
        sample_vector(question, samples=1_000)


def test_infinite_outputs_are_outside():
    question = layer(np.ones((1, 1)), lambda z: 1 / torch.relu(z), (-1, 1), 4, (0, 4), 4)
    # Half of the inputs give infinity; above 1/4 of the others do.
    found = sample_vector(question, samples=50_000)
    assert found.outside == pytest.approx(0.5 + 0.125, abs=0.01)
    assert np.isfinite(found.value)


@pytest.mark.parametrize("settings_", [{"samples": 100_000}, {"threshold": 0.004}])
def test_progress_counts_to_its_end(design, settings_):
    seen = []
    sample_vector(layer(golden(2, 2, 1.0)), progress=lambda *at: seen.append(at), **settings_)
    starts = [k for k, (done, _) in enumerate(seen) if done == 0]
    for start, stop in zip(starts, [*starts[1:], len(seen)], strict=True):
        counted = seen[start:stop]
        assert [done for done, _ in counted] == list(range(len(counted)))
        assert counted[-1][0] == counted[-1][1]


def test_progress_stops_by_raising():
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample_vector(layer(golden(2, 2, 1.0)), samples=200_000, progress=stop)


def test_components():
    weights = np.zeros((5, 6))
    weights[0, 1] = weights[0, 3] = weights[2, 3] = weights[3, 5] = 1
    parts = [(of.tolist(), to.tolist()) for of, to in components(weights)]
    assert parts == [([1, 3], [0, 2]), ([5], [3])]
    assert not list(components(np.zeros((2, 3))))
    assert [(of.tolist(), to.tolist()) for of, to in components(np.ones((2, 3)))] == [([0, 1, 2], [0, 1])]
