"""EI, EI_parts and sensitivity through the public functions: published values, properties, every parameter."""

import inspect
import random
import threading
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from information_oracles import (
    ACTIVATIONS,
    ISSUE,
    applied,
    codes,
    golden,
    grid_points,
    information,
    information_of_line,
    linear,
    naive_bins,
    parts_oracle,
    sensitivity_oracle,
    table,
    topology,
    vector_oracle,
)
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels import vector_information
from nbwidgets_nn.kernels.binned_activation import default_range
from nbwidgets_nn.kernels.information import ESTIMATORS
from nbwidgets_nn.kernels.pairs_of_layer import UncertainResultWarning

SIGMOID = {"in_range": (0, 1), "out_range": (0, 1), "activation": torch.sigmoid}
TANH = {"in_range": (-1, 1), "out_range": (-1, 1), "activation": torch.tanh}
RELU = {"in_range": (0, 1), "out_range": (0, 1), "activation": torch.relu}
EIGHT = {"in_bins": 8, "out_bins": 8}
MEASURES = [nw.ei, nw.ei_parts, nw.sensitivity]
few = settings(max_examples=12, deadline=None, derandomize=True)


def activated(name):
    """An activation as an argument; None would mean the model's own."""
    return ACTIVATIONS[name] or nn.Identity()


# --- the values of the theory


@pytest.mark.parametrize(
    ("weight", "given_", "values"),
    [
        (1.0, SIGMOID, [0.94653, 1.88226, 2.85133, 3.78436]),
        (3.0, SIGMOID, [1.68958, 2.52728, 3.48434, 4.34920]),
        (1.0, TANH, [2.34759, 3.25296, 4.15354, 5.19884]),
        (2.0, RELU | {"outside": "drop"}, [2, 3, 4, 5]),
        (2.0, RELU | {"outside": "clip"}, [1.71692, 2.32854, 2.89898, 3.44177]),
    ],
)
@pytest.mark.parametrize("measure", MEASURES)
def test_one_edge(measure, weight, given_, values):
    layer, graph = linear([[weight]])
    found = [measure(layer, graph, in_bins=b, out_bins=b, **given_) for b in (8, 16, 32, 64)]
    assert found == pytest.approx(values, abs=6e-6)


@pytest.mark.parametrize("bins", [2, 7, 16, 64])
@pytest.mark.parametrize("units", [1, 3, 6])
@pytest.mark.parametrize("measure", MEASURES)
def test_identity_has_all_bits(measure, units, bins):
    layer, graph = linear(np.eye(units))
    found = measure(layer, graph, in_bins=bins, out_bins=bins, return_result=True)
    assert found.value == pytest.approx(units * np.log2(bins), abs=1e-9)
    assert found.method == "exact"


@pytest.mark.parametrize("width", [1, 2, 5])
def test_all_ones_have_the_sensitivity_of_their_edges(width):
    layer, graph = linear(np.ones((width, width)))
    assert nw.sensitivity(layer, graph, in_bins=16, out_bins=16) == pytest.approx(4 * width**2, abs=1e-9)


def test_two_inputs():
    layer, graph = linear([[1.0, 1.0]])
    assert nw.ei_parts(layer, graph, **SIGMOID) == pytest.approx(1.3251, abs=6e-5)
    layer, graph = linear([[4.0, -4.0]])
    assert nw.ei_parts(layer, graph, **SIGMOID) == pytest.approx(1.3682, abs=6e-5)


def test_golden_layers():
    layer, graph = linear(golden(2, 2, 1.0))
    matrix = nw.ei_parts_matrix(layer, graph, **EIGHT, **SIGMOID)
    np.testing.assert_allclose(matrix, [[0.400699, 0.557752], [0.168260, 0.247834]], atol=6e-7)
    assert nw.ei_parts(layer, graph, **EIGHT, **SIGMOID) == pytest.approx(1.374545, abs=6e-7)
    layer, graph = linear(golden(3, 2, 3.0))
    assert nw.ei_parts(layer, graph, **EIGHT, **SIGMOID) == pytest.approx(1.933629, abs=6e-7)
    assert nw.sensitivity(layer, graph, **EIGHT, **SIGMOID) == pytest.approx(8.242196, abs=6e-7)


@pytest.mark.parametrize(("shape", "scale", "value"), [((2, 2), 1.0, 2.0335), ((3, 2), 3.0, 2.5643)])
def test_golden_layers_as_vectors(shape, scale, value):
    layer, graph = linear(golden(*shape, scale))
    found = nw.ei(layer, graph, threshold=0.001, **EIGHT, **SIGMOID, return_result=True)
    assert found.standard_error < 0.004
    assert found.value == pytest.approx(value, abs=0.001 + 3 * found.standard_error)


# --- facts


def test_ei_can_exceed_sensitivity_at_coarse_bins():
    """Two weak edges say nothing alone, and something together."""
    layer, graph = linear([[0.9, 0.9]])
    given_ = {"in_range": (0, 1), "out_range": (0, 2), "in_bins": 2, "out_bins": 2}
    assert nw.sensitivity(layer, graph, **given_) == 0
    assert nw.ei(layer, graph, **given_) > 0.3


def test_phi_of_copies_is_negative():
    layer, graph = linear([[1.0], [1.0]])
    assert nw.vector_and_pairwise_ei(layer, graph, in_bins=16, out_bins=16) == (4, 8)


# --- properties


