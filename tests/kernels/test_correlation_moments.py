"""The accumulator gives, batch by batch and merged, what all samples at once give."""

import pickle

import numpy as np
import pytest
import torch
from unit_cases import CASES

from nbwidgets_nn import CorrelationMoments, correlate

SPLITS = {"one by one": [1] * 9, "uneven": [2, 0, 30, 400, 3], "two": [50]}


def parts(x, sizes):
    ends = np.minimum(np.cumsum(sizes), len(x))
    return [part for part in np.split(x, ends) if len(part)]


def matrices_agree(a, b, x):
    np.testing.assert_allclose(a.matrix, b.matrix, rtol=0, atol=3e-6 if x.dtype == np.float32 else 1e-11)
    np.testing.assert_array_equal(a.constant, b.constant)
    np.testing.assert_array_equal(a.nonfinite, b.nonfinite)
    assert a.samples == b.samples


def spoiled(x):
    x = x.copy()
    x[:, 0], x[:, 1] = 0.1, np.where(np.arange(len(x)) == 2, np.nan, 1)
    return x


@pytest.mark.parametrize("sizes", SPLITS.values(), ids=SPLITS)
@pytest.mark.parametrize(
    "x", [x for x in CASES.values() if len(x) > 2], ids=[k for k, x in CASES.items() if len(x) > 2]
)
def test_batches_give_what_the_whole_gives(x, sizes):
    x = spoiled(x[:1500, :60])
    moments = CorrelationMoments()
    for part in parts(x, sizes):
        assert moments.update(part) is moments
    matrices_agree(moments.result(), correlate(x), x)


@pytest.mark.parametrize(
    "x", [x for x in CASES.values() if len(x) > 2], ids=[k for k, x in CASES.items() if len(x) > 2]
)
def test_merged_parts_give_what_the_whole_gives(x):
    x = spoiled(x[:1500, :60])
    merged = CorrelationMoments()
    for part in parts(x, [3, 20, 200]):
        merged.merge(pickle.loads(pickle.dumps(CorrelationMoments().update(part))))
    matrices_agree(merged.result(), correlate(x), x)


@pytest.mark.parametrize("sizes", [(1e-30, 1.0, 1e30), (1e30, 1.0, 1e-30), (1.0, 0.0, 1e19)])
def test_batches_of_very_different_size(sizes):
    rng = np.random.default_rng(0)
    x = np.concatenate([size * rng.normal(size=(40, 4)) for size in sizes]).astype(np.float32)
    batches, merged = CorrelationMoments(), CorrelationMoments()
    for part in np.split(x, 3):
        batches.update(part)
        merged.merge(CorrelationMoments().update(part))
    matrices_agree(batches.result(), correlate(x.astype(np.float64)), x)
    matrices_agree(merged.result(), correlate(x.astype(np.float64)), x)


def test_a_unit_constant_in_each_batch_but_at_other_values_varies():
    x = np.repeat([[1.0, 5.0], [2.0, 4.0], [4.0, 2.0]], 10, axis=0)
    moments = CorrelationMoments()
    for part in np.split(x, 3):
        moments.update(part)
    assert moments.result().strongest == pytest.approx(-1)
    assert len(moments.result().constant) == 0


def test_result_may_be_asked_in_between_and_other_is_unchanged():
    x = CASES["few units"]
    first, second = CorrelationMoments().update(x[:20]), CorrelationMoments().update(x[20:])
    before = second.result().matrix.copy()
    matrices_agree(first.result(), correlate(x[:20]), x)
    matrices_agree(first.merge(second).result(), correlate(x), x)
    np.testing.assert_array_equal(second.result().matrix, before)


def test_merging_with_nothing_changes_nothing():
    x = CASES["few units"]
    matrices_agree(CorrelationMoments().update(x).merge(CorrelationMoments()).result(), correlate(x), x)
    matrices_agree(CorrelationMoments().merge(CorrelationMoments().update(x)).result(), correlate(x), x)


def test_errors_name_the_argument():
    moments = CorrelationMoments().update(np.eye(3))
    with pytest.raises(ValueError, match="batch: expected 3 units, as before, got 2"):
        moments.update(np.ones((4, 2)))
    with pytest.raises(TypeError, match="batch: expected data summed in float64, as before, got float32"):
        moments.update(torch.ones(4, 3))
    with pytest.raises(ValueError, match="other: expected 3 units, as before, got 2"):
        moments.merge(CorrelationMoments().update(np.eye(2)))
    with pytest.raises(TypeError, match="other: expected a CorrelationMoments, got int"):
        moments.merge(3)
    with pytest.raises(ValueError, match=r"samples: expected at least 2, .* got 0 so far"):
        CorrelationMoments().result()
    with pytest.raises(ValueError, match="got 1 so far"):
        CorrelationMoments().update(np.ones((1, 3))).result()
