"""Bad input to the kernels: the argument as typed, what was expected, what came, what to try."""

import numpy as np
import pytest
import torch

import nbwidgets_nn as nw

ON_UNITS = {
    "correlate": nw.correlate,
    "cluster_units": nw.cluster_units,
    "create_correlation_clusters": nw.create_correlation_clusters,
    "extract_independent_neurons": nw.extract_independent_neurons,
    "scikit_extract_independent_neurons": nw.scikit_extract_independent_neurons,
    "measure_units": nw.measure_units,
    "linear_cka": lambda X: nw.linear_cka(X, np.eye(3)),
}
FINITE_ONLY = {name: kernel for name, kernel in ON_UNITS.items() if name != "correlate"}
every = pytest.mark.parametrize("kernel", ON_UNITS.values(), ids=ON_UNITS)

WRONG = {
    "one dimension": (
        np.ones(5),
        ValueError,
        r"X: expected 2 dimensions \(samples, units\), got 1: shape \(5,\). Try",
    ),
    "convolution": (
        torch.ones(2, 3, 4, 4),
        ValueError,
        r"X: expected 2 dimensions .* got 4: .* rec\[name\].matrix\(\)",
    ),
    "no samples": (np.ones((0, 5)), ValueError, r"X: expected at least 2 samples \(rows\), got 0"),
    "one sample": (
        torch.ones(1, 5),
        ValueError,
        r"X: expected at least 2 samples .* got 1: .* record more inputs",
    ),
    "no units": (np.ones((5, 0)), ValueError, r"X: expected at least 1 unit \(column\), got none"),
    "complex array": (np.ones((5, 2)) * 1j, TypeError, r"X: expected real numbers, got complex .* X.real"),
    "complex tensor": (
        torch.ones(5, 2) * 1j,
        TypeError,
        r"X: expected real numbers, got complex .* X.abs\(\)",
    ),
    "strings": (
        np.array([["a", "b"]]),
        TypeError,
        "X: expected a tensor or an array of numbers, got dtype <U1",
    ),
    "ragged": ([[1, 2], [3]], TypeError, "X: expected a tensor or an array, got something NumPy cannot read"),
    "None": (None, TypeError, r"X: expected .* got dtype object \(NoneType\)"),
    "sparse": (torch.eye(3).to_sparse(), TypeError, r"X: expected a dense tensor, .* X.to_dense\(\)"),
    "meta": (torch.ones(3, 2, device="meta"), TypeError, "X: expected a tensor with values"),
    "masked": (np.ma.masked_equal(np.eye(3), 0), TypeError, "X: expected an array without a mask"),
}


@every
@pytest.mark.parametrize(("X", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_matrices(kernel, X, error, message):
    with pytest.raises(error, match=message):
        kernel(X)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kernel", FINITE_ONLY.values(), ids=FINITE_ONLY)
def test_not_finite_samples_are_named_by_unit(kernel, bad):
    X = np.random.default_rng(0).normal(size=(3, 12))
    X[1, 2:9] = bad
    with pytest.raises(
        ValueError, match=r"X: expected finite .* in unit 2, 3, 4, 5, 6 and 2 more. Try: leave these"
    ):
        kernel(X)


def test_not_finite_units_of_a_correlation_are_named():
    X = np.eye(4)
    X[0, 3] = np.nan
    with pytest.raises(ValueError, match=r"correlation_or_X: expected finite samples .* unit 3"):
        nw.cluster_units(nw.correlate(X))


def test_single_linkage_of_many_units_refuses_them_too():
    X = np.random.default_rng(0).normal(size=(3, 3000))
    X[1, 2999] = np.nan
    with pytest.raises(ValueError, match=r"X: expected finite .* unit 2999"):
        nw.cluster_units(X, method="single")


@pytest.mark.parametrize(
    ("m", "error", "message"),
    [
        (np.ones((2, 3, 4)), ValueError, r"m: expected 1 or 2 dimensions, got 3: shape \(2, 3, 4\)"),
        (torch.tensor(1.0), ValueError, r"m: expected 1 or 2 dimensions, got 0"),
        (np.ones((5, 1)), ValueError, r"m: expected at least 2 samples, got 1 .* or rowvar=False"),
        (np.ones((0, 5)), ValueError, "m: expected at least 1 unit"),
        (np.ones(0), ValueError, "m: expected at least 2 samples, got 0"),
        (np.ones((2, 2)) * 1j, TypeError, "m: expected real numbers, got complex"),
    ],
)
def test_wrong_input_of_corrcoef(m, error, message):
    with pytest.raises(error, match=message):
        nw.corrcoef(m)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, np.nan])
@pytest.mark.parametrize("name", ["create_correlation_clusters", "extract_independent_neurons"])
def test_thresholds_outside_their_range(name, threshold):
    with pytest.raises(
        ValueError, match=r"clustering_threshold: expected a distance 1 - \|r\| in \[0, 1\], got"
    ):
        ON_UNITS[name](np.eye(4), clustering_threshold=threshold)


def test_the_signed_distance_goes_up_to_two():
    nw.create_correlation_clusters(np.eye(4), False, 1.9)
    with pytest.raises(
        ValueError, match=r"clustering_threshold: expected a distance 1 - r in \[0, 2\], got 2.1"
    ):
        nw.create_correlation_clusters(np.eye(4), False, 2.1)
    with pytest.raises(ValueError, match=r"threshold: expected a distance 1 - \|r\| in \[0, 1\], got 1.9"):
        nw.cluster_units(np.eye(4)).labels(1.9)


@pytest.mark.parametrize(
    "name", ["cluster_units", "create_correlation_clusters", "extract_independent_neurons"]
)
def test_unknown_methods(name):
    with pytest.raises(ValueError, match=r"method: expected one of average, complete, .* got 'nearest'"):
        ON_UNITS[name](np.eye(4), method="nearest")


def test_unknown_picks():
    with pytest.raises(ValueError, match="pick: expected 'medoid' or 'random', got 'best'"):
        nw.extract_independent_neurons(np.eye(4), pick="best")