@few
@given(st.integers(0, 10**6), st.sampled_from(ISSUE), st.sampled_from(["clip", "drop"]))
def test_exact_is_the_definition(seed, name, outside):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(2, rng.integers(1, 4))) * 2, rng.normal(size=2)
    layer, graph = linear(weights, bias)
    given_ = {
        "in_range": (-1, 2),
        "in_bins": 7,
        "out_range": (-0.83, 1.04),
        "out_bins": 9,
        "outside": outside,
    }
    oracle = (weights, bias, ACTIVATIONS[name], *given_.values())
    found = nw.ei_parts_matrix(layer, graph, activation=activated(name), **given_)
    np.testing.assert_allclose(found, parts_oracle(*oracle), atol=1e-5)
    found = nw.sensitivity_matrix(layer, graph, activation=activated(name), **given_)
    np.testing.assert_allclose(found, sensitivity_oracle(*oracle), atol=1e-7)


@pytest.mark.parametrize("outside", ["clip", "drop"])
@pytest.mark.parametrize("name", ISSUE)
@pytest.mark.parametrize("measure", [nw.ei_parts, nw.sensitivity])
def test_exact_and_sampled_agree(measure, name, outside):
    """Many inputs, within 4 standard errors of the draws."""
    rng = np.random.default_rng(len(name))
    layer, graph = linear(rng.normal(size=(3, 12)) / 2, rng.normal(size=3))
    low, high = default_range(ACTIVATIONS[name])
    given_ = {"in_range": (-1, 1), "out_range": (low, high - 0.3 * (high - low)), "outside": outside} | EIGHT
    exact = measure(layer, graph, activation=activated(name), method="exact", return_result=True, **given_)
    drawn = measure(layer, graph, activation=activated(name), samples=20_000, return_result=True, **given_)
    assert exact.value == pytest.approx(drawn.value, abs=4 * drawn.standard_error)
    assert exact.outside_share == pytest.approx(drawn.outside_share, abs=0.01)
    assert (exact.method, drawn.method) == ("exact", "sampled")


@few
@given(st.integers(0, 10**6), st.integers(1, 30), st.sampled_from(ISSUE), st.booleans())
def test_exact_and_sampled_agree_over_random_layers(seed, inputs, name, alone):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(2, inputs)) * 10 ** rng.uniform(-1, 0, (2, inputs))
    layer, graph = linear(weights, rng.normal(size=2))
    measure = nw.sensitivity_matrix if alone else nw.ei_parts_matrix
    given_ = {"in_range": (0, 1), "activation": activated(name)} | EIGHT
    exact = measure(layer, graph, return_result=True, **given_)
    drawn = measure(layer, graph, samples=20_000, seed=seed, return_result=True, **given_)
    assert exact.value == pytest.approx(drawn.value, abs=4 * drawn.standard_error + 1e-6)
    np.testing.assert_allclose(exact.matrix, drawn.matrix, atol=0.03)


@few
@given(st.integers(0, 10**6), st.sampled_from(ISSUE))
def test_pairs_are_bounded_and_never_negative(seed, name):
    rng = np.random.default_rng(seed)
    inputs, outputs = (int(units) for units in rng.integers(1, 6, 2))
    in_bins, out_bins = (int(bins) for bins in rng.integers(2, 12, 2))
    layer, graph = linear(rng.normal(size=(outputs, inputs)) * 3, rng.normal(size=outputs))
    given_ = {"activation": activated(name), "in_bins": in_bins, "out_bins": out_bins}
    for measure in (nw.ei_parts_matrix, nw.sensitivity_matrix):
        matrix = measure(layer, graph, **given_)
        assert matrix.shape == (inputs, outputs)
        assert (matrix >= 0).all()
        assert (matrix <= np.log2(min(in_bins, out_bins)) + 1e-9).all()
    # All inputs together: what the output has is shared between them.
    assert nw.ei_parts_matrix(layer, graph, **given_).sum(axis=0).max() <= np.log2(out_bins) + 1e-9


@few
@given(st.integers(0, 10**6), st.sampled_from(["Tanh", "identity", "ReLU", "GELU"]))
def test_finer_bins_never_tell_less(seed, name):
    rng = np.random.default_rng(seed)
    layer, graph = linear(rng.normal(size=(2, rng.integers(1, 8))), rng.normal(size=2))
    for measure in (nw.ei_parts_matrix, nw.sensitivity_matrix):
        coarse, inputs, outputs = (
            measure(
                layer,
                graph,
                in_range=(-1, 1),
                out_range=(-1.02, 1),
                activation=activated(name),
                in_bins=a,
                out_bins=b,
            )
            for a, b in [(4, 5), (12, 5), (4, 10)]
        )
        assert (inputs >= coarse - 1e-8).all()
        assert (outputs >= coarse - 1e-8).all()


@few
@given(st.integers(0, 10**6))
def test_order_of_units_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(4, 6)), rng.normal(size=4)
    rows, columns = rng.permutation(4), rng.permutation(6)
    for measure in (nw.ei_parts_matrix, nw.sensitivity_matrix):
        given_ = EIGHT | SIGMOID | {"in_range": (-1, 2)}
        one = measure(*linear(weights, bias), **given_)
        other = measure(*linear(weights[np.ix_(rows, columns)], bias[rows]), **given_)
        np.testing.assert_allclose(other, one[np.ix_(columns, rows)], atol=1e-9)


@few
@given(st.integers(0, 10**6))
def test_sign_of_a_weight_does_not_matter_with_a_symmetric_range(seed):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(3, 6)), rng.normal(size=3)
    signs = rng.choice([-1, 1], (3, 6))
    for measure in (nw.ei_parts_matrix, nw.sensitivity_matrix):
        one, other = (measure(*linear(w, bias), **EIGHT, **TANH) for w in (weights, weights * signs))
        np.testing.assert_allclose(one, other, atol=1e-8)


@few
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3))
def test_vector_ei_is_bounded(seed, inputs, outputs):
    rng = np.random.default_rng(seed)
    layer, graph = linear(rng.normal(size=(outputs, inputs)) * 2)
    found = nw.ei(layer, graph, in_bins=4, out_bins=3, samples=10_000, return_result=True, **TANH)
    slack = 4 * found.standard_error + 1e-9
    assert -slack <= found.value <= min(2 * inputs, outputs * np.log2(3)) + slack


