"""The compiled trees are SciPy's."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, is_valid_linkage, linkage
from scipy.spatial.distance import squareform
from unit_cases import same_partition

from nbwidgets_nn.kernels import _linkage


def random_distances(units, seed, levels=None):
    """Symmetric distances; with `levels` only so many different ones, so that nearly all tie."""
    rng = np.random.default_rng(seed)
    condensed = rng.random(units * (units - 1) // 2)
    if levels:
        condensed = np.ceil(condensed * levels) / levels
    return squareform(condensed).astype(np.float32)


def compiled(distances, method, strip=7):
    if method != "single":
        return _linkage.chain_linkage(distances.copy(), method)
    tree = _linkage.SingleLinkage(len(distances))
    for start in range(0, len(distances), strip):
        tree.add_rows(distances[start : start + strip])
    return tree.linkage()


@pytest.mark.parametrize("method", ["average", "complete", "weighted", "single"])
@pytest.mark.parametrize("units", [2, 3, 4, 17, 100, 333])
def test_is_scipys_tree(method, units):
    for seed in range(5):
        distances = random_distances(units, seed)
        expected = linkage(squareform(distances, checks=False).astype(float), method)
        tree = compiled(distances, method)
        assert is_valid_linkage(tree)
        np.testing.assert_allclose(tree[:, 2], expected[:, 2], atol=1e-6)
        for threshold in np.quantile(expected[:, 2], [0, 0.2, 0.5, 0.9, 1]) + 3e-6:
            assert same_partition(
                fcluster(tree, threshold, "distance"), fcluster(expected, threshold, "distance")
            )


@pytest.mark.parametrize("seed", range(5))
def test_single_linkage_of_ties_is_the_connected_components(seed):
    distances = random_distances(60, seed, levels=40)
    expected = linkage(squareform(distances, checks=False).astype(float), "single")
    tree = compiled(distances, "single")
    np.testing.assert_array_equal(tree[:, 2], expected[:, 2])
    for threshold in np.unique(expected[:, 2]):
        assert same_partition(
            fcluster(tree, threshold, "distance"), fcluster(expected, threshold, "distance")
        )


@pytest.mark.parametrize("method", ["average", "complete", "weighted"])
def test_ties_give_a_tree_whose_heights_are_the_cluster_distances(method):
    distances = random_distances(40, 3, levels=4)
    tree = compiled(distances, method)
    assert is_valid_linkage(tree)
    assert (np.diff(tree[:, 2]) >= 0).all()
    members = {unit: [unit] for unit in range(40)}
    for row, (a, b, height, count) in enumerate(tree):
        left, right = members[int(a)], members[int(b)]
        members[40 + row] = left + right
        assert count == len(left + right)
        between = distances[np.ix_(left, right)]
        if method == "average":
            assert height == pytest.approx(between.mean(), abs=1e-6)
        if method == "complete":
            assert height == between.max()


@pytest.mark.parametrize("method", ["average", "complete", "weighted", "single"])
def test_all_distances_zero(method):
    tree = compiled(np.zeros((30, 30), np.float32), method)
    assert is_valid_linkage(tree)
    np.testing.assert_array_equal(tree[:, 2], 0)
