"""EI of pairs without sampling: against moving averages on a fine grid, brute force, and its own bounds."""

import math
from fractions import Fraction
from itertools import pairwise, product

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from information_oracles import (
    ACTIVATIONS,
    ISSUE,
    applied,
    changes,
    golden,
    grid_points,
    information,
    naive_bins,
    parts_oracle,
    table,
)

from nbwidgets_nn.kernels._exact_bits import _log, pair_bits, series_probabilities
from nbwidgets_nn.kernels._uniform_sums import _log_envelope, closed_form, series_of, terms_needed
from nbwidgets_nn.kernels.binned_activation import binned, default_range, known_activation
from nbwidgets_nn.kernels.exact_parts import MOST_ERROR, exact_parts, same_cells
from nbwidgets_nn.kernels.exact_window import exact_window
from nbwidgets_nn.kernels.pair_information import bits_at_most

HIDDEN = torch.sigmoid
slow = settings(max_examples=14, deadline=None, derandomize=True)


def solve(weights, bias, activation, in_range, in_bins, out_range, out_bins, outside="clip", **more):
    weights = np.asarray(weights, float)
    steps = binned(known_activation(activation), *out_range, out_bins)
    bias = np.zeros(len(weights)) if bias is None else np.asarray(bias, float)
    return exact_parts(weights, bias, [steps] * len(weights), in_range, in_bins, outside=outside, **more)


def naive_given(half_widths, a, bins, points, draws=400):
    """P(cell | bin of a) of two or three inputs by the midpoint rule over all but the widest, which is exact."""
    others = np.sort(np.delete(half_widths, a))
    nodes = (2 * np.arange(draws) + 1) / draws - 1
    given = np.empty((bins, len(points) - 1))
    for i in range(bins):
        sums = half_widths[a] * (2 * i + 1 - bins + nodes) / bins
        for width in others[:-1]:
            sums = sums[..., None] + width * nodes
        if len(others):
            cdf = [np.clip((t - sums + others[-1]) / (2 * others[-1]), 0, 1).mean() for t in points]
        else:
            cdf = [(sums < t).mean() for t in points]
        given[i] = np.diff(cdf)
    return given


# --- one affine row against the oracle


@pytest.mark.parametrize("outside", ["clip", "drop"])
@pytest.mark.parametrize("name", ISSUE)
@pytest.mark.parametrize("inputs", [2, 5])
def test_is_the_definition_for_every_activation(name, inputs, outside):
    activation = ACTIVATIONS[name]
    weights, bias = golden(inputs, 2, 1.5), np.array([0.3, -0.4])
    low, high = default_range(activation)
    # A part of the range, so that something is outside.
    out_range = (low + 0.013, high - 0.4 * (high - low))
    arguments = (weights, bias, activation, (-1, 2), 6, out_range, 7, outside)
    found = solve(*arguments)
    np.testing.assert_allclose(found.matrix, parts_oracle(*arguments), atol=2e-6)
    assert not len(found.unknown)
    assert found.error_bound <= found.matrix.size * MOST_ERROR


@slow
@given(st.integers(0, 10**6), st.integers(1, 7), st.sampled_from(ISSUE), st.sampled_from(["clip", "drop"]))
def test_is_the_definition_for_random_rows(seed, inputs, name, outside):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(1, inputs)) * 10 ** rng.uniform(-1, 0.5)
    weights *= 10 ** rng.uniform(-1, 0, weights.shape)
    in_range = [(0, 1), (-1, 1), (-2, 3)][seed % 3]
    out_range = [default_range(ACTIVATIONS[name]), (-0.91, 1.07)][seed % 2]
    bins = rng.integers(2, 20, 2)
    arguments = (
        weights,
        rng.normal(size=1),
        ACTIVATIONS[name],
        in_range,
        bins[0],
        out_range,
        bins[1],
        outside,
    )
    pairs = [(int(rng.integers(inputs)), 0), (int(np.abs(weights).argmin()), 0)]
    truth = parts_oracle(*arguments, pairs=pairs)
    known = ~np.isnan(truth)
    found = solve(*arguments)
    np.testing.assert_allclose(found.matrix[known], truth[known], atol=2e-5)