@few
@given(
    st.integers(0, 10**6), st.sampled_from(["identity", "ReLU", "Tanh", "GELU", "SiLU"]), st.integers(1, 4)
)
def test_vector_ei_of_one_input_is_exact(seed, name, outputs):
    """All outputs are functions of one number: the bins of all of them change where one does."""
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(outputs, 1)) * 3, rng.normal(size=outputs)
    found = nw.ei(
        *linear(weights, bias),
        activation=activated(name),
        in_range=(-2, 3),
        in_bins=5,
        out_range=(-0.93, 1.04),
        out_bins=4,
        return_result=True,
    )
    truth = information_of_line(
        lambda x: codes(
            naive_bins(applied(ACTIVATIONS[name], x[:, None] * weights[:, 0] + bias), -0.93, 1.04, 4), 4
        ),
        (-2, 3),
        5,
    )
    assert found.method == "exact"
    assert found.value == pytest.approx(truth, abs=1e-7)


def test_vector_ei_of_one_input_whose_outputs_come_back_many_times():
    """Behind GELU the same three bins hold on four stretches of the input."""
    weights, bias = [[3.2335011], [-2.8123604], [5.8536752]], [-1.7930524, 1.9088446, 1.0889247]
    layer, graph = linear(weights, bias)
    given_ = {"in_range": (-2, 3), "in_bins": 4, "out_range": (-0.3, 0.1), "out_bins": 2}
    found = nw.ei(layer, graph, activation=nn.GELU(), **given_)

    def label(x):
        y = applied(nn.GELU(), x[:, None] * np.ravel(weights) + bias)
        return codes(naive_bins(y, -0.3, 0.1, 2), 2)

    assert found == pytest.approx(information_of_line(label, (-2, 3), 4), abs=1e-7)
    assert found == pytest.approx(0.46164, abs=1e-5)


@pytest.mark.parametrize("outside", ["clip", "drop"])
@pytest.mark.parametrize(("inputs", "outputs"), [(2, 1), (2, 2), (1, 3)])
def test_vector_ei_is_brute_force(inputs, outputs, outside):
    weights = golden(inputs, outputs, 2.0)
    found = nw.ei(
        *linear(weights),
        in_range=(-1, 1),
        out_range=(-0.6, 0.9),
        activation=torch.tanh,
        in_bins=4,
        out_bins=4,
        outside=outside,
        threshold=0.005,
        return_result=True,
    )
    truth = vector_oracle(
        lambda x: applied(torch.tanh, x @ weights.T), inputs, (-1, 1), 4, (-0.6, 0.9), 4, outside, inside=150
    )
    assert found.value == pytest.approx(truth, abs=4 * found.standard_error + 3e-3)


def test_independent_parts_add_up():
    weights = np.zeros((5, 5))
    weights[:2, :2], weights[2, 2], weights[3, 2] = golden(2, 2, 2.0), 1.0, 0.5
    found = nw.ei(*linear(weights), **EIGHT, **SIGMOID, threshold=0.01, return_result=True)
    two = nw.ei(*linear(weights[:2, :2]), **EIGHT, **SIGMOID, threshold=0.01)
    one = nw.ei(*linear(weights[2:4, 2:3]), **EIGHT, **SIGMOID)
    assert found.value == pytest.approx(two + one, abs=1e-9)
    assert found.method.startswith("exact for 1 of 2 independent parts")
    whole = nw.ei(*linear(weights), **EIGHT, **SIGMOID, method="sample", return_result=True)
    assert whole.value == pytest.approx(
        found.value, abs=4 * np.hypot(whole.standard_error, found.standard_error)
    )


def test_errors_of_independent_parts_are_independent():
    """Each part has draws of its own: the k-th those of seed + k."""
    one, other = golden(2, 2, 2.0), golden(2, 2, 1.0)
    whole = np.block([[one, np.zeros((2, 2))], [np.zeros((2, 2)), other]])
    found = nw.ei(*linear(whole), **EIGHT, **SIGMOID, seed=5, return_result=True)
    parts = [
        nw.ei(*linear(part), **EIGHT, **SIGMOID, seed=seed, return_result=True)
        for part, seed in [(one, 5), (other, 6)]
    ]
    assert found.value == pytest.approx(sum(part.value for part in parts), abs=1e-9)
    assert found.standard_error == pytest.approx(np.hypot(*(part.standard_error for part in parts)))
    assert found.samples == sum(part.samples for part in parts)


def test_dropping_in_one_output_drops_the_draw_for_all():
    """Two independent edges; half of the second is outside, which the first alone would not notice."""
    layer, graph = linear(np.diag([1.0, 2.0]))
    found = nw.ei(
        layer, graph, **EIGHT, **RELU | {"activation": nn.Identity()}, outside="drop", return_result=True
    )
    assert found.value == pytest.approx(6 - 1, abs=4 * found.standard_error + 0.01)
    assert found.outside_share == pytest.approx(0.25, abs=0.01)


# --- groups, and both at once


