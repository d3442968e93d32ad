"""`correlate`: the strongest pair, its ties and its reference."""

import numpy as np
import pytest
import torch
from unit_cases import CASES, two_pass

from nbwidgets_nn import correlate, null_reference


@pytest.mark.parametrize(
    "x", [x for x in CASES.values() if len(x) > 2], ids=[k for k, x in CASES.items() if len(x) > 2]
)
def test_strongest_is_the_largest_absolute_off_diagonal_value(x):
    result = correlate(x)
    r = np.tril(two_pass(x), -1)
    i, j = result.pairs[0]
    assert i < j
    assert abs(result.strongest) == pytest.approx(np.abs(r).max(), abs=3e-6)
    assert result.strongest == pytest.approx(r[j, i], abs=3e-6)
    assert (result.samples, result.units) == x.shape


def test_is_not_rounded_before_the_strongest_is_sought():
    waves = np.cos(np.pi * np.arange(1, 5) * (np.arange(64)[:, None] + 0.5) / 64)  # orthogonal, mean 0
    a, a_noise, b, b_noise = waves.T
    x = np.stack([a, a + 0.1100 * a_noise, b, -(b + 0.1099 * b_noise)], axis=1)  # both 0.99 to three digits
    assert correlate(x).pairs == ((2, 3),)
    assert correlate(x).strongest == pytest.approx(-1 / np.hypot(1, 0.1099))


def test_ties_of_both_signs_are_listed():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    result = correlate(np.concatenate([x, -x[:, :1], x[:, :1]], axis=1))
    assert result.pairs == ((0, 3), (0, 4), (3, 4))
    assert result.ties == 3


def test_a_million_ties_are_counted_and_a_thousand_listed():
    x = np.tile(np.random.default_rng(0).normal(size=(20, 1)).astype(np.float32), (1, 1500))
    result = correlate(x)
    assert result.ties == 1500 * 1499 // 2
    assert len(result.pairs) == 1000
    assert result.pairs[:2] == ((0, 1), (0, 2))


def test_constant_and_not_finite_units_are_listed_and_not_counted_in_the_reference():
    x = np.random.default_rng(0).normal(size=(60, 8))
    x[:, 2], x[:, 5], x[7, 6] = 0, 1.1, np.nan
    result = correlate(x)
    assert list(result.constant) == [2, 5]
    assert list(result.nonfinite) == [6]
    assert (result.null_mean, result.null_std) == null_reference(5, 60)
    assert not {2, 5, 6} & set(np.ravel(result.pairs))


@pytest.mark.parametrize(
    "x", [np.ones((5, 1)), np.arange(5.0)[:, None], np.ones((5, 3)), np.full((5, 3), np.nan)], ids=str
)
def test_without_a_pair_strongest_is_nan(x):
    result = correlate(x)
    assert np.isnan([result.strongest, result.null_mean, result.null_std, result.p_value]).all()
    assert result.pairs == ()
    assert result.ties == 0


@pytest.mark.parametrize("x", [torch.rand(40, 3).half(), torch.rand(40, 3).bfloat16(), np.float16(np.eye(3))])
def test_half_precision_gives_a_float32_matrix(x):
    assert correlate(x).matrix.dtype == np.float32


def test_p_value_is_uniform_when_there_is_nothing_to_find():
    rng = np.random.default_rng(0)
    p = [correlate(rng.normal(size=(20, 6))).p_value for _ in range(400)]
    assert np.mean(p) == pytest.approx(0.5, abs=0.05)
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.05)


def test_prints_the_maximum_beside_its_reference():
    x = np.random.default_rng(0).normal(size=(1000, 4))
    x[:, 3] = -x[:, 0]
    assert "strongest correlation -1.000 of (0, 3), by chance alone 0.052 ± 0.017" in str(correlate(x))
