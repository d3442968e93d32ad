"""Trees and labels of units: against the seed's way in SciPy, by properties, at every size of path."""

import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import fcluster, is_valid_linkage, leaves_list, linkage
from scipy.spatial.distance import squareform
from unit_cases import CASES, KINDS, as_float64, same_partition

from nbwidgets_nn import cluster_units, correlate, create_correlation_clusters
from nbwidgets_nn.kernels import clustering
from nbwidgets_nn.kernels.clustering import METHODS
from nbwidgets_nn.results import Dendrogram

WIDE = {k: CASES[k] for k in ("few units", "fewer samples than units", "single precision", "far from zero")}
wide = pytest.mark.parametrize("x", WIDE.values(), ids=WIDE)
methods = pytest.mark.parametrize("method", METHODS)
both_signs = pytest.mark.parametrize("use_abs", [True, False], ids=["abs", "signed"])


@pytest.fixture(params=["SciPy", "compiled"])
def path(request, monkeypatch):
    """Take small layers down the path of large ones too, in strips that do not divide them."""
    if request.param == "compiled":
        monkeypatch.setattr(clustering, "_COMPILED_FROM", 2)
        monkeypatch.setattr(clustering, "_STRIP", 7)
        monkeypatch.setattr(clustering, "_COLUMNS", 5)


def seeds_tree(x, use_abs, method):
    r = np.corrcoef(x.astype(np.float64), rowvar=False)
    r = (r + r.T) / 2
    np.fill_diagonal(r, 1)
    return linkage(squareform(1 - np.abs(r) if use_abs else 1 - r, checks=False), method)


@wide
@methods
@both_signs
@pytest.mark.usefixtures("path")
def test_heights_and_partitions_are_those_of_the_seeds_way(x, method, use_abs):
    expected = seeds_tree(x, use_abs, method)
    tree = cluster_units(x, use_abs_correlation=use_abs, method=method)
    np.testing.assert_allclose(tree.linkage[:, 2], expected[:, 2], rtol=0, atol=1e-5)
    for threshold in (0.05, 0.2, 0.5, 0.9, 1):
        assert same_partition(tree.labels(threshold), fcluster(expected, threshold, "distance"))


@wide
@methods
@pytest.mark.usefixtures("path")
def test_a_correlation_gives_the_tree_of_its_data(x, method):
    correlation = correlate(x)
    before = correlation.matrix.copy()
    from_matrix, from_data = cluster_units(correlation, method=method), cluster_units(x, method=method)
    np.testing.assert_allclose(from_matrix.linkage[:, 2], from_data.linkage[:, 2], rtol=0, atol=2e-6)
    assert same_partition(from_matrix.labels(0.4), from_data.labels(0.4))
    np.testing.assert_array_equal(correlation.matrix, before)
    assert from_matrix.samples == from_data.samples == len(x)


@wide
@pytest.mark.parametrize("method", METHODS[:4])
@pytest.mark.usefixtures("path")
def test_the_tree_is_laid_out_without_crossing_branches(x, method):
    tree = cluster_units(x, method=method)
    assert is_valid_linkage(tree.linkage)
    np.testing.assert_array_equal(leaves_list(tree.linkage), np.arange(tree.leaves))
    np.testing.assert_array_equal(np.sort(tree.order), np.arange(x.shape[1]))
    spans = {leaf: (leaf, leaf) for leaf in range(tree.leaves)}
    for row, (left, right) in enumerate(tree.linkage[:, :2].astype(int)):
        assert spans[left][1] + 1 == spans[right][0]
        spans[tree.leaves + row] = (spans[left][0], spans[right][1])


@pytest.mark.parametrize("threshold", [0, 0.3, 0.7, 1])
def test_labels_count_from_the_left(threshold):
    tree = cluster_units(CASES["fewer samples than units"])
    shown = tree.labels(threshold)[tree.order]
    assert shown[0] == 1
    assert set(np.diff(shown)) <= {0, 1}
    assert tree.clusters(threshold) == shown[-1]


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("method", METHODS[:4])
def test_constant_units_stand_outside(method):
    x = CASES["few units"].copy()
    others = cluster_units(x[:, [0, 2, 3, 4, 6]], method=method)
    x[:, 1], x[:, 5] = 0, 0.1
    tree = cluster_units(x, method=method)
    np.testing.assert_array_equal(tree.constant, [1, 5])
    np.testing.assert_array_equal(tree.order[-2:], [1, 5])
    np.testing.assert_allclose(tree.linkage, others.linkage, atol=1e-6)
    labels = tree.labels(0.5)
    np.testing.assert_array_equal(np.flatnonzero(labels == 0), [1, 5])
    assert same_partition(np.delete(labels, [1, 5]), others.labels(0.5))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("method", METHODS)