def test_groups():
    weights = golden(3, 3, 2.0)
    layer, graph = linear(weights)
    groups = [((0,), (1,)), ((0, 2), (1,)), ((1,), (0, 2)), ((2, 0, 1), (0, 1, 2))]
    found = nw.eis_between_groups(layer, graph, groups, **EIGHT, **TANH, return_result=True, threshold=0.01)
    values = nw.eis_between_groups(layer, graph, groups, **EIGHT, **TANH, threshold=0.01)
    assert values == [one.value for one in found]
    matrix = nw.ei_parts_matrix(layer, graph, **EIGHT, **TANH)
    assert (found[0].method, found[0].standard_error) == ("exact", 0)
    assert found[0].value == pytest.approx(matrix[0, 1], abs=1e-12)
    assert found[0].matrix == pytest.approx(matrix[:1, 1:2])
    x, cells = grid_points(3, (-1, 1), 8, 20)
    labels = naive_bins(applied(torch.tanh, x @ weights.T), -1, 1, 8)
    for (inputs, outputs), one in list(zip(groups, found, strict=True))[:3]:
        truth = information(table(codes(cells[:, inputs], 8), codes(labels[:, outputs], 8)))
        assert one.value == pytest.approx(truth, abs=4 * one.standard_error + 6e-3)
    whole = nw.ei(layer, graph, **EIGHT, **TANH, threshold=0.01, return_result=True)
    assert found[3].value == pytest.approx(
        whole.value, abs=4 * (found[3].standard_error + whole.standard_error)
    )


def test_groups_of_a_convolution_have_all_its_inputs():
    """With groups=2, inputs 0..1 are those of the first group, 2..3 of the second."""
    conv = nn.Conv1d(2, 2, 2, groups=2, dtype=torch.float64)
    graph = topology(nn.Sequential(conv), (2, 5))
    pairs = [((a,), (b,)) for a in range(4) for b in range(2)]
    found = nw.eis_between_groups(conv, graph, pairs, **EIGHT, **TANH)
    matrix = nw.ei_parts_matrix(conv, graph, **EIGHT, **TANH)
    assert matrix.shape == (2, 2)
    whole = np.zeros((4, 2))
    whole[:2, 0], whole[2:, 1] = matrix.T
    np.testing.assert_allclose(np.reshape(found, (4, 2)), whole, atol=1e-12)


def test_groups_of_a_window():
    pool = nn.MaxPool1d(3)
    graph = topology(nn.Sequential(pool), (1, 6))
    given_ = {"in_range": (0, 1), "out_range": (0, 1), "return_result": True} | EIGHT
    (found,) = nw.eis_between_groups(pool, graph, [((1,), (0,))], threshold=0.02, **given_)
    truth = nw.ei_parts_matrix(pool, graph, **given_).matrix[1, 0]
    assert found.value == pytest.approx(truth, abs=4 * found.standard_error)


def test_no_groups_give_nothing():
    assert nw.eis_between_groups(*linear([[1.0]]), []) == []


def test_vector_and_pairwise():
    layer, graph = linear(golden(2, 2, 1.0))
    pair = nw.vector_and_pairwise_ei(layer, graph, **EIGHT, **SIGMOID, threshold=0.01)
    assert pair == (
        nw.ei(layer, graph, **EIGHT, **SIGMOID, threshold=0.01),
        nw.ei_parts(layer, graph, **EIGHT, **SIGMOID, threshold=0.01),
    )
    both = nw.vector_and_pairwise_ei(layer, graph, samples=5_000, **EIGHT, **SIGMOID, return_result=True)
    assert [one.quantity for one in both] == ["EI", "EI_parts"]
    assert both[1].samples == 5_000
    assert both[0].samples == pytest.approx(5_000, rel=0.25)


# --- the signatures of the seed

SEED = {
    "ei": "layer topology threshold=0.05 samples=None batch_size=20",
    "ei_parts": "layer topology threshold=0.05 samples=None extrapolate=False batch_size=20",
    "ei_parts_matrix": "layer topology samples=None batch_size=20",
    "sensitivity": "layer topology samples=None batch_size=20",
    "sensitivity_matrix": "layer topology samples=None batch_size=20",
    "vector_and_pairwise_ei": "layer topology samples=None batch_size=20",
    "eis_between_groups": "layer topology groups samples=None batch_size=20",
}
SEED_ENDS = "in_layer=None in_range=None in_bins=64 out_range=None out_bins=64 activation=None device='cpu'"


@pytest.mark.parametrize("name", SEED)
def test_signature_is_the_seeds(name):
    """One departure: sensitivity takes samples=None, exact, instead of 500."""
    parameters = inspect.signature(getattr(nw, name)).parameters.values()
    seeds = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    written = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in seeds]
    assert " ".join(written) == f"{SEED[name]} {SEED_ENDS}"
    new = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    shared = {"method": "auto", "estimator": "adjusted", "outside": "clip", "seed": 0, "progress": False}
    assert new.items() >= (shared | {"return_result": False}).items()


# --- what comes back


def test_numbers_and_matrices():
    layer, graph = linear(golden(3, 2, 1.0))
    for measure in MEASURES:
        assert type(measure(layer, graph, **EIGHT)) is float
    for measure, total in [(nw.ei_parts_matrix, nw.ei_parts), (nw.sensitivity_matrix, nw.sensitivity)]:
        matrix = measure(layer, graph, **EIGHT)
        assert isinstance(matrix, np.ndarray)
        assert (matrix.shape, matrix.dtype) == ((3, 2), np.float64)
        assert total(layer, graph, **EIGHT) == pytest.approx(matrix.sum(), abs=1e-12)


def test_full_result_of_exact():
    layer, graph = linear(golden(6, 2, 1.0))
    found = nw.ei_parts(
        layer, graph, in_range=(0, 1), in_bins=8, out_range=(-1, 2), out_bins=9, return_result=True
    )
    assert (found.quantity, found.layer, found.method) == ("EI_parts", "0", "exact")
    assert (found.samples, found.seed, found.estimator, found.plugin_bias, found.standard_error) == (
        0,
        None,
        "",
        0,
        0,
    )
    assert 0 < found.error_bound <= 12e-6
    assert (found.in_range, found.in_bins, found.outside) == ((0, 1), 8, "clip")
    for array, value in [(found.out_low, -1), (found.out_high, 2), (found.out_bins, 9)]:
        np.testing.assert_array_equal(array, [value, value])
    assert found.value == pytest.approx(found.matrix.sum())
    assert 0 < found.outside_share < 1
    assert nw.sensitivity(layer, graph, return_result=True).quantity == "sensitivity"
    assert nw.sensitivity(layer, graph, return_result=True).error_bound == 0


