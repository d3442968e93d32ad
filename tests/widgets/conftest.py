"""Small contents with everything in them that a view must be able to show."""

import numpy as np
import pytest

from nbwidgets_nn.kernels.clustering import cluster_units
from nbwidgets_nn.kernels.correlation import correlate
from nbwidgets_nn.widgets.heatmap_content import Columns, Fact, HeatmapContent, MatrixPanel


@pytest.fixture
def samples():
    """50 samples of 6 units: two alike pairs, a loner, and a constant unit (index 3)."""
    rng = np.random.default_rng(7)
    a, b, c = rng.normal(size=(3, 50))
    return np.stack(
        [a, b, a + 0.1 * rng.normal(size=50), np.full(50, 2.0), -b + 0.2 * rng.normal(size=50), c], axis=1
    )


@pytest.fixture
def content(samples):
    correlation = correlate(samples)
    awkward = np.array([[0.0, 1.0, np.nan], [np.inf, -np.inf, 2.0], [5.0, -5.0, 0.5]] * 2)
    marked = np.ma.array(awkward, mask=awkward == 0.5)
    return HeatmapContent(
        "features.0",
        (
            MatrixPanel(
                "correlation", "Correlation", correlation.matrix, how="average", quantity="r", samples=50
            ),
            MatrixPanel(
                "marks",
                "Every mark",
                marked,
                columns=Columns("classes", ["a", "b", "c"]),
                note="3 of 9 classes",
            ),
        ),
        cluster_units(correlation),
        (Fact("strongest correlation", "+0.99", "units 0·2", "Largest |r|."),),
    )
