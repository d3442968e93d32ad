"""Information of pairs by drawing: the tables are those of the draws, the values are true, the errors are calibrated."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numba
import numpy as np
import pytest
import torch

from nbwidgets_nn.kernels import _pair_draws, _pair_tiles, intervention
from nbwidgets_nn.kernels.information import ESTIMATORS, mutual_information, plugin_bias
from nbwidgets_nn.kernels.sampled_information import (
    Intervention,
    _error,
    observed_range,
    sample_parts,
    sample_sensitivity,
)

RNG = np.random.default_rng(5)
WEIGHTS = RNG.normal(size=(4, 5))


def ask(run, inputs, outputs, **changes):
    """Return a question with 16 bins of (0, 1) everywhere, but for the changes."""
    settings = {
        "in_range": (0, 1),
        "in_bins": 16,
        "low": np.zeros(outputs),
        "high": np.ones(outputs),
        "bins": np.full(outputs, 16),
        "outside": "clip",
    }
    return Intervention(run, inputs, outputs, **{**settings, **changes})


def sigmoid_layer(x):
    return 1 / (1 + np.exp(-x @ WEIGHTS.T))


def sum_of_two(x):
    return (x[:, :1] + x[:, 1:2]) / 2


def information_of_sum(bins, fine=400):
    """Bits between a uniform number and its mean with another one: from areas of the unit square, counted finely."""
    x = (np.arange(bins * fine) + 0.5) / (bins * fine)
    p = np.zeros((bins, bins))
    for i in range(bins):
        # P(mean <= edge | x) is a ramp; its mean over a bin is exact enough on a fine grid.
        inside = x[i * fine : (i + 1) * fine, None]
        ramp = np.clip(2 * np.linspace(0, 1, bins + 1) - inside, 0, 1).mean(0)
        p[i] = np.diff(ramp) / bins
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nansum(p * np.log2(p / p.sum(1, keepdims=True) / p.sum(0)))


SIGMOID = ask(sigmoid_layer, 5, 4)
WIDE = ask(lambda x: x @ WEIGHTS.T, 5, 4, low=[-1, 0, -2, 0.5], high=[1, 0.5, 2, 0.6], bins=[7, 16, 2, 11])
QUESTIONS = {
    "sigmoid": SIGMOID,
    "clip, other bins for each output": WIDE,
    "drop, other bins for each output": replace(WIDE, outside="drop"),
    "drop, 256 bins": replace(SIGMOID, bins=np.full(4, 256), outside="drop"),
    "uint16, 300 bins": replace(SIGMOID, in_bins=300, bins=np.full(4, 300)),
    "uint8 against uint16": replace(SIGMOID, in_bins=8, bins=np.array([3, 300, 9, 256])),
    "one bin": replace(SIGMOID, bins=np.array([1, 4, 1, 4])),
    "other input range": ask(lambda x: np.tanh(x @ WEIGHTS.T), 5, 4, in_range=(-3, 2), low=-np.ones(4)),
}


def draws_of(question, samples, seed, alone=None):
    """All draws as the sampler makes them: inputs, their bins, outputs."""
    blocks = intervention.Blocks(question, seed, alone)
    shares, x = [], []
    for block in range(-(-samples // question.block)):
        shares.append(blocks.draw(block).copy())
        x.append(blocks.inputs().copy())
    shares, x = np.concatenate(shares)[:samples], np.concatenate(x)[:samples]
    return x, (shares * question.in_bins).astype(int), question.run(x.copy())


def naive_table(numbers, y, question, output):
    """Count one pair by comparing with the edges."""
    low, high, bins = question.low[output], question.high[output], question.bins[output]
    inside = (y >= low) & (y <= high) if question.outside == "drop" else np.full(len(y), True)
    edges = np.linspace(low, high, bins + 1)
    place = np.searchsorted(edges, np.clip(y, low, high), side="right") - 1
    table = np.zeros((question.in_bins, bins), int)
    np.add.at(table, (numbers[inside], np.minimum(place, bins - 1)[inside]), 1)
    return table


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", QUESTIONS)
def test_parts_are_those_of_the_naive_tables(name, estimator):
    question = QUESTIONS[name]
    found = sample_parts(question, samples=5000, seed=3, estimator=estimator)
    _, numbers, y = draws_of(question, 5000, 3)
    tables = [[naive_table(n, v, question, b) for b, v in enumerate(y.T)] for n in numbers.T]
    expected = np.array([[mutual_information(t, estimator) for t in row] for row in tables])
    np.testing.assert_allclose(found.matrix, expected, atol=2e-5 if estimator == "adjusted" else 1e-10)
    assert found.total == pytest.approx(expected.sum(), abs=4e-4)
    assert found.plugin_bias == pytest.approx(sum(plugin_bias(t) for row in tables for t in row))
    outside = np.mean((y < question.low) | (y > question.high))
    assert found.outside == pytest.approx(outside, abs=1e-12)
    if estimator == "adjusted":
        grassberger = sum(mutual_information(t, "grassberger") for row in tables for t in row)
        assert found.grassberger_bias == pytest.approx(grassberger - found.total, abs=1e-9)


@pytest.mark.parametrize("name", QUESTIONS)
def test_sensitivity_is_that_of_the_naive_tables(name):
    question = QUESTIONS[name]
    found = sample_sensitivity(question, samples=3000, seed=3, estimator="grassberger")
    for unit in range(5):
        x, numbers, y = draws_of(question, 3000, 3, alone=unit)
        assert not np.delete(x, unit, axis=1).any()
        for output in range(4):
            table = naive_table(numbers[:, 0], y[:, output], question, output)
            assert found.matrix[unit, output] == pytest.approx(
                mutual_information(table, "grassberger"), abs=1e-10
            )


@pytest.mark.parametrize("quantity", [sample_parts, sample_sensitivity])
@pytest.mark.parametrize("bins", [2, 7, 64])
def test_identity_holds_the_logarithm_of_the_bins(quantity, bins):
    question = ask(lambda x: x.copy(), 2, 2, in_bins=bins, bins=np.full(2, bins))
    found = quantity(question, samples=60_000)
    np.testing.assert_allclose(np.diag(found.matrix), np.log2(bins), atol=2e-3)
    others = found.matrix[[0, 1], [1, 0]]
    if quantity is sample_sensitivity:
        assert (others == 0).all()  # a constant output
    else:
        assert (np.abs(others) < 5 * found.pair_error[[0, 1], [1, 0]]).all()


def test_sum_of_two_uniforms_is_the_closed_form():
    truth = information_of_sum(16)
    found = sample_parts(ask(sum_of_two, 2, 1), samples=100_000)
    assert (np.abs(found.matrix[:, 0] - truth) < 4 * found.pair_error[:, 0]).all()
    assert abs(found.total - 2 * truth) < 4 * found.standard_error
    assert found.standard_error < 0.02


def test_estimators_on_independent_pairs():
    """Adjusted beats Grassberger beats Miller-Madow beats plugin at 1.2 draws a cell; adjusted is unbiased."""
    question = ask(lambda x: x[:, 10:], 20, 10, in_bins=64, bins=np.full(10, 64))
    off = {}
    for estimator in ESTIMATORS:
        found = sample_parts(question, samples=5000, estimator=estimator)
        pairs = found.matrix[:10]
        off[estimator] = pairs.mean()
        if estimator == "adjusted":
            assert abs(pairs.sum()) < 4 * np.sqrt(np.sum(found.pair_error[:10] ** 2))
    assert abs(off["adjusted"]) < off["grassberger"] < off["miller-madow"] < off["plugin"]
    assert off["plugin"] == pytest.approx(0.6, abs=0.15)


CALIBRATION = {
    "independent": (ask(lambda x: x[:, 4:], 5, 1, in_bins=8, bins=[8]), 2000),
    "hardly a quarter of a draw a cell": (ask(lambda x: x[:, 1:], 2, 1, in_bins=64, bins=[64]), 1000),
    "many pairs, thin cells": (ask(lambda x: x.reshape(-1, 2, 15).mean(2), 30, 2), 800),
    "strong": (ask(sum_of_two, 2, 1), 4000),
    "identity": (ask(lambda x: x, 1, 1), 2000),
    "layer": (SIGMOID, 4000),
    "drop": (ask(sum_of_two, 2, 1, low=[0.3], high=[0.8], outside="drop"), 4000),
}


@pytest.mark.parametrize("name", CALIBRATION)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_standard_errors_are_calibrated(name, estimator):
    """The spread over seeds is what one run says: of the total, and of the pairs."""
    question, samples = CALIBRATION[name]
    runs = [sample_parts(question, samples=samples, seed=seed, estimator=estimator) for seed in range(60)]
    totals, matrices = (np.array([getattr(run, what) for run in runs]) for what in ("total", "matrix"))
    said = np.sqrt(np.mean([run.standard_error**2 for run in runs]))
    assert (
        0.65 < totals.std() / said < 1.25
    )  # 9 % is the chance of 60 runs; too large by up to a third is allowed
    said = np.sqrt(np.mean([run.pair_error**2 for run in runs], axis=0))
    assert 0.65 < np.sqrt(np.mean((matrices.std(0) / said) ** 2)) < 1.25


def test_an_error_exists_however_large_the_second_order():
    for gain in (1.0, 1.5, 2.2):
        assert _error(0.0, 1.0, gain) >= 0
        assert _error(1.0, 0.0, gain) == _error(1.0, 0.0, 2.0)


def test_errors_know_that_pairs_share_their_draws():
    """Ten copies of an output: the total's error is ten times one pair's, not the root of ten."""
    question = ask(lambda x: np.repeat(sum_of_two(x), 10, axis=1), 2, 10)
    found = sample_parts(question, samples=20_000)
    one = sample_parts(ask(sum_of_two, 2, 1), samples=20_000)
    assert found.total == pytest.approx(10 * one.total)
    assert found.standard_error == pytest.approx(10 * one.standard_error, rel=0.15)


def test_sensitivity_errors_are_calibrated():
    runs = [sample_sensitivity(SIGMOID, samples=1000, seed=seed) for seed in range(50)]
    said = np.sqrt(np.mean([run.standard_error**2 for run in runs]))
    assert 0.65 < np.std([run.total for run in runs]) / said < 1.35


def test_extrapolation_is_the_fit_of_the_definition():
    samples, question = 4000, SIGMOID
    found = sample_parts(question, samples=samples, extrapolate=True, estimator="miller-madow", seed=1)
    _, numbers, y = draws_of(question, samples, 1)
    points = []
    for cuts in (1, 2, 4, 8):
        size = samples // cuts
        parts = [slice(k * size, (k + 1) * size) for k in range(cuts)]
        tables = [naive_table(numbers[p, 2], y[p, 1], question, 1) for p in parts]
        points.append((1 / size, np.mean(mutual_information(tables, "plugin"))))
    fit = np.polynomial.Polynomial.fit(*np.transpose(points), 2).convert()
    assert found.matrix[2, 1] == pytest.approx(fit.coef[0], rel=1e-6)


def test_extrapolation_removes_most_of_the_plug_in_bias():
    question = ask(lambda x: x[:, 3:], 4, 1)
    plain = sample_parts(question, samples=8000, estimator="plugin")
    found = sample_parts(question, samples=8000, extrapolate=True)
    assert plain.matrix[:3].mean() > 0.015
    assert abs(found.matrix[:3].mean()) < 0.004
    assert (found.pair_error[:3] > plain.pair_error[:3]).all()


def test_same_seed_same_result_on_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(_pair_tiles, "_TILE_STEPS", 2**14)  # many tiles
    monkeypatch.setattr(intervention, "_BLOCK_VALUES", 2**10)
    before = numba.get_num_threads()
    runs = []
    try:
        for threads in (1, min(2, before), before):
            numba.set_num_threads(threads)
            runs.append([f(SIGMOID, samples=5000, seed=9) for f in (sample_parts, sample_sensitivity)])
    finally:
        numba.set_num_threads(before)
    for run in runs[1:]:
        for one, other in zip(runs[0], run, strict=True):
            np.testing.assert_array_equal(one.matrix, other.matrix)
            np.testing.assert_array_equal(one.pair_error, other.pair_error)
            assert (one.total, one.standard_error) == (other.total, other.standard_error)


def test_two_may_run_at_once():
    """The explorer computes in a thread of its own, while the notebook may compute too."""
    alone = sample_parts(SIGMOID, samples=20_000).total
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda _: sample_parts(SIGMOID, samples=20_000).total, range(3)))
    assert together == [alone] * 3


def test_results_do_not_depend_on_the_rows_given_at_a_time():
    sizes = set()

    def run(x):
        sizes.add(len(x))
        return sum_of_two(x)

    runs = [sample_parts(ask(run, 2, 1), samples=5000, chunk=chunk) for chunk in (None, 7, 100_000)]
    assert 7 in sizes
    assert max(sizes) > 1000
    for other in runs[1:]:
        np.testing.assert_array_equal(runs[0].matrix, other.matrix)


def test_other_seeds_draw_otherwise_and_shared_generators_are_not_touched():
    np.random.seed(0)
    torch.manual_seed(0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    totals = {
        f(SIGMOID, samples=200, seed=s).total for f in (sample_parts, sample_sensitivity) for s in (0, 1)
    }
    assert len(totals) == 4
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


def test_observed_range_is_that_of_the_draws():
    question = ask(lambda x: x @ WEIGHTS.T, 5, 4)
    low, high = observed_range(question, 5000, 3)
    _, _, y = draws_of(question, 5000, 3)
    np.testing.assert_array_equal(low, y.min(0))
    np.testing.assert_array_equal(high, y.max(0))
    assert sample_parts(replace(question, low=low, high=high), samples=5000, seed=3).outside == 0
    assert sample_parts(replace(question, low=low, high=high), samples=5000, seed=4).outside > 0


def test_draws_until_the_error_is_small_and_keeps_the_draws():
    found = sample_parts(SIGMOID, threshold=0.005)
    assert found.samples > 10_000
    assert not found.stopped_early
    assert found.standard_error <= 0.005 * found.total
    again = sample_parts(SIGMOID, samples=found.samples)
    np.testing.assert_array_equal(found.matrix, again.matrix)


def test_plugin_goes_on_until_its_bias_is_small():
    """The standard error alone would have stopped it at the first round."""
    question = ask(lambda x: x, 3, 3, in_bins=64, bins=np.full(3, 64), low=np.zeros(3))
    noisy = replace(question, run=lambda x: 0.2 * x + 0.8 * x[:, [1, 2, 0]])
    first = sample_parts(noisy, samples=10_000, estimator="plugin")
    assert first.standard_error < 0.02 * first.total
    found = sample_parts(noisy, threshold=0.02, estimator="plugin")
    assert found.samples > 10_000
    assert found.total == pytest.approx(sample_parts(noisy, samples=200_000).total, rel=0.04)


def test_says_so_when_no_more_draws_are_allowed(monkeypatch):
    monkeypatch.setattr("nbwidgets_nn.kernels.sampled_information._MOST_SAMPLES", 20_000)
    found = sample_parts(SIGMOID, threshold=1e-9)
    assert found.stopped_early
    assert found.samples == 20_000
    assert not sample_parts(SIGMOID, samples=100, threshold=1e-9).stopped_early


@pytest.mark.parametrize("quantity", [sample_parts, sample_sensitivity])
@pytest.mark.parametrize("stop_at", [0, 1, 5, 9])
def test_an_interrupt_leaves_nothing_behind(quantity, stop_at, monkeypatch):
    monkeypatch.setattr(_pair_tiles, "_TILE_STEPS", 2**13)
    before = threading.active_count()

    def stop(done, total):
        assert total > 9
        if done == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantity(SIGMOID, samples=3000, progress=stop)
    assert threading.active_count() == before
    assert quantity(SIGMOID, samples=500, seed=1).total == quantity(SIGMOID, samples=500, seed=1).total


@pytest.mark.parametrize("quantity", [sample_parts, sample_sensitivity])
def test_progress_reaches_its_end(quantity, monkeypatch):
    monkeypatch.setattr(_pair_tiles, "_TILE_STEPS", 2**16)
    monkeypatch.setattr(intervention, "_BLOCK_VALUES", 2**12)
    for options in ({"samples": 3000}, {"samples": 1700, "extrapolate": True}):
        seen = []
        quantity(SIGMOID, **options, progress=lambda done, total, seen=seen: seen.append((done, total)))
        assert seen == [(done, seen[0][1]) for done in range(seen[0][1] + 1)]
    rounds = []
    sample_parts(SIGMOID, threshold=0.1, progress=lambda done, total: rounds.append((done, total)))
    assert all(total > 1 for _, total in rounds)
    assert sum(done == 0 for done, _ in rounds) == sum(done == total for done, total in rounds) >= 2


def test_the_function_may_change_its_argument():
    def run(x):
        x *= 0.5
        return x

    kept = ask(lambda x: x * 0.5, 2, 2)
    for quantity in (sample_parts, sample_sensitivity):
        expected = quantity(kept, samples=500).matrix
        np.testing.assert_array_equal(quantity(replace(kept, run=run), samples=500).matrix, expected)


def test_values_outside():
    question = ask(lambda x: np.stack([4 * x[:, 0] - 1, x[:, 0] + 7], axis=1), 1, 2)
    dropped = sample_parts(replace(question, outside="drop"), samples=40_000)
    assert dropped.matrix[0, 0] == pytest.approx(
        2, abs=0.01
    )  # the inner 4 of 16 input bins, 4 output bins each
    assert dropped.matrix[0, 1] == 0
    assert dropped.pair_error[0, 1] == 0
    clipped = sample_parts(question, samples=40_000)
    # A quarter of the inputs below, half above, 16 bins between; 4 output bins to each of the inner 4 input bins.
    shares = np.array([1 / 4 + 1 / 64, *[1 / 64] * 14, 1 / 2 + 1 / 64])
    truth = -(shares * np.log2(shares)).sum() - 2 / 4
    assert clipped.matrix[0, 0] == pytest.approx(truth, abs=0.02)
    assert clipped.matrix[0, 1] == 0
    assert dropped.outside == clipped.outside == pytest.approx((0.75 + 1) / 2, abs=0.01)


def test_edges_are_those_of_linspace():
    """Every edge belongs to the bin above it, the last one to the last bin, however the range divides."""
    for low, high, bins in [(-0.3, 0.9, 4), (0, 1, 49), (-10, 10, 64), (0.1, 0.3, 7), (1e9, 1e9 + 1, 10)]:
        edges = np.linspace(low, high, bins + 1)
        values = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)])
        question = ask(None, 1, 1, low=[low], high=[high], bins=[bins])
        columns = np.zeros((1, len(values)), np.uint8)
        bounds = question.low, question.high, question.bins
        outside, missing = _pair_draws.bin_values(values[:, None], *bounds, False, columns, 0)
        expected = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
        np.testing.assert_array_equal(columns[0], expected)
        assert (outside[0], missing[0]) == (2, 0)


def test_one_draw_and_few_draws_give_finite_numbers():
    for samples in (1, 2, 9):
        for estimator in ESTIMATORS:
            found = sample_parts(SIGMOID, samples=samples, estimator=estimator)
            assert np.isfinite(found.matrix).all()
            assert np.isfinite(found.pair_error).all()
    assert sample_parts(SIGMOID, samples=1).total == 0


@pytest.mark.parametrize("quantity", [sample_parts, sample_sensitivity, observed_range])
def test_NaN_names_the_outputs(quantity):
    def run(x):
        y = sigmoid_layer(x)
        y[3:, 1] = y[5, 3] = np.nan
        return y

    question = replace(SIGMOID, run=run)
    arguments = (100, 0) if quantity is observed_range else ()
    options = {} if arguments else {"samples": 100}
    with pytest.raises(ValueError, match=r"output: expected numbers .* got NaN from 1, 3.*weights"):
        quantity(question, *arguments, **options)


@pytest.mark.parametrize("quantity", [sample_parts, sample_sensitivity])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": 0}, "samples: expected a whole number from 1, got 0"),
        ({"samples": 10.5}, "samples: expected a whole number"),
        ({"samples": 7, "extrapolate": True}, "samples: expected a whole number from 8, got 7"),
        ({"threshold": 0}, "threshold: expected a share above 0, got 0"),
        ({"threshold": np.nan}, "threshold"),
        ({"estimator": "naive"}, "estimator: expected one of adjusted"),
        ({"seed": -1}, "seed: expected a whole number from 0, got -1"),
        ({"chunk": 0}, "chunk: expected a whole number from 1"),
    ],
)
def test_bad_options(quantity, change, message):
    with pytest.raises(ValueError, match=message):
        quantity(SIGMOID, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": np.zeros(3)}, r"low: expected shape \(4,\), one an output, got \(3,\)"),
        ({"in_range": (0, np.inf)}, r"in_range: expected finite \(low, high\), low < high, got \(0, inf\)"),
        ({"in_range": (1, 0)}, "in_range"),
        ({"high": np.array([1, 1, -1, 1])}, r"out_range: .* got \(0, -1\)"),
        ({"in_bins": 0}, "bins: expected at least 1 bin, got in_bins=0"),
        ({"bins": np.full(4, 70_000)}, "bins: expected at most 65,536 bins"),
        ({"in_bins": 5000, "bins": np.full(4, 5000)}, "16,777,216 cells in a table"),
        ({"outside": "ignore"}, 'outside: expected "clip" or "drop"'),
    ],
)
def test_bad_questions(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SIGMOID, **change)


def test_wrong_shape_of_the_output():
    with pytest.raises(ValueError, match=r"run: expected outputs of shape \(100, 4\), got shape \(100,\)"):
        sample_parts(replace(SIGMOID, run=lambda x: x[:, 0]), samples=100)