def test_full_result_of_draws():
    layer, graph = linear(golden(2, 2, 1.0))
    found = nw.ei_parts_matrix(
        layer, graph, samples=3_000, seed=7, estimator="plugin", **EIGHT, **SIGMOID, return_result=True
    )
    assert (found.method, found.samples, found.seed, found.estimator) == ("sampled", 3_000, 7, "plugin")
    # 4 pairs with about 64 occupied cells each, at most: (K_XY - K_X - K_Y + 1) / (2 N ln 2).
    assert 0 < found.plugin_bias <= 4 * 49 / (2 * 3_000 * np.log(2))
    assert found.matrix.sum() == pytest.approx(found.value)
    assert found.error_bound == 0
    vector = nw.ei(layer, graph, samples=3_000, seed=7, **EIGHT, **SIGMOID, return_result=True)
    assert (vector.quantity, vector.matrix, vector.seed) == ("EI", None, 7)
    assert "nested sampling" in vector.method
    assert vector.coverage > 0.99


# --- samples, threshold, extrapolate, estimator, method


def test_standard_error_and_bias_of_draws():
    """The corrected value is within its error over many seeds; the plain histogram is too high by what is said."""
    layer, graph = linear(golden(2, 2, 1.0))
    truth = nw.ei_parts(layer, graph, **EIGHT, **SIGMOID)
    draws = [
        nw.ei_parts(layer, graph, samples=2_000, seed=k, **EIGHT, **SIGMOID, return_result=True)
        for k in range(24)
    ]
    z = np.array([(one.value - truth) / one.standard_error for one in draws])
    assert abs(z.mean()) < 0.9
    assert 0.6 < z.std() < 1.5
    plain = [
        nw.ei_parts(
            layer, graph, samples=2_000, seed=k, estimator="plugin", **EIGHT, **SIGMOID, return_result=True
        )
        for k in range(24)
    ]
    excess = np.mean([one.value - truth for one in plain])
    assert excess == pytest.approx(np.mean([one.plugin_bias for one in plain]), rel=0.3)


def test_threshold_is_reached():
    layer, graph = linear(golden(3, 2, 1.0))
    loose, tight = (
        nw.ei_parts(layer, graph, threshold=share, method="sample", **EIGHT, **SIGMOID, return_result=True)
        for share in (0.05, 0.005)
    )
    for one, share in [(loose, 0.05), (tight, 0.005)]:
        assert one.standard_error <= share * one.value
    assert loose.samples == 10_000
    assert tight.samples > 10_000


def test_a_threshold_out_of_reach_warns(monkeypatch):
    from nbwidgets_nn.kernels import sampled_information

    layer, graph = linear(golden(3, 2, 1.0))
    monkeypatch.setattr(sampled_information, "_MOST_SAMPLES", 20_000)
    with pytest.warns(UncertainResultWarning, match=r"stopped at 20,000 draws, before .* 1e-05 of"):
        found = nw.ei_parts(
            layer, graph, threshold=1e-5, method="sample", **EIGHT, **SIGMOID, return_result=True
        )
    assert any("20,000" in note for note in found.notes)


def test_a_threshold_out_of_reach_of_vectors_warns(monkeypatch):
    layer, graph = linear(golden(2, 2, 1.0))
    monkeypatch.setattr(vector_information, "MOST_DRAWS", 2**16)
    with pytest.warns(UncertainResultWarning, match="standard error"):
        nw.ei(layer, graph, threshold=1e-6, **EIGHT, **SIGMOID)


def test_extrapolated():
    layer, graph = linear(golden(2, 2, 1.0))
    truth = nw.ei_parts(layer, graph, **SIGMOID)
    plain, far = (
        nw.ei_parts(
            layer, graph, samples=20_000, extrapolate=far, estimator="plugin", **SIGMOID, return_result=True
        )
        for far in (False, True)
    )
    assert abs(far.value - truth) < 4 * far.standard_error
    assert abs(far.value - truth) < abs(plain.value - truth) / 3
    assert far.matrix.sum() == pytest.approx(far.value)
    assert (plain.estimator, far.estimator) == ("plugin", "plugin, extrapolated")
    unlimited = nw.ei_parts(layer, graph, extrapolate=True, **EIGHT, **SIGMOID, return_result=True)
    assert unlimited.method == "sampled"
    assert unlimited.samples >= 10_000


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimators(estimator):
    layer, graph = linear(golden(2, 2, 1.0))
    found = nw.ei_parts(
        layer, graph, samples=200_000, estimator=estimator, **EIGHT, **SIGMOID, return_result=True
    )
    assert found.value == pytest.approx(1.374545, abs=4 * found.standard_error)
    assert found.estimator == estimator


def test_what_has_no_exact_form():
    layer, graph = linear(golden(2, 2, 1.0))
    own = {"activation": lambda z: torch.sigmoid(z) ** 1, "in_range": (0, 1), "out_range": (0, 1)} | EIGHT
    found = nw.ei_parts(layer, graph, return_result=True, **own)
    assert found.method == "sampled"
    assert any("not one of those known" in note for note in found.notes)
    assert found.value == pytest.approx(1.374545, abs=4 * found.standard_error)
    with pytest.raises(
        ValueError, match=r"method: expected a layer with an exact form, got the activation <lambda>"
    ):
        nw.ei_parts(layer, graph, method="exact", **own)
    with pytest.raises(
        ValueError, match=r"method: expected a layer in which no output depends on two inputs"
    ):
        nw.ei(layer, graph, method="exact", **EIGHT, **SIGMOID)