@pytest.mark.parametrize("outside", ["clip", "drop"])
def test_share_outside(outside):
    """Half of the sums of 1..4 inputs on (0, 1) lie above their middle."""
    for inputs in (1, 2, 3, 4, 9):
        found = solve(np.ones((1, inputs)), None, None, (0, 1), 8, (0, inputs / 2), 8, outside)
        assert found.outside == pytest.approx([0.5], abs=1e-9)
    assert solve(np.ones((1, 3)), None, None, (0, 1), 8, (0, 3), 8, outside).outside == pytest.approx(
        [0], abs=1e-12
    )


@pytest.mark.parametrize("inputs", [1, 2, 4, 9])
def test_all_outside(inputs):
    weights = np.full((1, inputs), 0.7)
    for outside in ("clip", "drop"):
        found = solve(weights, [20.0], None, (0, 1), 8, (-1, 1), 8, outside)
        np.testing.assert_array_equal(found.matrix, 0)
        assert found.outside == pytest.approx([1.0])


def test_constant_output():
    found = solve(np.zeros((2, 3)), [0.5, 7.0], None, (0, 1), 8, (-1, 1), 8)
    np.testing.assert_array_equal(found.matrix, 0)
    np.testing.assert_array_equal(found.outside, [0, 1])
    # Far in one bin, without a single break in reach.
    found = solve(np.full((1, 4), 1e-3), [0.6], None, (0, 1), 8, (-1, 1), 4)
    np.testing.assert_array_equal(found.matrix, 0)


def test_zero_weights_tell_nothing_and_change_nothing():
    weights = np.array([[0.9, 0.0, -1.3, 0.0, 0.4], [0.0, 0.0, 2.0, 0.0, 0.0]])
    found = solve(weights, None, HIDDEN, (-1, 1), 8, (0, 1), 8).matrix
    np.testing.assert_array_equal(found[weights.T == 0], 0)
    some = solve(weights[:1, [0, 2, 4]], None, HIDDEN, (-1, 1), 8, (0, 1), 8).matrix
    np.testing.assert_allclose(found[[0, 2, 4], 0], some[:, 0], atol=1e-12)


def test_one_input_is_the_overlap_of_intervals():
    # 4 bins of x in (0, 1) and 4 bins of 1.5 x in (0, 1): the last third is clipped.
    joint = np.array([[4, 2, 0, 0], [0, 2, 4, 0], [0, 0, 0, 6], [0, 0, 0, 6]]) / 24
    assert solve([[1.5]], None, None, (0, 1), 4, (0, 1), 4).matrix.item() == pytest.approx(information(joint))
    joint[:, 3] = [0, 0, 4 / 24, 0]
    dropped = solve([[1.5]], None, None, (0, 1), 4, (0, 1), 4, "drop")
    assert dropped.matrix.item() == pytest.approx(information(joint))
    assert dropped.outside == pytest.approx([1 / 3])


@pytest.mark.parametrize("ratio", [1e-1, 1e-2, 1e-3])
@pytest.mark.parametrize("dominating", [0, 1])
def test_one_weight_dominates_two_inputs(ratio, dominating):
    weights = np.array([[ratio, ratio]])
    weights[0, dominating] = 1.0
    arguments = (weights, [0.1], HIDDEN, (-1, 1), 16, (0, 1), 16, "clip")
    found = solve(*arguments)
    assert not len(found.unknown)
    # For the tiny weight the oracle's moving average of the wide one is exact.
    np.testing.assert_allclose(found.matrix, parts_oracle(*arguments), atol=1e-5)


