"""Sensitivity of pairs without sampling: against walking along the line of the one input that moves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from information_oracles import (
    ACTIVATIONS,
    ISSUE,
    golden,
    information,
    information_of_line,
    sensitivity_oracle,
)

from nbwidgets_nn.kernels.binned_activation import Steps, binned, default_range, known_activation
from nbwidgets_nn.kernels.exact_parts import exact_parts
from nbwidgets_nn.kernels.exact_sensitivity import exact_sensitivity

slow = settings(max_examples=25, deadline=None, derandomize=True)


def solve(weights, bias, activation, in_range, in_bins, out_range, out_bins, outside="clip"):
    weights = np.asarray(weights, float)
    steps = binned(known_activation(activation), *out_range, out_bins)
    bias = np.zeros(len(weights)) if bias is None else np.asarray(bias, float)
    return exact_sensitivity(weights, bias, [steps] * len(weights), in_range, in_bins, outside=outside)


@pytest.mark.parametrize("outside", ["clip", "drop"])
@pytest.mark.parametrize("name", ISSUE)
def test_is_the_definition_for_every_activation(name, outside):
    low, high = default_range(ACTIVATIONS[name])
    arguments = (
        np.append(golden(3, 2, 2.0), [[0.0], [1e-3]], axis=1),
        np.array([0.3, -0.4]),
        ACTIVATIONS[name],
        (-1, 2),
        6,
        (low + 0.013, high - 0.4 * (high - low)),
        7,
        outside,
    )
    np.testing.assert_allclose(solve(*arguments).matrix, sensitivity_oracle(*arguments), atol=1e-9)


@slow
@given(
    st.integers(0, 10**6),
    st.sampled_from(sorted(set(ACTIVATIONS) - {"GELU", "GELU tanh", "Tanhshrink"})),
    st.sampled_from(["clip", "drop"]),
)
def test_is_the_definition_for_random_pairs(seed, name, outside):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(2, 2)) * 10 ** rng.uniform(-2, 1, (2, 2))
    in_range = [(0, 1), (-1, 1), (-2, 3), (0, 10)][seed % 4]
    out_range = [default_range(ACTIVATIONS[name]), (-0.91, 1.07), (-1, 1)][seed % 3]
    bins = rng.integers(2, 40, 2)
    arguments = (
        weights,
        rng.normal(size=2),
        ACTIVATIONS[name],
        in_range,
        bins[0],
        out_range,
        bins[1],
        outside,
    )
    np.testing.assert_allclose(solve(*arguments).matrix, sensitivity_oracle(*arguments), atol=1e-7)


def test_by_hand():
    """4 bins of x in (0, 1), 4 bins of (0, 1) for 1.5 x - 0.25: the first sixth is below, the last above."""
    joint = np.zeros((4, 4))
    # Breaks at x = 1/6 (y = 0), 1/3, 1/2, 2/3, 5/6 (y = 1); in twelfths.
    joint[0] = [3, 0, 0, 0]
    joint[1] = [1, 2, 0, 0]
    joint[2] = [0, 0, 2, 1]
    joint[3] = [0, 0, 0, 3]
    found = solve([[1.5]], [-0.25], None, (0, 1), 4, (0, 1), 4)
    assert found.matrix.item() == pytest.approx(information(joint), abs=1e-12)
    assert found.outside == pytest.approx([1 / 3])
    joint[0], joint[3] = [1, 0, 0, 0], [0, 0, 0, 1]
    dropped = solve([[1.5]], [-0.25], None, (0, 1), 4, (0, 1), 4, "drop")
    assert dropped.matrix.item() == pytest.approx(information(joint), abs=1e-12)
    assert dropped.outside == pytest.approx([1 / 3])


@pytest.mark.parametrize("bins", [2, 3, 16, 64])
@pytest.mark.parametrize("sign", [1, -1])
def test_identity_edge_has_all_bits(bins, sign):
    assert solve([[sign]], None, None, (-1, 1), bins, (-1, 1), bins).matrix.item() == pytest.approx(
        np.log2(bins)
    )


@slow
@given(st.integers(0, 10**6), st.sampled_from(ISSUE))
def test_sign_of_a_weight_does_not_matter_with_a_symmetric_range(seed, name):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(3, 4)), rng.normal(size=3)
    signs = rng.choice([-1, 1], (3, 4))
    both = [
        solve(w, bias, ACTIVATIONS[name], (-1, 1), 9, (-0.93, 1.02), 8).matrix
        for w in (weights, weights * signs)
    ]
    np.testing.assert_allclose(*both, atol=1e-9)


@slow
@given(st.integers(0, 10**6), st.sampled_from(ISSUE), st.sampled_from(["clip", "drop"]))
def test_one_input_is_the_same_in_both_measures(seed, name, outside):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(3, 1)) * 2, rng.normal(size=3)
    steps = binned(known_activation(ACTIVATIONS[name]), -0.73, 1.02, 8)
    arguments = (weights, bias, [steps] * 3, (-1, 2), 9)
    alone, together = exact_sensitivity(*arguments, outside=outside), exact_parts(*arguments, outside=outside)
    np.testing.assert_allclose(alone.matrix, together.matrix, atol=1e-8)
    np.testing.assert_allclose(alone.outside, together.outside, atol=1e-12)


def test_zero_weights_and_constant_outputs():
    found = solve(np.zeros((3, 2)), [0.0, 5.0, -5.0], None, (0, 1), 4, (-1, 1), 4)
    np.testing.assert_array_equal(found.matrix, 0)
    np.testing.assert_array_equal(found.outside, [0, 1, 1])
    # An edge value: at the upper end it is in the last bin.
    assert solve(np.zeros((1, 1)), [1.0], None, (0, 1), 4, (-1, 1), 4).outside == [0]
    found = solve([[0.0, 2.0]], [0.0], None, (-1, 1), 4, (-1, 1), 4, "drop")
    assert found.matrix[0, 0] == 0
    assert found.outside == pytest.approx([0.25])


@pytest.mark.parametrize("tiny", [1e-12, 1e-300, 5e-324])
@pytest.mark.parametrize("huge", [1e12, 1e300])
def test_extreme_weights(tiny, huge):
    with np.errstate(all="raise", under="ignore"):
        found = solve([[tiny, huge, -huge]], [0.1], None, (-1, 1), 8, (-1, 1), 8).matrix
    # All but nothing of the range leads to the first or the last bin.
    np.testing.assert_allclose(found[:, 0], [0, 1, 1], atol=1e-6)


def test_outputs_with_bins_of_their_own():
    weights, bias = golden(3, 3, 2.0), np.array([0.1, 0.2, 0.3])
    ranges, bins = [(-1, 1), (-2, 0.5), (-1, 1)], [5, 8, 7]
    steps = [binned(known_activation(None), *r, b) for r, b in zip(ranges, bins, strict=True)]
    found = exact_sensitivity(weights, bias, steps, (-1, 1), 6).matrix
    for output in range(3):
        one = slice(output, output + 1)
        alone = solve(weights[one], bias[one], None, (-1, 1), 6, ranges[output], bins[output]).matrix
        np.testing.assert_array_equal(found[:, output], alone[:, 0])


def test_many_pairs_are_computed_in_pieces():
    weights = np.random.default_rng(0).normal(size=(70, 130))
    found = solve(weights, np.zeros(70), None, (-1, 1), 4, (-1, 1), 4).matrix
    for a, b in [(0, 0), (129, 69), (58, 35), (58, 34), (100, 1)]:
        one = solve(weights[b : b + 1, a : a + 1], [0.0], None, (-1, 1), 4, (-1, 1), 4)
        assert found[a, b] == one.matrix.item()


@slow
@given(st.integers(0, 10**6), st.integers(2, 9), st.sampled_from(["clip", "drop"]), st.booleans())
def test_steps_down_and_up_again(seed, bins, outside, rising):
    """Labels that come back, as behind GELU: two stretches of one label can meet in one input bin."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 6))
    ladder = np.concatenate([[count], np.arange(count), [count + 1]])
    lowest = int(rng.integers(0, count + 1))
    left, right = rng.integers(lowest, count + 2, 2)
    labels = np.concatenate([ladder[left:lowest:-1], ladder[lowest : right + 1]])
    labels = labels[np.concatenate([[True], labels[1:] != labels[:-1]])]
    places = np.sort(rng.uniform(0, bins, len(labels) - 1))
    if seed % 2:  # some on the edges of input bins, some at the same place
        places = np.round(places)
    steps = Steps(places, labels, count)

    def label(x):
        found = labels[np.searchsorted(places, x if rising else bins - x, side="right")]
        if outside == "drop":
            return np.where(found >= count, -1, found)
        return np.where(found == count, 0, np.where(found == count + 1, count - 1, found))

    walked = information_of_line(label, (0, bins), bins)
    line = ([[1.0]], [0.0]) if rising else ([[-1.0]], [float(bins)])
    found = exact_sensitivity(*map(np.array, line), [steps], (0, bins), bins, outside=outside)
    bits, beyond = found.matrix[0], found.outside
    assert bits[0] == pytest.approx(walked, abs=1e-9)
    lengths = np.diff(np.concatenate([[0], places, [bins]]))
    assert beyond[0] == pytest.approx(lengths[labels >= count].sum() / bins)