MIXED = np.array([[1, -1, 2, 0.5, 1, 1, 1], [2.0, 3e-6, 2e-6, 1e-6, 4e-6, 3e-6, 2e-6]])
"""In the second row one weight has everything, and the others are too many for the closed form."""


def test_rows_that_neither_series_nor_closed_form_can_do_are_sampled():
    layer, graph = linear(MIXED)
    given_ = {"in_range": (-1, 1), "out_range": (0, 1), "activation": torch.sigmoid} | EIGHT
    found = nw.ei_parts(layer, graph, return_result=True, **given_)
    assert found.method == "exact, 1 of 2 outputs sampled"
    assert found.samples
    assert any("1 of 2 outputs" in note for note in found.notes)
    exact = nw.ei_parts_matrix(*linear(MIXED[:1]), **given_)
    np.testing.assert_allclose(found.matrix[:, :1], exact, atol=1e-9)
    # The other weights of the second row do next to nothing.
    alone = nw.ei_parts(*linear([[2.0]]), **given_)
    assert found.matrix[0, 1] == pytest.approx(alone, abs=0.03)
    assert found.value == pytest.approx(found.matrix.sum())
    assert 0 < found.standard_error < 0.05
    assert (found.matrix_error[:, 0] == 0).all()
    assert 0 < found.matrix_error[0, 1] < 0.05
    with pytest.raises(ValueError, match=r"method: expected pairs known to 1e-06 bits, got 1 of 2 outputs"):
        nw.ei_parts(layer, graph, method="exact", **given_)
    assert nw.sensitivity(layer, graph, method="exact", **given_) > 0


def test_sampled_rows_keep_their_own_bins_and_shares():
    """The first output reaches ±7.5 and the second ±2; a quarter of the second's lies beyond ±1.5."""
    layer, graph = linear(MIXED)
    given_ = {"in_range": (-1, 1), "out_bins": 8, "in_bins": 8}
    found = nw.ei_parts(layer, graph, out_range="dynamic", return_result=True, **given_)
    assert found.method == "exact, 1 of 2 outputs sampled"
    alone = nw.ei_parts(*linear([[2.0]]), out_range="dynamic", **given_)
    assert found.matrix[0, 1] == pytest.approx(alone, abs=0.03)
    found = nw.ei_parts(layer, graph, out_range=(-1.5, 1.5), return_result=True, **given_)
    first = nw.ei_parts(*linear(MIXED[:1]), out_range=(-1.5, 1.5), return_result=True, **given_)
    assert found.outside_share == pytest.approx((first.outside_share + 0.25) / 2, abs=0.01)


@pytest.mark.parametrize("measure", MEASURES)
def test_layers_without_weights_tell_nothing(measure):
    layer, graph = linear(np.zeros((2, 3)), [0.5, 50.0])
    found = measure(layer, graph, return_result=True)
    assert (found.value, found.method) == (0, "exact")
    drawn = measure(layer, graph, method="sample", return_result=True)
    assert drawn.value == pytest.approx(0, abs=1e-9)
    if measure is not nw.ei:
        assert found.outside_share == drawn.outside_share == 0.5


def test_wide_layers_warn_that_ei_is_too_low():
    rng = np.random.default_rng(0)
    layer, graph = linear(rng.normal(size=(32, 32)))
    with pytest.warns(UncertainResultWarning) as caught:
        found = nw.ei(layer, graph, samples=20_000, return_result=True)
    said = " ".join(str(one.message) for one in caught)
    assert "fell alone in their output cell" in said
    assert "take fewer bins" in said
    assert found.coverage < 0.5
    assert found.notes


def test_shallow_cells_are_said():
    """Some twenty draws in each of 64 input cells; the two outputs are noise, so that each has 64 cells of its own."""
    layer, graph = linear([[0.01, 1, 0], [0.01, 0, 1]])
    with pytest.warns(UncertainResultWarning, match=r"within input cells .* fell alone in their output cell"):
        (found,) = nw.eis_between_groups(
            layer, graph, [((0,), (0, 1))], in_bins=64, out_bins=8, samples=1_300, return_result=True
        )
    assert found.coverage < 0.9
    assert any("within input cells" in note for note in found.notes)


def test_dropping_everything_is_said():
    """No draw has all of 32 outputs in range: 0 bits would be an answer about nothing."""
    layer, graph = linear(np.random.default_rng(0).normal(size=(32, 32)))
    with pytest.warns(UncertainResultWarning, match="drop"):
        nw.ei(layer, graph, samples=10_000, outside="drop")


# --- ranges and bins


def test_ranges_come_from_the_activations():
    model = nn.Sequential(
        nn.Linear(2, 3),
        nn.Sigmoid(),
        nn.Linear(3, 3),
        nn.Tanh(),
        nn.Linear(3, 2),
        nn.ReLU(),
        nn.Linear(2, 2),
        nn.ELU(),
    )
    graph = topology(model, (2,), torch.float32)
    ranges = {0: ((-10, 10), (0, 1)), 2: ((0, 1), (-1, 1)), 4: ((-1, 1), (0, 10)), 6: ((0, 10), (-1, 10))}
    for k, (in_range, out_range) in ranges.items():
        found = nw.ei_parts(model[k], graph, return_result=True)
        assert found.in_range == in_range
        assert (found.in_bins, found.out_bins.tolist()) == (64, [64] * len(found.out_bins))
        assert {*found.out_low, *found.out_high} == set(out_range)
        assert nw.sensitivity(str(k), graph) == nw.sensitivity(model[k], graph)


def test_own_activation_replaces_the_models_and_brings_its_range():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid())
    graph = topology(model, (2,), torch.float32)
    found = nw.ei_parts(model[0], graph, activation=nn.Tanh(), return_result=True)
    assert (found.out_low[0], found.out_high[0]) == (-1, 1)
    own = nw.ei_parts(model[0], graph, activation=torch.tanh)
    assert own == found.value
    assert nw.ei_parts(model[0], graph) != own