def inverted(weights, a, bins, label, out_bins):
    """Joint probabilities by the inversion integral of the characteristic function (Gil-Pelaez 1951)."""
    reach, spread = np.abs(weights).sum(), np.sqrt(np.sort(weights**2)[:-1].sum())
    points, labels = changes(label, -reach, reach)
    step = np.pi / (4 * reach)
    w = step * (np.arange(int(60 / (spread * step))) + 0.5)
    rest = np.sinc(np.outer(w / np.pi, np.delete(weights, a))).prod(axis=1)
    rest *= np.sinc(w * weights[a] / (bins * np.pi)) / w
    joint = np.zeros((bins, out_bins))
    for i in range(bins):
        shift = weights[a] * (2 * i + 1 - bins) / bins
        cdf = 0.5 + step / np.pi * np.sin(np.outer(points - shift, w)) @ rest
        np.add.at(joint[i], labels, np.diff(np.concatenate([[0], cdf, [1]])) / bins)
    return joint


def manyfold():
    few = np.random.default_rng(0).normal(size=300) / 6
    few[:3] = 1.5, -0.7, 1e-5
    return {"hundreds": few, "one large": np.append(5.0, np.full(60, 0.05)), "equal": np.full(784, 0.1)}


@pytest.mark.parametrize("name", manyfold())
def test_many_inputs(name):
    weights = manyfold()[name]
    found = solve(weights[None], [0.2], HIDDEN, (-1, 1), 16, (0, 1), 16)
    assert found.terms
    assert not len(found.unknown)
    for a in (0, 1, 2):
        joint = inverted(weights, a, 16, lambda z: naive_bins(applied(HIDDEN, z + 0.2), 0.0, 1.0, 16), 16)
        assert found.matrix[a, 0] == pytest.approx(information(joint), abs=1e-8)


def test_what_neither_way_can_do_is_unknown_and_never_wrong():
    weights = np.array([[2.0, 3e-4, 2e-4, 1e-4, 4e-4, 3e-4, 2e-4], [1, -1, 2, 0.5, 1, 1, 1]], float)
    found = solve(weights, None, HIDDEN, (-1, 1), 16, (0, 1), 16)
    assert found.unknown.tolist() == [0]
    assert np.isnan(found.matrix[:, 0]).all()
    assert not np.isnan(found.matrix[:, 1]).any()
    assert 0 <= found.error_bound <= 7 * MOST_ERROR


@slow
@given(st.integers(0, 10**6), st.integers(2, 9))
def test_weights_of_mixed_magnitude_are_right_or_unknown(seed, inputs):
    rng = np.random.default_rng(seed)
    weights = np.sign(rng.normal(size=(1, inputs))) * 10 ** rng.uniform(-6, 1, (1, inputs))
    arguments = (weights, [0.1], HIDDEN, (-1, 1), 8, (0, 1), 8, "clip")
    found = solve(*arguments)
    if len(found.unknown):
        assert np.isnan(found.matrix).all()
        return
    # The widest: the oracle's grid is too coarse for pairs of tiny weights.
    a = int(np.abs(weights).argmax())
    truth = parts_oracle(*arguments, pairs=[(a, 0)])
    assert found.matrix[a, 0] == pytest.approx(truth[a, 0], abs=2e-4)
    assert (found.matrix >= 0).all()


@pytest.mark.parametrize("tiny", [1e-12, 1e-30, 1e-200, 5e-324])
def test_tiny_weights_do_not_overflow(tiny):
    with np.errstate(all="raise", under="ignore"):
        found = solve([[1.0, tiny, -tiny]], None, HIDDEN, (-1, 1), 8, (0, 1), 8)
    exact = solve([[1.0]], None, HIDDEN, (-1, 1), 8, (0, 1), 8).matrix.item()
    if not len(found.unknown):
        np.testing.assert_allclose(found.matrix[:, 0], [exact, 0, 0], atol=1e-6)


@pytest.mark.parametrize("in_bins", [2, 3, 8, 9, 64])
@pytest.mark.parametrize("out_bins", [2, 5, 64])
def test_numbers_of_bins_even_and_odd(in_bins, out_bins):
    arguments = (golden(6, 1, 1.0), [0.2], torch.tanh, (0, 1), in_bins, (-1, 1), out_bins, "clip")
    np.testing.assert_allclose(solve(*arguments).matrix, parts_oracle(*arguments), atol=2e-6)


