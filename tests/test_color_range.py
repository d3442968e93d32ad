"""Codes mean the values they stand for, and nothing that is not a number in the range can look like one."""

import numpy as np
import pytest

from nbwidgets_nn.color_range import (
    ABOVE,
    BELOW,
    LEVELS,
    MASKED,
    MINUS_INFINITY,
    NOT_A_NUMBER,
    PLUS_INFINITY,
    ColorRange,
    choose_range,
    encode,
    pattern_ranges,
)

UNIT = ColorRange(-1.0, 1.0, diverging=True)


def decode(codes, span):
    return span.low + codes.astype(float) * (span.high - span.low) / (LEVELS - 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_decoded_codes_are_within_the_stated_error(dtype):
    values = (np.random.default_rng(0).uniform(-7, 12, (600, 700))).astype(dtype)
    span = choose_range(values)
    assert np.abs(decode(encode(values, span), span) - values).max() <= span.error


def test_every_kind_of_non_number_has_its_own_mark():
    values = np.array([[-2.0, 2.0, -np.inf, np.inf, np.nan, -1.0, 1.0]])
    expected = [BELOW, ABOVE, MINUS_INFINITY, PLUS_INFINITY, NOT_A_NUMBER, 0, LEVELS - 1]
    assert encode(values, UNIT).tolist() == [expected]


def test_masked_cells_are_marked_whatever_lies_under_the_mask():
    values = np.ma.array([[0.0, np.nan]], mask=[[True, True]])
    assert encode(values, UNIT).tolist() == [[MASKED, MASKED]]


def test_encode_leaves_its_argument_alone():
    values = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    before = values.copy()
    encode(values, UNIT)
    assert np.array_equal(values, before)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[-1.0, 3.0]], (-3.0, 3.0, True)),
        ([[0.5, 3.0]], (0.5, 3.0, False)),
        ([[2.0, 2.0]], (2.0, 4.0, False)),
        ([[0.5, 0.5]], (0.5, 1.5, False)),
        ([[np.nan, np.inf]], (0.0, 1.0, False)),
        ([[np.nan, 1.0, 4.0]], (1.0, 4.0, False)),
    ],
)
def test_range_spans_the_finite_values_and_is_symmetric_when_diverging(values, expected):
    span = choose_range(np.array(values))
    assert (span.low, span.high, span.diverging) == expected


def test_reversed_range_is_refused():
    with pytest.raises(ValueError, match=r"low must be below high, but low=2.* high=1"):
        choose_range(np.zeros((2, 2)), low=2.0, high=1.0, diverging=False)


@pytest.mark.parametrize(
    "values", [np.array([[-3e38, 0, 3e38]], np.float32), np.array([[-1e308, 0.0, 1.7e308]])]
)
def test_largest_floats_keep_their_order(values):
    codes = encode(values, choose_range(values))[0].tolist()
    assert codes == sorted(codes)
    assert codes[2] == LEVELS - 1


def test_a_huge_constant_has_a_range():
    assert choose_range(np.full((2, 2), 1e20)).high > 1e20


LAYERS = [np.array([1.0, 3.0]), np.array([[-4.0, 2.0], [np.nan, np.inf]]), np.array([]), np.array([5, 5])]


@pytest.mark.parametrize(
    ("scale", "spans"),
    [
        ("layerscale", [(1, 3), (-4, 2), (0, 1), (5, 10)]),
        ("layernorm", [(-3, 3), (-4, 4), (-1, 1), (-5, 5)]),
        ("globalscale", [(-4, 5)] * 4),
        ("globalnorm", [(-5, 5)] * 4),
    ],
)
def test_scales_of_a_pattern(scale, spans):
    found = pattern_ranges(LAYERS, scale)
    assert [(span.low, span.high) for span in found] == spans
    assert {span.diverging for span in found} == {scale.endswith("norm")}


def test_unknown_scale_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"scale: expected one of 'layerscale', .*, got 'log'"):
        pattern_ranges(LAYERS, "log")
