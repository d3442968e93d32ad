"""Idle units, directions in use, likeness of layers: against definitions and invariances."""

import numpy as np
import pytest
from unit_cases import CASES, KINDS, as_float64, precision

from nbwidgets_nn import linear_cka, measure_units

SMALL = {
    k: CASES[k]
    for k in ("few units", "fewer samples than units", "single precision", "far from zero", "tiny")
}
small = pytest.mark.parametrize("x", SMALL.values(), ids=SMALL)


@small
def test_directions_are_those_of_the_covariance(x):
    scaled = x.astype(np.float64) / np.abs(x).max()
    eigenvalues = np.linalg.eigvalsh(np.cov(scaled, rowvar=False)).clip(1e-300)
    share = eigenvalues / eigenvalues.sum()
    result = measure_units(x)
    assert result.participation_ratio == pytest.approx(
        eigenvalues.sum() ** 2 / (eigenvalues**2).sum(), rel=1e-4
    )
    assert result.effective_rank == pytest.approx(np.exp(-(share * np.log(share)).sum()), rel=1e-3)


@pytest.mark.parametrize("directions", [1, 3, 8])
def test_equal_orthogonal_directions_are_counted(directions):
    waves = np.cos(np.pi * np.arange(1, 9) * (np.arange(64)[:, None] + 0.5) / 64)[:, :directions]
    result = measure_units(
        waves @ np.linalg.qr(np.random.default_rng(0).normal(size=(20, 20)))[0][:directions]
    )
    assert result.participation_ratio == pytest.approx(directions)
    assert result.effective_rank == pytest.approx(directions)


def test_idle_units_are_told_apart():
    x = np.random.default_rng(0).uniform(0.3, 0.7, (100, 6)).astype(np.float32)
    x[:, 0], x[:, 1], x[:, 2], x[:, 3] = 0, 0.4, np.where(np.arange(100) < 4, 0.5, 0.999), 0.003
    x[0, 3] = 0.5
    result = measure_units(x, bounds=(0, 1))
    assert (list(result.dead), list(result.constant), list(result.saturated)) == ([0], [0, 1], [2, 3])
    assert list(measure_units(x).saturated) == []


@pytest.mark.parametrize("x", [np.ones((4, 3)), np.zeros((4, 3)), np.full((7, 3), 0.1)])
def test_nothing_varies(x):
    result = measure_units(x)
    assert np.isnan([result.participation_ratio, result.effective_rank]).all()
    assert np.isnan(linear_cka(x, np.eye(len(x))))
    assert np.isnan(linear_cka(np.eye(len(x)), np.repeat(x, 2, axis=1)))


def test_the_rank_of_a_large_layer_is_left_out_unless_asked_for():
    x = CASES["several blocks and strips"][:200, :50]
    assert np.isnan(measure_units(x, rank_limit=49).effective_rank)
    assert (
        measure_units(x, rank_limit=50).effective_rank == measure_units(x, rank_limit=None).effective_rank > 1
    )
    assert measure_units(x, rank_limit=49).participation_ratio > 1


@small
def test_cka_agrees_with_its_definition_on_either_side(x):
    rng = np.random.default_rng(5)
    y = (x[:, :5] / np.abs(x).max()) @ rng.normal(size=(5, 12)) + rng.normal(size=(len(x), 12)) * 1e-2
    a, b = x.astype(np.float64) / np.abs(x).max(), y.astype(np.float64)
    a, b = a - a.mean(0), b - b.mean(0)
    norm = np.linalg.norm
    expected = norm(a.T @ b) ** 2 / norm(a.T @ a) / norm(b.T @ b)
    assert linear_cka(x, y) == pytest.approx(expected, abs=1e-4)
    assert linear_cka(y, x) == pytest.approx(linear_cka(x, y), abs=1e-6)
    assert 0 <= linear_cka(x, y) <= 1


def test_cka_ignores_rotation_shift_and_scale():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 5)), rng.normal(size=(60, 8))
    rotated = 7 * y @ np.linalg.qr(rng.normal(size=(8, 8)))[0] + 3
    assert linear_cka(x, rotated) == pytest.approx(linear_cka(x, y), abs=1e-12)
    assert linear_cka(x, x) == pytest.approx(1)


def test_cka_of_independent_layers_goes_to_zero():
    rng = np.random.default_rng(0)
    assert linear_cka(rng.normal(size=(20_000, 4)), rng.normal(size=(20_000, 4))) < 1e-3


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_equivalent_inputs_agree(make):
    x = CASES["few units"]
    given = make(x)
    before = as_float64(given).copy()
    tolerance = 20 * precision(given) + 1e-9
    assert measure_units(given).participation_ratio == pytest.approx(
        measure_units(x).participation_ratio, rel=tolerance
    )
    assert linear_cka(given, x) == pytest.approx(1, abs=tolerance)
    np.testing.assert_array_equal(as_float64(given), before)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"Y: expected as many samples .* as X, got 3 and 4"):
        linear_cka(np.eye(4), np.eye(3))
    with pytest.raises(ValueError, match=r"bounds: expected two finite numbers .* got \(1, 0\)"):
        measure_units(np.eye(4), bounds=(1, 0))
