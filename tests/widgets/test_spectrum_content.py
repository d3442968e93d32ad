"""The arrays behind the spectrum: what belongs to which unit, shares of the energy, and what does not fit."""

import numpy as np
import pytest

from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumContent, SpectrumLayer, number

LAYERS = (
    SpectrumLayer("tokens", "Embedding", (3, 4), 1),
    SpectrumLayer("conv", "Conv2d", (2, 2, 2), 0),
    SpectrumLayer("one", "Linear", (), None),
)


def content(flat, **options):
    flat = np.atleast_2d(np.asarray(flat, float))
    return SpectrumContent(LAYERS, flat, (Spectrum("standard", flat),), **options)


@pytest.fixture
def numbers():
    return content(np.arange(21))


def test_every_unit_has_a_place_and_is_found_there(numbers):
    for node in range(21):
        layer, index = numbers.place(node)
        assert numbers.node(layer.name, index) == node
        assert numbers.of_layer(numbers.values[0], layer.name)[index] == node
    assert [numbers.name(node) for node in (0, 11, 12, 19, 20)] == [
        "tokens[0, 0]",
        "tokens[2, 3]",
        "conv[0, 0, 0]",
        "conv[1, 1, 1]",
        "one[]",
    ]


@pytest.mark.parametrize(
    "layer", [*LAYERS, SpectrumLayer("c", "x", (1, 4), 0), SpectrumLayer("d", "x", (4, 1), 0)]
)
def test_units_as_other_views_know_them(layer):
    """By the definition: positions of a channel are one unit, where there are several channels and positions."""
    axis = layer.channel_axis
    for index in range(layer.size):
        place = np.unravel_index(index, layer.shape)
        merged = axis is not None and layer.shape[axis] > 1 and len(layer.shape) > 1
        assert layer.unit_of(index) == (place[axis] if merged else index)
    for unit in range(layer.size):
        mine = [k for k in range(layer.size) if layer.unit_of(k) == unit]
        assert layer.of_units((unit,)).tolist() == mine
    assert layer.of_units((10_000,)).tolist() == []


def test_energy_is_the_share_of_the_squares(numbers):
    squares = np.arange(21.0) ** 2
    expected = [squares[:12].sum(), squares[12:20].sum(), squares[20]] / squares.sum()
    np.testing.assert_allclose(numbers.energy(numbers.values[0]), expected)
    assert numbers.share(numbers.values[0], 20) == pytest.approx(400 / squares.sum())


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_energy_of_huge_and_tiny_numbers(size):
    flat = np.arange(21) * size
    np.testing.assert_allclose(content(flat).energy(flat), content(np.arange(21)).energy(np.arange(21.0)))


def test_energy_of_nothing_is_nothing():
    assert content(np.zeros(21)).energy(np.zeros(21)).tolist() == [0, 0, 0]


def test_the_strongest_are_those_of_largest_magnitude():
    flat = np.zeros(21)
    flat[12:20] = 1, -5, np.nan, 2, -2, np.inf, 0, 0
    assert content(flat).strongest(flat, "conv", 5) == [14, 17, 13, 15, 16]


def test_eigenspaces_add_up_their_energies():
    flat = np.arange(21.0)
    spectrum = Spectrum(
        "l", flat[None, :5], frequencies=np.array([3e-15, 1, 1, 1.2, 4]), spaces=np.array([3, 5, 5, 5, 9])
    )
    frequency, shares = content(flat).spaces(spectrum, 0)
    np.testing.assert_allclose(frequency, [0, 3.2 / 3, 4], atol=0)
    np.testing.assert_allclose(shares, [0, 14 / 30, 16 / 30])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda v, s: ((), v, (s,)), "layers and spectra with names of their own"),
        (lambda v, s: ((*LAYERS, LAYERS[0]), v, (s,)), "names of their own"),
        (lambda v, s: (LAYERS, v, ()), "names of their own"),
        (lambda v, s: (LAYERS, v, (s, s)), "names of their own"),
        (lambda v, s: (LAYERS, v[:, 1:], (s,)), r"values: expected \(samples, 21\), .* got shape \(1, 20\)"),
        (lambda v, s: (LAYERS, v[:0], (s,)), "values: expected"),
        (
            lambda v, s: (LAYERS, v, (Spectrum("x", v[:, 2:]),)),
            r"coefficients: expected \(1, 21\), got shape \(1, 19\) for 'x'",
        ),
        (
            lambda v, s: (LAYERS, v, (Spectrum("x", v, frequencies=np.ones(3)),)),
            r"coefficients: expected \(1, 3\)",
        ),
        (lambda v, s: (LAYERS, v, (s,), ("a", "b")), "samples: expected 1 names, got 2"),
    ],
)
def test_what_does_not_fit_is_refused(make, says):
    values = np.ones((1, 21))
    with pytest.raises(ValueError, match=says):
        SpectrumContent(*make(values, Spectrum("standard", values)))


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.5, "1.50"), (np.nan, "not defined"), (np.inf, "+∞"), (-np.inf, "−∞"), (np.float32(-2), "−2")],
)
def test_numbers_are_written_also_where_they_are_none(value, words):
    assert number(value) == words
