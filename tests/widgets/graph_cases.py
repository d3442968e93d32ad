"""Small edge graphs with everything in them that a view must be able to show."""

import numpy as np

from nbwidgets_nn import EdgeBundle, EdgeGraphContent, UnitColumn


def small(**options):
    """Two samples of 3-2-2 units, the first layer with an alias, the second thinned to three edges."""
    x = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 4.0]])
    weight = np.array([[2.0, -1.0, 0.5], [0.25, 1.0, -3.0]])
    hidden = np.array([[0.5, 2.0], [3.5, 0.0]])
    out = np.array([[1.5, -0.5], [7.0, 3.5]])
    columns = (
        UnitColumn("input", x, kind="3 numbers"),
        UnitColumn("relu", hidden, aliases=("fc1", "relu"), kind="Linear, ReLU", order=[1, 0]),
        UnitColumn("fc2", out, kind="Linear", labels=["cat", "dog"]),
    )
    bundles = (
        EdgeBundle("fc1", 0, 1, weight, x, x @ weight.T + [0.5, 0.0], kind="Linear", bias=[0.5, 0.0]),
        EdgeBundle(
            "fc2",
            1,
            2,
            [2.0, 0.25, -1.0],
            hidden,
            out,
            kind="Linear",
            ends=[[0, 0], [1, 0], [0, 1]],
            total=4,
            note="3 of 4 edges: largest |weight|",
        ),
    )
    return EdgeGraphContent(columns, bundles, ("sample 7 · cat", "sample 9 · dog"), **options)


def awkward():
    """NaN and infinities in values and weights, and feature maps of both signs."""
    x = np.array([[np.nan, np.inf, 1.0]])
    weight = np.array([[1.0, 2.0, 3.0], [-np.inf, np.nan, 0.5]])
    maps = np.array([[[[1.0, -2.0], [np.nan, 0.5]], [[0.0, 0.25], [np.inf, -np.inf]]]])
    columns = (UnitColumn("input", x), UnitColumn("conv", np.array([[-0.5, np.nan]]), maps=maps))
    return EdgeGraphContent(
        columns, (EdgeBundle("conv", 0, 1, weight, x, [[np.nan, np.nan]]),), ("sample 0",)
    )


def random_graph(sizes, samples=2, seed=0):
    """Dense layers over columns of some sizes."""
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=(samples, size)) for size in sizes]
    columns = [UnitColumn(f"l{k}", value) for k, value in enumerate(values)]
    bundles = [
        EdgeBundle(
            f"l{k + 1}",
            k,
            k + 1,
            rng.normal(size=(sizes[k + 1], sizes[k])),
            values[k],
            values[k + 1],
        )
        for k in range(len(sizes) - 1)
    ]
    return EdgeGraphContent(tuple(columns), tuple(bundles), tuple(f"sample {k}" for k in range(samples)))