def test_the_order_of_inputs_does_not_matter():
    weights = np.random.default_rng(3).normal(size=(1, 12))
    whole = solve(weights, None, HIDDEN, (-1, 1), 16, (0, 1), 16).matrix
    order = np.random.default_rng(4).permutation(12)
    np.testing.assert_allclose(
        solve(weights[:, order], None, HIDDEN, (-1, 1), 16, (0, 1), 16).matrix, whole[order], atol=1e-10
    )


def test_the_number_of_threads_does_not_matter():
    arguments = (golden(20, 9, 1.0), None, HIDDEN, (-1, 1), 16, (0, 1), 16)
    before, found = numba.get_num_threads(), []
    for threads in (1, before):
        numba.set_num_threads(threads)
        found.append(solve(*arguments).matrix)
    np.testing.assert_array_equal(*found)


def test_error_bound_is_of_the_sum_of_all_pairs(monkeypatch):
    """Every pair of a row can be off by as much, and rows add up."""
    from nbwidgets_nn.kernels import exact_parts as module

    monkeypatch.setattr(module, "bits_at_most", lambda *_: 1e-10)
    weights = np.random.default_rng(0).normal(size=(2, 9))
    weights[1, 7:] = 0
    found = solve(weights, None, HIDDEN, (-1, 1), 8, (0, 1), 8)
    assert found.error_bound == pytest.approx((9 + 7) * 1e-10)


def test_what_is_dropped_makes_the_rest_less_certain():
    weights = np.random.default_rng(1).normal(size=(1, 7))
    clip, drop = (
        solve(weights, [0.0], HIDDEN, (-1, 1), 8, (0.0, 0.25), 8, outside) for outside in ("clip", "drop")
    )
    assert drop.outside[0] > 0.8
    assert drop.terms == clip.terms
    assert drop.error_bound > 3 * clip.error_bound


@pytest.mark.parametrize("outside", ["clip", "drop"])
def test_what_is_left_out_is_below_the_error_bound(monkeypatch, outside):
    """Aiming at a large error, the difference to the usual one is as small as promised, also where little is kept."""
    from nbwidgets_nn.kernels import exact_parts as module

    weights = np.random.default_rng(1).normal(size=(1, 7))
    for high in (1.0, 0.3) if outside == "drop" else (1.0, 0.3, 0.06):
        arguments = (weights, [0.5], HIDDEN, (-1, 1), 8, (0.0, high), 8, outside)
        truth = solve(*arguments)
        with monkeypatch.context() as patch:
            patch.setattr(module, "_AIM", 0.3)
            patch.setattr(module, "MOST_ERROR", 9.0)
            rough = solve(*arguments)
        assert rough.terms < truth.terms
        assert rough.error_bound > 1e-3
        assert abs(rough.matrix.sum() - truth.matrix.sum()) <= rough.error_bound


def test_progress_counts_outputs_and_stops_by_raising():
    seen = []
    solve(golden(4, 3, 1.0), None, HIDDEN, (0, 1), 8, (0, 1), 8, progress=lambda *at: seen.append(at))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]

    def stop(done, total):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solve(golden(4, 3, 1.0), None, HIDDEN, (0, 1), 8, (0, 1), 8, progress=stop)


# --- sums of uniform numbers


@pytest.mark.parametrize("half_widths", [[1.0], [1.0, 0.5], [0.2, 1.0], [0.7, 0.5, 0.9]])
@pytest.mark.parametrize("bins", [1, 2, 5])
def test_closed_form_is_brute_force(half_widths, bins):
    half_widths = np.array(half_widths)
    points = half_widths.sum() * np.array([-1, -0.6, -0.55, 0, 0.3, 0.8, 1])
    for a in range(len(half_widths)):
        found, error = closed_form(np.delete(half_widths, a), half_widths[a], bins, points)
        np.testing.assert_allclose(
            found, naive_given(half_widths, a, bins, points), atol=2e-4 if len(half_widths) > 1 else 0.006
        )
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
        assert 0 < error < 1e-12


