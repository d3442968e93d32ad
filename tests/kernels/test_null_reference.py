"""The largest |r| of independent units: against simulation, closed forms and the limits."""

import numpy as np
import pytest
from scipy import stats

from nbwidgets_nn import null_reference
from nbwidgets_nn.kernels.null_reference import largest_p_value, pair_p_value


@pytest.mark.parametrize(
    ("samples", "units", "rounds"), [(10, 5, 3000), (100, 50, 600), (1000, 100, 60), (6, 4, 3000)]
)
def test_agrees_with_simulation(samples, units, rounds):
    rng = np.random.default_rng(0)
    above = np.triu_indices(units, 1)
    largest = [np.abs(np.corrcoef(rng.normal(size=(units, samples)))[above]).max() for _ in range(rounds)]
    mean, std = null_reference(units, samples)
    # Pairs are independent two by two, not all together: a per cent of the mean on top of the sampling error.
    assert mean == pytest.approx(np.mean(largest), abs=4 * np.std(largest) / rounds**0.5 + 0.01 * mean)
    assert std == pytest.approx(np.std(largest), rel=0.25)


@pytest.mark.parametrize(("samples", "units"), [(10, 5), (100, 50), (1000, 100), (3, 2), (150_000, 9_984)])
def test_is_the_integral_of_its_formula(samples, units):
    r = np.linspace(0, 1, 2_000_001)
    t = r * np.sqrt((samples - 2) / np.maximum(1 - r**2, 1e-300))
    p_pair = 2 * stats.t.sf(t, samples - 2)
    with np.errstate(divide="ignore"):
        p_max = -np.expm1(units * (units - 1) / 2 * np.log1p(-p_pair))
    assert null_reference(units, samples)[0] == pytest.approx(np.trapezoid(p_max, r), rel=1e-6)


def test_one_pair_has_closed_forms():
    mean, std = null_reference(2, 4)  # |r| is uniform for 4 samples
    assert mean == pytest.approx(1 / 2)
    assert std == pytest.approx(12**-0.5)
    assert null_reference(2, 3)[0] == pytest.approx(2 / np.pi)  # and arcsine for 3


def test_grows_with_units_and_shrinks_with_samples():
    by_units = [null_reference(n, 100)[0] for n in (2, 10, 100, 1000, 10**5)]
    by_samples = [null_reference(50, n)[0] for n in (2, 3, 10, 1000, 10**6, 10**9)]
    assert (np.diff(by_units) > 0).all()
    assert (np.diff(by_samples) < 0).all()


def test_limits():
    assert null_reference(5, 2) == (1.0, 0.0)
    assert np.isnan(null_reference(1, 50)).all()
    mean, std = null_reference(10**5, 3)
    assert 0.999 < mean <= 1
    assert 0 <= std < 1e-3
    with pytest.raises(ValueError, match="samples: expected at least 2"):
        null_reference(5, 1)


def test_p_values_keep_their_precision_in_the_tail():
    tiny = 2 * stats.t.sf(0.9 * np.sqrt(198 / (1 - 0.81)), 198)
    assert pair_p_value(0.9, 200) == pytest.approx(tiny, rel=1e-9)
    assert tiny < 1e-60
    assert largest_p_value(0.9, 1000, 200) == pytest.approx(tiny * 499_500, rel=1e-9)
    assert largest_p_value(0.0, 10, 200) == 1
    assert largest_p_value(1.0, 10, 200) == 0
    assert largest_p_value(0.3, 1, 200) == 0
