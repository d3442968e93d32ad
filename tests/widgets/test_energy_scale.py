"""Bars of shares can all be seen, and no height lies."""

import numpy as np
import pytest

from nbwidgets_nn.widgets._energy_scale import EnergyScale


@pytest.mark.parametrize("shares", [[0.5, 0.3, 0.2], [1.0], [0.0, 0.0], [0.9, 0.006, 0.0]])
def test_on_an_even_scale_heights_are_as_shares(shares):
    scale = EnergyScale.of([np.array(shares)])
    heights = scale.heights(np.array(shares))
    assert scale.words == ""
    assert heights.max() <= 1
    np.testing.assert_allclose(heights * sum(shares), heights.sum() * np.array(shares))


@pytest.mark.parametrize("least", [4e-3, 1e-3, 3.3e-5, 1e-9, 2e-12])
def test_a_share_that_could_not_be_seen_asks_for_powers_of_ten(least):
    shares = np.array([0.9, least, 0.0, np.nan])
    scale = EnergyScale.of([shares, np.array([1e-2])])
    heights = scale.heights(shares)
    assert scale.words == "log scale"
    assert 0 < heights[1] < heights[0] < 1
    assert heights[2:].tolist() == [0, 0]
    decade = scale.heights(np.array([1e-1]))[0] - scale.heights(np.array([1e-2]))[0]
    np.testing.assert_allclose(heights[0] - heights[1], decade * np.log10(0.9 / least))


def test_what_has_no_bar_is_said():
    shares = np.array([1.0, 1e-30])
    scale = EnergyScale.of([shares])
    assert scale.words == "log scale, no bar below 10⁻¹²"
    assert scale.heights(shares)[1] == 0


@pytest.mark.parametrize("shares", [[0.5, 0.5], [1.0, 1e-4], [0.011], [1.0, 1e-12], [0.004, 1e-7], [0.0]])
def test_ticks_are_few_and_stand_at_what_they_say(shares):
    scale = EnergyScale.of([np.array(shares)])
    assert 2 <= len(scale.ticks) <= 6
    for height, words in scale.ticks:
        assert 0 <= height <= 1
        if words.startswith("10"):
            raised = words[2:].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
            share = 10.0 ** int(raised)
        else:
            share = float(words.removesuffix(" %")) / (100 if words.endswith("%") else 1)
        assert scale.heights(np.array([share]))[0] == pytest.approx(height)