def exactly(half_widths, a, bins, points):
    """The same as `closed_form`, in fractions: no rounding at all."""
    widths, n = [Fraction(width) for width in half_widths], len(half_widths)
    own = widths.pop(a)
    scale = math.factorial(n) * math.prod(2 * width for width in widths) * 2 * own / bins

    def corners(t):
        """Sum over the corners of the box of the others, of the n-th power where it is positive."""
        signs = product((-1, 1), repeat=n - 1)
        sums = ((math.prod(s), t + sum(x * y for x, y in zip(s, widths, strict=True))) for s in signs)
        return sum(sign * max(corner, 0) ** n for sign, corner in sums)

    edges = [own * (2 * Fraction(i) / bins - 1) for i in range(bins + 1)]
    cdf = [[(corners(t - low) - corners(t - high)) / scale for t in points] for low, high in pairwise(edges)]
    return np.diff(np.array(cdf, float), axis=1)


@slow
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_rounding_of_the_closed_form_is_below_its_bound(seed, inputs):
    rng = np.random.default_rng(seed)
    half_widths = 10 ** rng.uniform(-4, 0, inputs)
    reach = float(sum(Fraction(width) for width in half_widths)) * (1 + 1e-15)
    points = [Fraction(t) for t in (-reach, *np.sort(rng.uniform(-reach, reach, 3)), reach)]
    for a in range(inputs):
        found, error = closed_form(np.delete(half_widths, a), half_widths[a], 3, np.array(points, float))
        assert np.abs(found - exactly(half_widths, a, 3, points)).max() <= error + 1e-15


def test_a_closed_form_without_digits_says_so():
    """Where the powers cancel to nothing, the bound is large: such a row must not count as known."""
    tiny = closed_form(np.array([1.0, 1e-7]), 1e-7, 8, np.array([-1.1, 0.0, 1.1]))
    assert tiny[1] > 1e-7


def by_series(half_widths, points, bins, terms):
    """P(interval | bin) of every input: (inputs, intervals, bins)."""
    series = series_of(half_widths, points, bins, terms)
    found = np.empty((len(half_widths), len(points) - 1, bins))
    for number, table_of_one in enumerate(found):
        series_probabilities(series, number, table_of_one)
    return found


@slow
@given(st.integers(0, 10**6), st.integers(3, 6), st.integers(2, 9))
def test_series_and_closed_form_agree_within_their_bounds(seed, inputs, bins):
    rng = np.random.default_rng(seed)
    half_widths = 10 ** rng.uniform(-0.7, 0, inputs)
    reach = half_widths.sum()
    points = np.concatenate([[-reach], np.sort(rng.uniform(-reach, reach, 6)), [reach]])
    terms = terms_needed(half_widths, bins, 1e-10)
    found = by_series(half_widths, points, bins, terms.count)
    for a in range(inputs):
        other, error = closed_form(np.delete(half_widths, a), half_widths[a], bins, points)
        assert np.abs(found[a] - other.T).max() <= terms.error + error + 1e-13


def coefficients(half_widths, a, bins, m):
    """C_m of the definition in THEORY: one input at a time."""
    x = np.pi * m / half_widths.sum()
    product_of_others = np.ones_like(x)
    for k, width in enumerate(half_widths):
        product_of_others *= np.sinc(x * width / (np.pi * (bins if k == a else 1)))
    return product_of_others / (np.pi * m)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.sampled_from([2, 8, 64]),
    st.sampled_from([1e-2, 1e-4, 1e-7, 1e-10]),
)
def test_the_rest_of_the_series_is_below_its_bound(seed, inputs, bins, error):
    """All coefficients left out, added without their signs, up to 40,000 terms; for every choice of A."""
    rng = np.random.default_rng(seed)
    half_widths = 10 ** rng.uniform(rng.uniform(-4, 0), 0, inputs)
    terms = terms_needed(half_widths, bins, error)
    assert terms.count <= 2**14
    assert terms.error <= 2 * error or terms.count > 2**14 / 1.5
    m = np.arange(terms.count + 1.0, 40_000)
    for a in range(inputs):
        assert 2 * np.abs(coefficients(half_widths, a, bins, m)).sum() <= terms.error * (1 + 1e-9)