def test_dynamic_range_is_what_the_outputs_can_reach():
    weights, bias = np.array([[1.0, -2.0], [0.5, 0.25], [0.0, 0.0]]), np.array([0.5, -1.0, 0.3])
    layer, graph = linear(weights, bias)
    corners = np.array([[x, y] for x in (-1, 2) for y in (-1, 2)]) @ weights.T + bias
    found = nw.ei_parts(layer, graph, in_range=(-1, 2), out_range="dynamic", out_bins=8, return_result=True)
    np.testing.assert_allclose(found.out_low, corners.min(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.out_high[:2], corners.max(axis=0)[:2], atol=1e-12)
    assert found.outside_share == pytest.approx(0, abs=1e-12)
    np.testing.assert_array_equal(found.matrix[:, 2], 0)
    assert found.out_low[2] == 0.3 < found.out_high[2]
    for output in range(2):
        one = linear(weights[output : output + 1], bias[output : output + 1])
        ends = (corners[:, output].min(), corners[:, output].max())
        alone = nw.ei_parts_matrix(*one, in_range=(-1, 2), out_range=ends, out_bins=8)
        np.testing.assert_allclose(found.matrix[:, output], alone[:, 0], atol=1e-9)


@pytest.mark.parametrize("name", ["Sigmoid", "ReLU", "GELU", "SiLU", "Tanh"])
def test_dynamic_range_behind_an_activation(name):
    layer, graph = linear([[1.0, 0.5]], [-0.2])
    found = nw.ei_parts(
        layer,
        graph,
        in_range=(-1, 1),
        out_range="dynamic",
        activation=activated(name),
        **EIGHT,
        return_result=True,
    )
    y = applied(ACTIVATIONS[name], np.linspace(-1.7, 1.3, 2_000_001))
    assert found.out_low[0] == pytest.approx(y.min(), abs=1e-10)
    assert found.out_high[0] == pytest.approx(y.max(), abs=1e-10)


def test_dynamic_range_of_draws_is_what_they_reach():
    """Of the very draws that are counted, so that none of them is outside."""
    layer, graph = linear([[1.0, -2.0], [2.0, 1.0], [1.0, 1.0], [-1.0, 3.0], [0.3, -0.2]])
    given_ = {"in_range": (0, 1), "out_range": "dynamic", "activation": lambda z: z * 1, **EIGHT}
    found = nw.ei_parts(layer, graph, samples=5_000, return_result=True, **given_)
    assert -2 <= found.out_low[0] < -1.9
    assert 0.9 < found.out_high[0] <= 1
    assert found.outside_share == 0
    exact = nw.ei_parts(layer, graph, **given_ | {"activation": nn.Identity()})
    assert found.value == pytest.approx(exact, abs=4 * found.standard_error + 0.05)


@pytest.mark.parametrize("measure", [nw.ei, nw.ei_parts])
def test_dynamic_bins_are_as_wide_as_the_inputs(measure):
    layer, graph = linear([[1.0, -2.0], [0.26, 0.0]], [0.0, 0.5])
    found = measure(
        layer,
        graph,
        in_range=(0, 1),
        in_bins=8,
        out_range="dynamic",
        out_bins="dynamic",
        samples=4_000,
        return_result=True,
    )
    np.testing.assert_allclose((found.out_high - found.out_low) / found.out_bins, 1 / 8)
    # 3 and 0.26 wide: 24 and 3 bins cover them.
    assert found.out_bins.tolist() == [24, 3]


def test_dynamic_bins_keep_a_given_range():
    """(-10, 10) is 8 bins of the input's width: no ninth, and the ends stay where they were put."""
    found = nw.ei_parts(
        *linear([[1.0]]), in_range=(-10, 10), in_bins=8, out_bins="dynamic", return_result=True
    )
    assert (found.out_low[0], found.out_high[0], found.out_bins[0]) == (-10, 10, 8)
    assert found.value == pytest.approx(3, abs=1e-9)


@pytest.mark.parametrize("measure", [nw.sensitivity, nw.sensitivity_matrix])
@pytest.mark.parametrize("given_", [{"out_range": "dynamic"}, {"out_bins": "dynamic"}])
def test_sensitivity_refuses_dynamic(measure, given_):
    (name,) = given_
    with pytest.raises(
        ValueError, match=rf"{name}: expected a fixed one, got 'dynamic': sensitivity and EI would"
    ):
        measure(*linear([[1.0]]), **given_)


# --- nothing else changes


def watched_model():
    """A model with a hook, in training mode, with frozen parameters and gradients."""
    model = nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(), nn.Linear(4, 2), nn.Softmax(1)
    )
    model[0].weight.requires_grad_(requires_grad=False)
    model[4].weight.grad = torch.ones(2, 4)
    model[2].register_forward_hook(lambda *_: None)
    model.train()
    model[3].eval()
    return model


def state_of(model):
    return {
        "values": {name: value.clone() for name, value in model.state_dict().items()},
        "modes": [module.training for module in model.modules()],
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()],
        "grads": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "needs": [p.requires_grad for p in model.parameters()],
        "torch": torch.get_rng_state(),
        "numpy": [*np.random.get_state()[1].tolist(), np.random.get_state()[2]],
        "random": random.getstate(),
        "threads": torch.get_num_threads(),
        "enabled": torch.is_grad_enabled(),
        "workers": threading.active_count(),
    }


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return all(map(same, one, other))
    return one == other


