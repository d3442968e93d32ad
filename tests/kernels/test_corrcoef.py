"""`corrcoef` is Pearson's matrix: against the definition, by its properties, in every form of input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from unit_cases import CASES, KINDS, as_float64, precision, two_pass

from nbwidgets_nn import corrcoef
from nbwidgets_nn.kernels._engine import DeviceEngine, HostEngine
from nbwidgets_nn.kernels.correlation import correlation_matrix

cases = pytest.mark.parametrize("x", CASES.values(), ids=CASES)


def tolerance(x):
    return 3e-6 if x.dtype == np.float32 else 1e-11


@cases
def test_agrees_with_the_definition(x):
    np.testing.assert_allclose(corrcoef(x, rowvar=False), two_pass(x), rtol=0, atol=tolerance(x))


@cases
def test_is_symmetric_bounded_and_one_on_the_diagonal(x):
    r = corrcoef(x, rowvar=False)
    np.testing.assert_array_equal(r, r.T)
    assert np.abs(r).max() <= 1
    np.testing.assert_array_equal(np.diag(r), 1)


@cases
def test_rows_as_units_are_the_transposed_columns(x):
    np.testing.assert_allclose(corrcoef(x.T), corrcoef(x, rowvar=False), rtol=0, atol=tolerance(x))


@cases
def test_permuting_units_permutes_the_matrix(x):
    order = np.random.default_rng(1).permutation(x.shape[1])
    permuted = corrcoef(x[:, order], rowvar=False)
    np.testing.assert_allclose(
        permuted, corrcoef(x, rowvar=False)[np.ix_(order, order)], rtol=0, atol=tolerance(x)
    )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    exponent=st.integers(-90, 90),
    offset=st.floats(-1e3, 1e3),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_does_not_change_with_scale_or_offset(seed, exponent, offset, dtype):
    rng = np.random.default_rng(seed)
    x = (rng.integers(-(2**12), 2**12, (rng.integers(3, 60), 6)) / 2**6).astype(dtype)
    x[0] += np.arange(6)  # no unit is constant
    moved = (x + np.round(offset)) * dtype(2.0) ** exponent  # exact in both precisions
    np.testing.assert_allclose(corrcoef(moved, rowvar=False), corrcoef(x, rowvar=False), rtol=0, atol=3e-6)


def test_the_offset_that_breaks_one_pass_sums():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 1))
    pair = np.concatenate([x, x + 0.1 * rng.normal(size=(1000, 1))], axis=1) + 1e4
    single = pair.astype(np.float32)
    np.testing.assert_allclose(corrcoef(single, rowvar=False), two_pass(single), rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("name", ["few units", "several blocks and strips"])
def test_equivalent_inputs_agree(name, make):
    x = CASES[name][:2500, :300]
    given = make(x)
    r = corrcoef(given, rowvar=False)
    np.testing.assert_allclose(
        as_float64(r),
        two_pass(as_float64(given)),
        rtol=0,
        atol=max(4 * precision(given), 2e-6 * (precision(given) > 1e-9), 1e-11),
    )


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_type_and_floating_dtype_come_back(make):
    given = make(CASES["few units"])
    r = corrcoef(given, rowvar=False)
    assert torch.is_tensor(r) == torch.is_tensor(given)
    if torch.is_tensor(given):
        assert r.dtype == given.dtype
        assert not r.requires_grad
    else:
        kept = isinstance(given, np.ndarray) and given.dtype in {np.dtype(np.float16), np.dtype(np.float32)}
        assert r.dtype == (given.dtype if kept else np.float64)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_the_callers_data_is_unchanged(make):
    given = make(CASES["few units"])
    before = as_float64(given).copy()
    corrcoef(given, rowvar=False)
    corrcoef(given)
    np.testing.assert_array_equal(as_float64(given), before)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int32, torch.int64])
def test_integers_and_bool_are_computed_in_float64(dtype):
    x = torch.randint(0, 2, (40, 5), generator=torch.Generator().manual_seed(0)).to(dtype)
    expected = np.corrcoef(x.numpy().astype(float), rowvar=False)
    from_tensor, from_array = corrcoef(x, rowvar=False), corrcoef(x.numpy(), rowvar=False)
    assert from_tensor.dtype == torch.float64
    assert from_array.dtype == np.float64
    np.testing.assert_allclose(from_tensor, expected, atol=1e-14)
    np.testing.assert_allclose(from_array, expected, atol=1e-14)


def test_large_integers_keep_their_last_digits():
    x = np.array(
        [[2**24, 0], [2**24 + 1, 1], [2**24 + 3, 3]]
    )  # the first column is 3 equal floats in float32
    np.testing.assert_allclose(corrcoef(x, rowvar=False), 1)


def test_one_dimension_is_one_unit():
    assert corrcoef(np.array([1.0, 2.0, 4.0])).shape == ()
    assert corrcoef(torch.tensor([1.0, 2.0, 4.0])) == 1


def test_one_unit_is_a_one_by_one_matrix():
    np.testing.assert_array_equal(corrcoef(np.array([[1.0, 2.0, 4.0]])), [[1]])


@pytest.mark.parametrize("value", [0, 0.1, 1e4 + 0.1, 1e30, -3e-40])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_unit_is_nan_and_only_it(value, dtype):
    x = CASES["several blocks and strips"][:5000, :20].astype(dtype)
    others = corrcoef(x, rowvar=False)
    x[:, 3] = value
    r = corrcoef(x, rowvar=False)
    assert np.isnan(r[3]).all()
    assert np.isnan(r[:, 3]).all()
    kept = np.delete(np.arange(20), 3)
    np.testing.assert_array_equal(r[np.ix_(kept, kept)], others[np.ix_(kept, kept)])


@pytest.mark.parametrize("value", [1e4, 1.0, 1e-42, 1e38])
@pytest.mark.parametrize("where", [0, 1, 4321, 8999])
def test_a_unit_that_differs_in_one_bit_of_one_sample_varies(value, where):
    x = CASES["several blocks and strips"][:, :4].astype(np.float32)
    x[:, 2] = value
    x[where, 2] = np.nextafter(np.float32(value), np.float32(np.inf))
    spike = np.zeros((9000, 1))
    spike[where] = 1
    expected = two_pass(np.concatenate([x[:, :1], spike], axis=1))[0, 1]
    assert corrcoef(x, rowvar=False)[0, 2] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, 10, 6000, 8999])
def test_a_sample_that_is_not_finite_spoils_only_its_unit(value, where):
    x = CASES["several blocks and strips"][:, :20].copy()
    others = corrcoef(x, rowvar=False)
    x[where, 5] = value
    r = corrcoef(x, rowvar=False)
    assert np.isnan(r[5]).all()
    assert np.isnan(r[:, 5]).all()
    kept = np.delete(np.arange(20), 5)
    np.testing.assert_allclose(r[np.ix_(kept, kept)], others[np.ix_(kept, kept)], atol=1e-14)


@pytest.mark.parametrize("x", [CASES[k] for k in ("far from zero", "units of other sizes", "few units")])
def test_the_torch_path_of_other_devices_agrees(x, monkeypatch):
    # There is no GPU to test on: the path that serves it runs on the CPU here.
    x = x.copy()
    x[:, 1] = 3
    monkeypatch.setattr(
        "nbwidgets_nn.kernels.moments.engine_for",
        lambda array, dtype: DeviceEngine(dtype, torch.device("cpu")),
    )
    _, on_device = correlation_matrix(torch.from_numpy(x))
    monkeypatch.setattr("nbwidgets_nn.kernels.moments.engine_for", lambda array, dtype: HostEngine(dtype))
    _, on_host = correlation_matrix(x)
    assert torch.is_tensor(on_device)
    np.testing.assert_allclose(on_device.numpy(), on_host, rtol=0, atol=3e-6)


def test_long_sums_stay_exact_in_float32():
    x = (np.random.default_rng(0).normal(size=(400_000, 5)) + np.linspace(0, 3, 400_000)[:, None]).astype(
        np.float32
    )
    np.testing.assert_allclose(corrcoef(x, rowvar=False), two_pass(x), rtol=0, atol=1e-5)