@slow
@given(st.integers(0, 10**6), st.integers(2, 10), st.sampled_from([3e-2, 1e-3, 1e-5]))
def test_few_terms_differ_from_many_by_less_than_the_bound(seed, inputs, error):
    rng = np.random.default_rng(seed)
    half_widths = rng.uniform(0.2, 1, inputs)
    reach = half_widths.sum()
    points = np.concatenate([[-reach], np.sort(rng.uniform(-reach, reach, 9)), [reach]])
    few = terms_needed(half_widths, 8, error)
    one, many = (by_series(half_widths, points, 8, count) for count in (few.count, 2**11))
    assert np.abs(one - many).max() <= few.error + 1e-6


@pytest.mark.parametrize("bins", [1, 64])
def test_the_envelope_of_a_sinc(bins):
    """Above the logarithm of |sin x / x| everywhere, and never rising: then a sum is below an integral."""
    x = np.concatenate([np.linspace(1e-6, 12, 200_001), np.geomspace(12, 1e5, 20_001)]) / bins
    envelope = _log_envelope(x)
    with np.errstate(divide="ignore"):
        assert (envelope >= np.log(np.abs(np.sinc(x / np.pi))) - 1e-12).all()
    assert (np.diff(envelope) <= 0).all()


def test_comparable_inputs_need_few_terms():
    assert terms_needed(np.ones(8), 64, 1e-9).count < 120
    assert terms_needed(np.ones(100), 64, 1e-9).count < 120
    assert terms_needed(np.ones(2), 64, 1e-9).count > 1000


# --- information of probabilities


def bits_of(given, labels=None):
    """`pair_bits` of P(cell | bin), (bins, cells)."""
    labels = np.arange(given.shape[1]) if labels is None else labels
    return pair_bits(given.T.copy(), same_cells(labels))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(2, 12), st.integers(1, 9))