def test_no_unit_or_one_unit_varies(method):
    none, one = np.ones((4, 3)), np.eye(4)[:, :1] * [[1, 0, 0]]
    assert cluster_units(none, method=method).linkage.shape == (0, 4)
    np.testing.assert_array_equal(cluster_units(none, method=method).labels(0.5), [0, 0, 0])
    assert cluster_units(none, method=method).clusters(0.5) == 0
    np.testing.assert_array_equal(cluster_units(one, method=method).labels(0.5), [1, 0, 0])
    np.testing.assert_array_equal(cluster_units(correlate(one), method=method).labels(0.5), [1, 0, 0])


@both_signs
@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("method", METHODS[:4])
def test_identical_units_merge_at_zero_and_opposite_ones_only_with_abs(method, use_abs):
    x = np.random.default_rng(0).normal(size=(1000, 6)).astype(np.float32)
    x = np.concatenate([x, x, -x], axis=1)
    tree = cluster_units(x, use_abs_correlation=use_abs, method=method)
    assert tree.clusters(0) == (6 if use_abs else 12)
    assert tree.clusters(2 - use_abs) == 1


def test_complete_linkage_keeps_its_promise():
    x = CASES["fewer samples than units"]
    r = np.abs(correlate(x).matrix)
    labels = create_correlation_clusters(x, clustering_threshold=0.6, method="complete")
    assert r[labels[:, None] == labels].min() >= 1 - 0.6


def test_permuting_units_permutes_the_labels():
    x = CASES["fewer samples than units"]
    order = np.random.default_rng(0).permutation(x.shape[1])
    assert same_partition(create_correlation_clusters(x[:, order]), create_correlation_clusters(x)[order])


def test_scale_sign_and_offset_do_not_change_the_partition():
    x = CASES["few units"]
    changed = x * [1, -1, 1e6, -1e-6, 3, 2, 1] + np.arange(7)
    assert same_partition(create_correlation_clusters(changed), create_correlation_clusters(x))


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_labels_come_back_as_the_input_came(make):
    given = make(CASES["few units"])
    before = as_float64(given).copy()
    labels = create_correlation_clusters(given)
    assert torch.is_tensor(labels) == torch.is_tensor(given)
    assert labels.dtype == (torch.int64 if torch.is_tensor(given) else np.int64)
    assert same_partition(labels, create_correlation_clusters(CASES["few units"]))
    np.testing.assert_array_equal(as_float64(given), before)


@pytest.mark.parametrize("method", ["average", "complete", "single"])
def test_thousands_of_units_take_the_compiled_path(method, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 300))[:, rng.integers(0, 300, 3100)] + 0.3 * rng.normal(size=(60, 3100))
    x[:, 100] = 2
    expected = cluster_units(correlate(x[:, np.arange(3100) != 100]), method=method).labels(0.45)
    monkeypatch.setattr(clustering, "scipy_linkage", None)
    tree = cluster_units(x.astype(np.float32), method=method)
    assert same_partition(np.delete(tree.labels(0.45), 100), expected)


def test_single_linkage_never_forms_the_matrix(monkeypatch):
    monkeypatch.setattr(clustering, "correlation_matrix", None)
    monkeypatch.setattr(clustering, "_COMPILED_FROM", 2)
    x = CASES["few units"]
    assert cluster_units(x, method="single").linkage.shape == (6, 4)


def test_a_chain_of_fifty_thousand_leaves_is_no_recursion():
    units = 50_000
    tree = np.column_stack(
        [
            np.arange(1, units),
            np.r_[0, np.arange(units, 2 * units - 2)],
            np.linspace(0.1, 0.9, units - 1),
            np.arange(2, units + 1),
        ]
    )
    laid_out = clustering._laid_out(tree, np.arange(units), np.zeros(0, int), "single", True, 10)
    assert isinstance(laid_out, Dendrogram)
    assert laid_out.clusters(0.5) == units - np.searchsorted(tree[:, 2], 0.5, "right")


def test_prints_what_it_is():
    x = np.c_[CASES["few units"], np.zeros(50)]
    assert str(cluster_units(x)) == (
        "tree of 7 units and 1 constant outside it, average linkage of 1 - |r|, 50 samples"
    )
