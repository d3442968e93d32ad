"""One unit of every cluster: which, how it is drawn, and what is said about the clusters."""

import numpy as np
import pytest
import torch
from unit_cases import CASES, KINDS

from nbwidgets_nn import (
    create_correlation_clusters,
    extract_independent_neurons,
    scikit_extract_independent_neurons,
)
from nbwidgets_nn.kernels import _representatives

X = CASES["fewer samples than units"]
options = pytest.mark.parametrize(
    ("use_abs", "method", "threshold"),
    [
        (True, "average", 0.5),
        (False, "average", 0.5),
        (True, "complete", 0.3),
        (True, "single", 0.2),
        (False, "complete", 1.5),
    ],
)


def naive_medoids(x, labels, use_abs):
    r = np.corrcoef(x, rowvar=False)
    distance = 1 - np.abs(r) if use_abs else 1 - r
    kept = []
    for label in range(1, labels.max() + 1):
        members = np.flatnonzero(labels == label)
        kept.append(members[np.argmin(distance[np.ix_(members, members)].sum(1).round(9))])
    return kept


@options
@pytest.mark.parametrize("strip", [1024, 3])
def test_keeps_the_medoid_of_every_cluster(use_abs, method, threshold, strip, monkeypatch):
    monkeypatch.setattr(_representatives, "_STRIP", strip)
    kept, labels = extract_independent_neurons(X, use_abs, threshold, method=method)
    np.testing.assert_array_equal(labels, create_correlation_clusters(X, use_abs, threshold, method))
    assert kept == naive_medoids(X, labels, use_abs)
    assert all(type(unit) is int for unit in kept)


@options
def test_smallest_correlation_inside_each_cluster(use_abs, method, threshold):
    result = extract_independent_neurons(X, use_abs, threshold, method=method)
    r = np.corrcoef(X, rowvar=False)
    r = np.abs(r) if use_abs else r
    for label, smallest in enumerate(result.smallest_correlation, 1):
        members = result.cluster_labels == label
        assert smallest == pytest.approx(r[np.ix_(members, members)].min(), abs=1e-9)


def test_average_linkage_does_not_bound_it_and_complete_does():
    lowest = {
        method: extract_independent_neurons(X, method=method).smallest_correlation.min()
        for method in ("average", "complete")
    }
    assert lowest["average"] < 0.5 <= lowest["complete"]


def test_the_lowest_of_several_medoids_is_kept():
    x = np.random.default_rng(0).normal(size=(30, 1)).astype(np.float32)
    assert extract_independent_neurons(np.concatenate([x, -x, x * 3, x + 1], axis=1))[0] == [0]


@options
def test_a_random_pick_is_a_member_and_repeats_with_its_seed(use_abs, method, threshold):
    def draw(seed):
        return extract_independent_neurons(X, use_abs, threshold, method=method, pick="random", seed=seed)

    kept, labels = draw(0)
    np.testing.assert_array_equal(labels[kept], np.arange(1, labels.max() + 1))
    assert draw(0)[0] == kept
    assert draw(0).seed == 0


def test_every_member_is_drawn_about_equally_often():
    x = np.repeat(np.random.default_rng(0).normal(size=(30, 1)), 4, axis=1)
    drawn = [extract_independent_neurons(x, pick="random", seed=seed)[0][0] for seed in range(200)]
    assert np.bincount(drawn, minlength=4).min() > 30


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    extract_independent_neurons(X, pick="random")
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


def test_constant_units_are_not_independent():
    x = X.copy()
    x[:, 4], x[:, 9] = 0, 7
    result = extract_independent_neurons(x)
    np.testing.assert_array_equal(result.constant, [4, 9])
    assert not {4, 9} & set(result.independent_neurons)
    np.testing.assert_array_equal(np.flatnonzero(result.cluster_labels == 0), [4, 9])


def test_all_units_constant_leaves_none():
    kept, labels = extract_independent_neurons(np.ones((5, 3)))
    assert kept == []
    np.testing.assert_array_equal(labels, [0, 0, 0])


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_equivalent_inputs_keep_the_same_units(make):
    given = make(CASES["few units"])
    kept, labels = extract_independent_neurons(given)
    assert kept == extract_independent_neurons(CASES["few units"])[0]
    assert torch.is_tensor(labels) == torch.is_tensor(given)


def test_the_scikit_twin_gives_identical_results():
    for kwargs in ({}, {"clustering_threshold": 0.2}, {"pick": "random", "seed": 3}, {"method": "complete"}):
        ours, twin = extract_independent_neurons(X, **kwargs), scikit_extract_independent_neurons(X, **kwargs)
        assert ours.independent_neurons == twin.independent_neurons
        np.testing.assert_array_equal(ours.cluster_labels, twin.cluster_labels)


def test_unpacks_and_indexes_like_the_seeds_pair_and_prints():
    result = extract_independent_neurons(X)
    kept, labels = result
    assert (result[0], result[-1]) == (kept, labels)
    assert len(result) == 2
    assert str(result).startswith(
        f"{len(kept)} of 40 units kept (average linkage cut at 0.5, medoid, 9 samples)"
    )