def test_bits_at_most_bounds_the_change(seed, bins, cells, digits):
    """Probabilities moved by at most `error`, the worst of some ways to do it."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(cells, 10 ** rng.uniform(-2, 1)), bins)
    error = 10.0**-digits
    for change in (rng.uniform(-error, error, p.shape), error * rng.choice([-1, 1], p.shape)):
        moved = np.clip(p + change, 0, 1)
        moved[:, 0] += 1 - moved.sum(1)
        if (moved[:, 0] < 0).any():
            continue
        bound = bits_at_most(float(np.abs(moved - p).max()), cells)
        difference = abs(bits_of(moved) - bits_of(p))
        assert difference <= bound + 1e-12


def test_bits_at_most_is_not_far_too_low_at_its_worst():
    """Two sure bins of which a little leaks: H(Y) stays, H(Y | X) rises from 0 to h(leak)."""
    for leak in (0.2, 1e-2, 1e-6):
        moved = np.array([[1 - leak, leak], [leak, 1 - leak]])
        assert 1 - bits_of(moved) <= bits_at_most(leak, 2)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(2, 12), st.integers(3, 9))
def test_bits_at_most_bounds_the_change_of_what_is_left(seed, bins, cells, digits):
    """After a part was dropped, the rest is divided by its share, and so is every error."""
    rng = np.random.default_rng(seed)
    error, share = 10.0**-digits, 10 ** rng.uniform(-2, 0)
    p = rng.dirichlet(np.full(cells, 10 ** rng.uniform(-2, 1)), bins) * share * rng.uniform(0.5, 1, (bins, 1))
    for change in (rng.uniform(-error, error, p.shape), error * rng.choice([-1, 1], p.shape)):
        moved = np.maximum(p + change, 0)
        kept = min(p.sum(), moved.sum()) / bins
        bound = bits_at_most(error, cells, kept)
        difference = abs(bits_of(moved) - bits_of(p))
        assert difference <= bound + 1e-12


def test_bits_at_most_at_its_ends():
    assert bits_at_most(0.0, 64) == 0
    assert bits_at_most(1.0, 64) == 6
    assert bits_at_most(0.5, 2) == 1
    bounds = [bits_at_most(10.0**-k, 64) for k in range(15)]
    assert bounds == sorted(bounds, reverse=True)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.booleans())
def test_pair_bits_is_the_definition(seed, dropped):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(5, 0.3), 4)
    if dropped:
        p = p[:, :-1] * rng.uniform(0, 1, (4, 1))
    assert bits_of(p) == pytest.approx(information(p / 4), abs=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_pair_bits_of_cells_that_count_as_one(seed):
    """Cells of one label anywhere among the others are one; those of label -1 are left out."""
    rng = np.random.default_rng(seed)
    p, labels = rng.dirichlet(np.full(9, 0.5), 4), rng.integers(-1, 4, 9)
    joined = np.stack([p[:, labels == label].sum(1) for label in range(4)], axis=1)
    assert bits_of(p, labels) == pytest.approx(information(joined / 4) if joined.any() else 0, abs=1e-12)


def test_pair_bits_of_nothing_is_zero():
    assert bits_of(np.zeros((3, 4))) == 0
    one_row = np.zeros((3, 4))
    one_row[1] = [0.2, 0.3, 0.1, 0.4]
    assert bits_of(one_row) == pytest.approx(0, abs=1e-12)


def test_the_logarithm_is_right_to_a_few_units_in_the_last_place():
    rng = np.random.default_rng(0)
    values = np.concatenate(
        [10 ** rng.uniform(-299, 3, 20_000), 1 + rng.normal(size=5000) * 1e-3, 2.0 ** np.arange(-9, 3)]
    )
    truth = np.log(values.astype(np.longdouble))
    off = np.abs(np.array([_log(value) for value in values]) - truth)
    assert (off <= 4 * np.finfo(float).eps * np.abs(truth)).all()


# --- the maximum of a window


def window_oracle(inputs, activation, in_range, in_bins, out_range, out_bins, outside, alone):
    if alone:
        x = np.linspace(*in_range, 1_200_001)
        cells = np.minimum(np.arange(len(x)) * in_bins // 1_200_000, in_bins - 1)
        x = (x[1:] + x[:-1]) / 2
        y = np.maximum(x, 0) if inputs > 1 else x
        return information(
            table(cells[:-1], naive_bins(applied(activation, y), *out_range, out_bins, outside))
        )
    x, cells = grid_points(inputs, in_range, in_bins, 400 // in_bins if inputs < 3 else 80 // in_bins)
    labels = naive_bins(applied(activation, x.max(axis=1)), *out_range, out_bins, outside)
    return information(table(cells[:, 0], labels))


@pytest.mark.parametrize(("alone", "outside"), list(product([True, False], ["clip", "drop"])))
@pytest.mark.parametrize("inputs", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "in_range", "out_range"),
    [
        ("identity", (0, 1), (0, 1)),
        ("identity", (-2, 3), (-1, 2.5)),
        ("identity", (-3, -1), (-3, 1)),
        ("identity", (-2, 2), (-1.5, 1)),
        ("ReLU", (-2, 3), (0, 2)),
        ("Sigmoid", (-4, 4), (0, 1)),
        ("GELU", (-3, 3), (-0.2, 2)),
    ],
)
def test_window_is_brute_force(name, in_range, out_range, inputs, alone, outside):
    steps = binned(known_activation(ACTIVATIONS[name]), *out_range, 5)
    found = exact_window(inputs, steps, in_range, 4, outside=outside, alone=alone)
    truth = window_oracle(inputs, ACTIVATIONS[name], in_range, 4, out_range, 5, outside, alone)
    assert found.matrix.shape == (inputs, 1)
    np.testing.assert_allclose(found.matrix, truth, atol=0.03 if inputs == 3 and not alone else 0.008)


def test_window_by_hand():
    """max(x, y) of two coins on (0, 1): above 1/2 with 3/4; known if x is."""
    steps = binned(known_activation(None), 0.0, 1.0, 2)
    found = exact_window(2, steps, (0, 1), 2, outside="clip", alone=False)
    assert found.matrix[0, 0] == pytest.approx(information([[0.25, 0.25], [0, 0.5]]), abs=1e-15)
    assert found.outside == 0
    wide = exact_window(
        2, binned(known_activation(None), 0.0, 0.5, 2), (0, 1), 2, outside="clip", alone=False
    )
    assert wide.outside == pytest.approx([0.75])