CALLS = {
    "exact": lambda m, g, **k: nw.ei_parts(m[0], g, **EIGHT, **k),
    "sampled": lambda m, g, **k: nw.ei_parts_matrix(m[4], g, samples=20_000, **EIGHT, **k),
    "sensitivity": lambda m, g, **k: nw.sensitivity(m[4], g, method="sample", **EIGHT, **k),
    "exact sensitivity": lambda m, g, **k: nw.sensitivity_matrix(m[0], g, **EIGHT, **k),
    "vector": lambda m, g, **k: nw.ei(m[0], g, samples=40_000, **EIGHT, **k),
    "span": lambda m, g, **k: nw.ei_parts(
        m[4], g, in_layer=m[0], samples=2_000, batch_size=500, **EIGHT, **k
    ),
    "vector of a span": lambda m, g, **k: nw.ei(
        m[4], g, in_layer=m[0], samples=2_000, batch_size=500, **EIGHT, **k
    ),
    "groups": lambda m, g, **k: nw.eis_between_groups(
        m[4], g, [((0, 1), (0,))], samples=20_000, **EIGHT, **k
    ),
    "both": lambda m, g, **k: nw.vector_and_pairwise_ei(m[4], g, samples=20_000, **EIGHT, **k),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_model_and_all_random_numbers_stay_as_they_were(name):
    model = watched_model()
    graph = topology(model.eval(), (3,), torch.float32)
    model.train()
    before = state_of(model)
    CALLS[name](model, graph)
    assert same(before, state_of(model))


@pytest.mark.parametrize("training", [True, False])
def test_an_activation_runs_in_eval_mode(training):
    """RReLU draws its slopes in training; in eval mode it is a LeakyReLU. It is not part of the model."""
    activation = nn.RReLU(0.1, 0.3).train(training)
    layer, graph = linear(golden(2, 2, 1.0))
    before, given_ = torch.get_rng_state(), {"in_range": (-1, 1), "out_range": (-1, 1)} | EIGHT
    found = nw.ei_parts(layer, graph, activation=activation, samples=40_000, return_result=True, **given_)
    assert activation.training is training
    assert torch.equal(before, torch.get_rng_state())
    truth = nw.ei_parts(layer, graph, activation=nn.LeakyReLU(0.2), **given_)
    assert found.value == pytest.approx(truth, abs=4 * found.standard_error)


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("name", [name for name in CALLS if name != "exact sensitivity"])
def test_stopped_by_its_progress_leaves_nothing_behind(name, at):
    class Stopped(Exception):  # noqa: N818 - no error
        pass

    def stop(done, total):
        if done == at:
            raise Stopped

    model = watched_model()
    graph = topology(model.eval(), (3,), torch.float32)
    model.train()
    before = state_of(model)
    with pytest.raises(Stopped):
        CALLS[name](model, graph, progress=stop)
    assert same(before, state_of(model))


@pytest.mark.parametrize("name", [name for name in CALLS if name != "exact sensitivity"])
def test_progress_is_reported(name):
    model = watched_model().eval()
    seen = []
    CALLS[name](model, topology(model, (3,), torch.float32), progress=lambda *at: seen.append(at))
    assert seen[0][0] == 0
    assert all(0 <= done <= total for done, total in seen)
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.parametrize("name", CALLS)
def test_equal_seeds_on_any_number_of_threads(name):
    model = watched_model().eval()
    graph = topology(model, (3,), torch.float32)
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 1):
            torch.set_num_threads(count)
            found.append(CALLS[name](model, graph, seed=3))
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    if "exact" not in name:
        assert not np.array_equal(found[0], CALLS[name](model, graph, seed=4))


def test_a_bar_shows_with_progress(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm may miss the notebook's widgets
        nw.ei_parts(*linear(golden(3, 2, 1.0)), samples=20_000, progress=True, **EIGHT)
    assert "draws" in capsys.readouterr().err


def test_device():
    layer, graph = linear(golden(2, 2, 1.0))
    for device in ("cpu", torch.device("cpu")):
        assert nw.ei_parts(layer, graph, device=device, **EIGHT) == nw.ei_parts(layer, graph, **EIGHT)
        assert nw.ei(layer, graph, device=device, **EIGHT) == nw.ei(layer, graph, **EIGHT)


def test_single_precision_models_give_the_same_bits():
    weights = golden(3, 2, 1.0)
    half = nn.Linear(3, 2, bias=False)
    half.weight.data = torch.as_tensor(weights, dtype=torch.float32)
    graph = topology(nn.Sequential(half), (3,), torch.float32)
    assert nw.ei_parts(half, graph, **EIGHT) == pytest.approx(
        nw.ei_parts(*linear(weights), **EIGHT), abs=1e-5
    )


@pytest.mark.parametrize("size", [7, 100])
def test_a_span_runs_so_many_samples_at_a_time(size):
    sizes = []

    class Counted(nn.Linear):
        def forward(self, x):
            sizes.append(len(x))
            return super().forward(x)

    model = nn.Sequential(Counted(3, 2), nn.Sigmoid(), nn.Linear(2, 2))
    graph = topology(model, (3,), torch.float32)
    nw.ei_parts(model[2], graph, in_layer=model[0], samples=250, batch_size=size, **EIGHT)
    assert max(sizes) == size
    assert sizes.count(size) >= 250 // size


def test_batch_size_changes_nothing():
    model = watched_model().eval()
    graph = topology(model, (3,), torch.float32)
    found = [
        nw.ei_parts(model[4], graph, in_layer=model[0], samples=1_000, batch_size=size, **EIGHT)
        for size in (7, 100, 5_000)
    ]
    assert found == pytest.approx([found[0]] * 3, abs=1e-3)


def test_weights_are_read_when_asked():
    """The topology is of the structure; a training step changes the numbers."""
    layer, graph = linear([[1.0]])
    before = nw.ei_parts(layer, graph, **SIGMOID)
    with torch.no_grad():
        layer.weight.fill_(3.0)
    assert before == pytest.approx(3.78436, abs=6e-6)
    assert nw.ei_parts(layer, graph, **SIGMOID) == pytest.approx(4.34920, abs=6e-6)
