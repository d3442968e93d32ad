"""Entropy and mutual information of counts: against definitions, known values and known biases."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import exp1

from nbwidgets_nn import MI
from nbwidgets_nn.kernels.information import (
    ESTIMATORS,
    cell_terms,
    entropy_from_counts,
    mutual_information,
    plugin_bias,
)


def grassberger_g(largest):
    """G(0..largest) by Grassberger's recurrence."""
    g = np.zeros(largest + 2)
    g[1] = -np.euler_gamma - np.log(2)
    g[2:4] = 2 + g[1]
    for k in range(1, largest // 2):
        g[2 * k + 2 : 2 * k + 4] = g[2 * k] + 2 / (2 * k + 1)
    return g[: largest + 1]


def naive_entropy(counts, estimator):
    """Nats, one outcome after the other."""
    counts = [int(n) for n in np.ravel(counts) if n]
    draws = sum(counts)
    if estimator == "grassberger":
        g = grassberger_g(max(counts) + 4)
        return np.log(draws) - sum(n * g[n] for n in counts) / draws
    plain = -sum(n / draws * np.log(n / draws) for n in counts)
    return plain + ((len(counts) - 1) / (2 * draws) if estimator == "miller-madow" else 0)


def naive_information(table, estimator):
    """Bits, from the three entropies, or cell by cell for "adjusted"."""
    if estimator == "adjusted":
        return naive_adjusted(table, naive_adjusted(table, 0.0)) / np.log(2)
    entropies = [naive_entropy(part, estimator) for part in (table.sum(1), table.sum(0), table)]
    return (entropies[0] + entropies[1] - entropies[2]) / np.log(2)


def naive_adjusted(table, nats):
    """Grassberger's terms less their mean in cells of independent rows and columns, exp(nats) times as full."""
    g, draws, total = grassberger_g(table.max() + 4), table.sum(), 0.0
    for row, counts in zip(table.sum(1), table, strict=True):
        for column, n in zip(table.sum(0), counts, strict=True):
            e, share = row * column / draws, (row + column - row * column / draws) / draws
            if e > 0:
                full = e * np.exp(nats)
                total += n * g[n] - e * np.log(e) - e * exp1(2 * full)
                total += share / 2 * (1 - (1 - 2 * full) * np.exp(-2 * full))
    return total / draws


def tables(seed=0, shape=(5, 7, 4)):
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.exponential(3, shape))


def independent_table(draws, bins, seed):
    rng = np.random.default_rng(seed)
    return np.bincount(rng.integers(0, bins**2, draws), minlength=bins**2).reshape(bins, bins)


def test_grassbergers_terms_are_his_recurrence():
    n = np.arange(2001)
    np.testing.assert_allclose(cell_terms(n, "grassberger"), n * grassberger_g(2000), rtol=1e-12)


