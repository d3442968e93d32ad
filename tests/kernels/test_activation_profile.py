"""Standardised means of groups against the definition."""

import numpy as np
import pytest
import torch

from nbwidgets_nn import activation_profile


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(3, 2, (40, 5))


def test_is_the_mean_z_score_of_each_group(X):
    groups = np.array(list("abcd") * 10)
    profile = activation_profile(X, groups)
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = np.stack([z[groups == g].mean(axis=0) for g in "abcd"], axis=1)
    np.testing.assert_allclose(profile.values, expected, atol=1e-12)
    assert profile.groups == ("a", "b", "c", "d")
    assert profile.counts.tolist() == [10] * 4


def test_groups_of_unequal_size_keep_their_counts(X):
    assert activation_profile(X, [0] * 39 + [1]).counts.tolist() == [39, 1]


def test_weighted_sum_over_groups_is_zero(X):
    profile = activation_profile(X, np.arange(40) % 7)
    np.testing.assert_allclose(profile.values @ profile.counts, 0, atol=1e-10)


def test_redundant_units_have_the_same_profile_up_to_sign(X):
    X[:, 1] = -2 * X[:, 0] + 7
    values = activation_profile(X, np.arange(40) % 4).values
    np.testing.assert_allclose(values[1], -values[0], atol=1e-12)


def test_constant_unit_is_masked_and_others_are_not(X):
    X[:, 2] = 5
    mask = np.ma.getmaskarray(activation_profile(X, np.arange(40) % 2).values)
    assert mask.all(axis=1).tolist() == [False, False, True, False, False]


def test_tensors_and_arrays_agree(X):
    groups = np.arange(40) % 3
    tensor = torch.tensor(X, requires_grad=True)
    np.testing.assert_array_equal(
        activation_profile(tensor, groups).values, activation_profile(X, groups).values
    )


@pytest.mark.parametrize(
    ("X", "groups", "message"),
    [
        (np.zeros(3), [0, 1, 2], r"X: expected 2 dimensions \(samples, units\), got 1"),
        (np.zeros((0, 2)), [], "X: expected at least 1 sample"),
        (np.zeros((3, 2)), [0, 1], "groups: expected one label a sample, got 2 labels for 3 samples"),
    ],
)
def test_bad_input_is_named(X, groups, message):
    with pytest.raises(ValueError, match=message):
        activation_profile(X, groups)