@pytest.mark.parametrize("estimator", ["grassberger", "miller-madow", "plugin"])
def test_entropy_is_the_definition(estimator):
    counts = tables()[0].ravel()
    expected = naive_entropy(counts, estimator) / np.log(2)
    assert entropy_from_counts(counts, estimator) == pytest.approx(expected, rel=1e-12)
    if estimator == "plugin":
        assert expected == pytest.approx(stats.entropy(counts, base=2))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_information_is_the_definition(estimator):
    batch = tables()
    found = mutual_information(batch, estimator)
    assert found.shape == (5,)
    np.testing.assert_allclose(found, [naive_information(t, estimator) for t in batch], rtol=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_information_is_symmetric_and_ignores_the_order_of_bins(estimator):
    table = tables()[1]
    found = mutual_information(table, estimator)
    assert mutual_information(table.T, estimator) == pytest.approx(found)
    assert mutual_information(table[[3, 1, 0, 2, 6, 5, 4]][:, ::-1], estimator) == pytest.approx(found)
    with_empty_bins = np.pad(table, ((2, 0), (0, 3)))
    assert mutual_information(with_empty_bins, estimator) == pytest.approx(found)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(
    "table", [[[0, 0], [0, 0]], [[5, 0], [0, 0]], [[5, 2], [0, 0]], [[5, 0], [3, 0]], [[1]]]
)
def test_a_constant_or_nothing_holds_exactly_no_information(estimator, table):
    assert mutual_information(table, estimator) == 0


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_entropy_of_one_outcome_is_zero_and_of_nothing_nan(estimator):
    assert entropy_from_counts([0, 7, 0], estimator) == 0
    assert np.isnan(entropy_from_counts([0, 0], estimator))
    by_row = entropy_from_counts([[1, 1], [2, 0], [0, 0]], estimator, axis=1)
    assert by_row.shape == (3,)
    assert by_row[0] > 0
    assert by_row[1] == 0
    assert np.isnan(by_row[2])


def test_information_of_many_draws_is_that_of_the_probabilities():
    shares = np.array([[0.2, 0.1], [0.05, 0.65]])
    exact = sum(
        shares[i, j] * np.log2(shares[i, j] / shares[i].sum() / shares[:, j].sum())
        for i in (0, 1)
        for j in (0, 1)
    )
    counts = (shares * 10**8).round().astype(int)
    for estimator in ESTIMATORS:
        assert mutual_information(counts, estimator) == pytest.approx(exact, abs=1e-6)


def test_bias_on_independent_variables():
    """At five draws a cell the plain histogram is far off, and Grassberger's estimate is right."""
    batch = np.array([independent_table(1280, 16, seed) for seed in range(60)])
    mean = {name: mutual_information(batch, name).mean() for name in ESTIMATORS}
    error = mutual_information(batch, "grassberger").std() / 60**0.5
    assert mean["plugin"] == pytest.approx(plugin_bias(batch).mean(), rel=0.15)
    assert mean["plugin"] > 40 * error
    assert abs(mean["grassberger"]) < 4 * error
    assert abs(mean["adjusted"]) < 4 * error


def test_the_adjustment_is_the_mean_of_tables_with_the_same_sums():
    """By shuffling: no model of counts, only that rows and columns are independent."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 8, 60), rng.binomial(9, 0.3, 60)
    shuffled = [np.zeros((8, 10), int) for _ in range(3000)]
    for table in shuffled:
        np.add.at(table, (x, rng.permutation(y)), 1)
    by_chance = mutual_information(shuffled, "grassberger")
    table = np.zeros((8, 10), int)
    np.add.at(table, (x, y), 1)
    adjusted = naive_adjusted(table, 0.0) / np.log(2)
    expected = mutual_information(table, "grassberger") - by_chance.mean()
    assert adjusted == pytest.approx(expected, abs=0.01)
    assert by_chance.mean() > 0.04


@pytest.mark.parametrize("draws", [300, 1000, 4000])
def test_adjusted_is_right_where_cells_are_nearly_empty(draws):
    """Of independent variables it is unbiased at any number of draws, where Grassberger's estimate is far off."""
    batch = np.array([independent_table(draws, 64, seed) for seed in range(16)])
    grassberger, found = (mutual_information(batch, name) for name in ("grassberger", "adjusted"))
    assert grassberger.mean() > 0.04
    assert abs(found.mean()) < 4 * found.std() / 4
    identity = np.diag(np.random.default_rng(0).multinomial(draws, np.full(64, 1 / 64)))
    assert mutual_information(identity, "adjusted") == pytest.approx(6, abs=60 / draws)


def test_known_values_of_MI():
    x, y = (0.3, 0.2, 0.4, 0.7), (0.6, 0.7, 0.2, 0.3)
    assert MI(x, y, bins=2) == pytest.approx(0.31127812445913294, rel=1e-12)
    grid = (np.arange(3200) + 0.5) / 3200
    assert MI(grid, grid) == pytest.approx(5)  # 32 bins by default
    assert MI(grid, grid, bins=(32, 8)) == pytest.approx(3)
    assert MI(grid, 5 - grid, bins=16, range=((0, 1), (4, 5))) == pytest.approx(4, abs=0.01)


def test_the_upper_end_belongs_to_the_last_bin_and_inner_edges_to_the_upper_one():
    assert MI([0, 1], [0, 1], bins=2) == 1
    assert MI([0.5, 1], [0, 1], bins=2) == 0
    assert MI([0.4, 0.5], [0, 1], bins=2) == 1


def test_values_outside_are_dropped_or_clipped():
    x, y = [0.1, 0.9, 1.5, -3.0], [0.1, 0.9, 0.1, 0.9]
    assert MI(x, y, bins=2) == pytest.approx(1)
    assert MI(x, y, bins=2, outside="clip") == pytest.approx(0, abs=1e-12)
    assert MI([5.0, 6.0], [0.1, 0.9]) == 0
    assert MI([np.inf, -np.inf], [0, 1], bins=2, outside="clip") == 1


@pytest.mark.parametrize("kind", [list, np.float32, torch.float16, torch.float64])
def test_MI_takes_tensors_and_arrays_and_changes_nothing(kind):
    values = (np.arange(64) % 8) / 8, (np.arange(64) % 16) / 16
    if kind is list:
        x, y = (v.tolist() for v in values)
    elif isinstance(kind, torch.dtype):
        x, y = (torch.tensor(v, dtype=kind, requires_grad=True).reshape(8, 8) for v in values)
    else:
        x, y = (v.astype(kind) for v in values)
    assert MI(x, y, bins=8) == pytest.approx(2)
    np.testing.assert_array_equal(torch.as_tensor(x).detach().double().numpy().ravel(), values[0])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": [0.1]}, ValueError, "y: expected as many values as x, 2, got 1"),
        ({"x": [0.1, np.nan]}, ValueError, "x: expected numbers, got 1 NaN"),
        ({"x": [], "y": []}, ValueError, "x: expected at least 1 value, got none"),
        ({"x": ["a", "b"]}, TypeError, "x: expected a tensor or an array of numbers"),
        ({"bins": 0}, ValueError, "bins: expected a number of bins from 1"),
        ({"bins": 2.5}, ValueError, "bins: expected a number of bins from 1"),
        ({"bins": (2, 3, 4)}, ValueError, r"bins=32 or bins=\(32, 16\)"),
        ({"range": (0, 1)}, ValueError, r"range: expected \(\(low, high\) of x"),
        ({"range": ((0, 1), (1, 0))}, ValueError, "low < high"),
        ({"range": ((0, 1), (0, np.inf))}, ValueError, "finite"),
        ({"range": "dynamic"}, ValueError, "got 'dynamic'"),
        ({"estimator": "best"}, ValueError, "estimator: expected one of adjusted, grassberger"),
        ({"outside": "wrap"}, ValueError, 'outside: expected "drop" or "clip"'),
    ],
)
def test_bad_input_of_MI(change, error, message):
    with pytest.raises(error, match=message):
        MI(**{"x": [0.1, 0.2], "y": [0.1, 0.2], **change})


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([[0.5, 1]], "counts: expected whole numbers, got fractions"),
        ([[np.nan, 1]], "fractions, NaN or inf"),
        ([[-1, 1]], "counts: expected numbers from 0, got -1"),
        ([1, 2], r"counts: expected tables \(..., rows, columns\), got shape \(2,\)"),
    ],
)
def test_bad_counts(counts, message):
    with pytest.raises(ValueError, match=message):
        mutual_information(counts)


def test_loads_without_numba():
    code = (
        "import sys, nbwidgets_nn.kernels.information, nbwidgets_nn.kernels.sampled_information;"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
