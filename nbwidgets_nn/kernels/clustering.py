"""Clusters of units that say the same: hierarchical clustering of 1 - |r|, and one unit kept of each cluster.

    kept, labels = extract_independent_neurons(rec["fc1"].matrix(), clustering_threshold=0.3)
    tree = cluster_units(rec["fc1"].matrix())      # every threshold at once

After Dalvi, Sajjad, Durrani, Belinkov, "Analyzing Redundancy in Pretrained Transformer Models", EMNLP 2020,
arXiv 2004.04010, section 4. Cost: that of the correlation, then of the order of units^2. Memory: one or two float32
matrices (units, units); with method="single" on 3,000 units or more only a strip of one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.cluster.hierarchy import leaves_list
from scipy.cluster.hierarchy import linkage as scipy_linkage
from scipy.spatial.distance import squareform

from nbwidgets_nn._arrays import as_matrix, as_numpy, expected, like, name_units
from nbwidgets_nn.kernels._representatives import Picker
from nbwidgets_nn.kernels._standardised import Standardised
from nbwidgets_nn.kernels.correlation import correlation_matrix
from nbwidgets_nn.results import Correlation, Dendrogram, IndependentNeurons, check_threshold

METHODS = ("average", "complete", "single", "weighted", "centroid", "median", "ward")
_COMPILED = METHODS[:4]
_COMPILED_FROM = 3000  # units; below, SciPy takes less time than loading the compiled code
_STRIP = 512  # rows of distances made at a time
_COLUMNS = 4096  # and columns


def cluster_units(
    correlation_or_X: Any, *, use_abs_correlation: bool = True, method: str = "average"
) -> Dendrogram:
    """Cluster units by 1 - |r|, or by 1 - r, at all thresholds.

    `correlation_or_X` is a `Correlation`, or (samples, units) data, tensor or array; a bare correlation matrix would
    be taken as data. `method` is SciPy's: "complete" promises |r| >= 1 - threshold inside every cluster, "average"
    does not; "single" follows chains. "centroid", "median" and "ward" are computed as SciPy does from the same
    distances, but assume Euclidean ones, which these are not.

    Constant units have no correlation and stand outside the tree. With fewer than two varying units it has no merges.
    From 3,000 units on the four other methods run compiled (numba) with float32 distances: heights agree with
    SciPy's to 1e-6. Distances of rounding size count as 0, so identical units merge at 0.

    Raises ValueError for a unit with NaN or infinite samples, an unknown method, fewer than 2 samples.

    >>> x = np.random.default_rng(0).normal(size=(50, 2)) @ np.array([[1.0, 0, -1, 0], [0, 1, 0.01, 0]])
    >>> cluster_units(x).labels(0.5)
    array([2, 1, 2, 0])
    """
    if method not in METHODS:
        raise ValueError(expected("method", "one of " + ", ".join(METHODS), repr(method), "'average'"))
    given = correlation_or_X
    if isinstance(given, Correlation):
        _refuse_nonfinite(given.nonfinite, "correlation_or_X")
        tree = _tree(given.matrix, given.constant, use_abs_correlation, method)
        constant, samples, units = given.constant, given.samples, given.units
    else:
        X = as_matrix(given, "X", min_samples=2)
        samples, units = X.shape
        tree, constant = _tree_of_data(X, use_abs_correlation, method)
    return _laid_out(
        tree, np.setdiff1d(np.arange(units), constant), constant, method, use_abs_correlation, samples
    )


def create_correlation_clusters(
    X: Any, use_abs_correlation: bool = True, clustering_threshold: float = 0.5, method: str = "average"
) -> Any:
    """Create clusters of units whose activations are correlated: a label for every unit.

    `X` is (samples, units), tensor or array. With `use_abs_correlation` units that always move in opposite directions
    are alike too. A cluster is what `method` joins at a distance 1 - |r| of at most `clustering_threshold`.

    Returns int labels (units,), array or tensor as X: clusters 1, 2, ... in the order of the dendrogram (see
    `cluster_units`); 0 is a constant unit, which belongs to no cluster.

    Raises ValueError for NaN or infinite samples and for a threshold outside [0, 1] ([0, 2] without absolute value).

    >>> create_correlation_clusters(np.array([[1.0, 2.0, 0.0, 5.0], [2.0, 4.1, 3.0, 5.0], [3.0, 6.0, 0.0, 5.0]]))
    array([2, 2, 1, 0])
    """
    check_threshold(clustering_threshold, use_abs_correlation, "clustering_threshold")
    X = as_matrix(X, "X", min_samples=2)
    tree = cluster_units(X, use_abs_correlation=use_abs_correlation, method=method)
    return like(tree.labels(clustering_threshold), X)


def extract_independent_neurons(
    X: Any,
    use_abs_correlation: bool = True,
    clustering_threshold: float = 0.5,
    *,
    method: str = "average",
    pick: str = "medoid",
    seed: int | None = None,
) -> IndependentNeurons:
    """Cluster the units and keep one of every cluster.

    `pick="medoid"` keeps the unit with the smallest summed distance to the others of its cluster (the lowest index if
    several have it); `pick="random"` any, drawn with `seed`. Everything else as in `create_correlation_clusters`.

    Returns an `IndependentNeurons`, which unpacks as `independent_neurons, cluster_labels`: a list of unit indices,
    one for cluster 1, 2, ..., and the labels. It also says which units are constant (never independent) and the
    smallest |r| inside each cluster.

    >>> x = np.random.default_rng(0).normal(size=(50, 2)) @ np.array([[1.0, 0, -1, 0], [0, 1, 0.01, 0]])
    >>> kept, labels = extract_independent_neurons(x)
    >>> kept, labels
    ([1, 0], array([2, 1, 2, 0]))
    """
    if pick not in {"medoid", "random"}:
        raise ValueError(expected("pick", "'medoid' or 'random'", repr(pick)))
    check_threshold(clustering_threshold, use_abs_correlation, "clustering_threshold")
    X = as_matrix(X, "X", min_samples=2)
    tree = cluster_units(X, use_abs_correlation=use_abs_correlation, method=method)
    labels = tree.labels(clustering_threshold)
    picker = Picker(Standardised(X), use_abs_correlation, pick, np.random.default_rng(seed))
    kept, smallest = picker.pick_all(labels)
    return IndependentNeurons(
        independent_neurons=kept,
        cluster_labels=like(labels, X),
        constant=tree.constant,
        smallest_correlation=smallest,
        threshold=clustering_threshold,
        method=method,
        use_abs_correlation=use_abs_correlation,
        pick=pick,
        seed=seed,
        samples=tree.samples,
    )


def scikit_extract_independent_neurons(
    X: Any,
    clustering_threshold: float = 0.5,
    *,
    method: str = "average",
    pick: str = "medoid",
    seed: int | None = None,
) -> IndependentNeurons:
    """Give what `extract_independent_neurons` gives, with the absolute correlation.

    The seed system promises identical results and computes something else (1 - r). Here they are identical; for
    1 - r use `extract_independent_neurons(X, use_abs_correlation=False)`.

    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> scikit_extract_independent_neurons(x)[0] == extract_independent_neurons(x)[0]
    True
    """
    return extract_independent_neurons(X, True, clustering_threshold, method=method, pick=pick, seed=seed)


def _tree_of_data(X: Any, use_abs: bool, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Compute the linkage over the varying units and the constant units of data."""
    if method == "single" and X.shape[1] >= _COMPILED_FROM:
        columns = Standardised(X)
        _refuse_nonfinite(columns.nonfinite, "X")
        return _single_by_strips(columns, use_abs), columns.constant
    moments, matrix = correlation_matrix(X)
    _refuse_nonfinite(moments.nonfinite, "X")
    return _tree(as_numpy(matrix), moments.constant, use_abs, method, overwrite=True), moments.constant


def _tree(
    matrix: np.ndarray, constant: np.ndarray, use_abs: bool, method: str, *, overwrite: bool = False
) -> np.ndarray:
    """Compute the linkage over the varying units of a correlation matrix."""
    if len(constant):
        varying = np.setdiff1d(np.arange(len(matrix)), constant)
        matrix, overwrite = matrix[np.ix_(varying, varying)], True
    units = len(matrix)
    if units < 2:
        return np.zeros((0, 4))
    if method not in _COMPILED or units < _COMPILED_FROM:
        distances = _distances(matrix, use_abs).astype(np.float64)
        return scipy_linkage(squareform(distances, checks=False), method)
    from nbwidgets_nn.kernels import _linkage  # noqa: PLC0415 - imports numba

    if method == "single":
        tree = _linkage.SingleLinkage(units)
        for start in range(0, units, _STRIP):
            tree.add_rows(_distances(matrix[start : start + _STRIP], use_abs))
        return tree.linkage()
    return _linkage.chain_linkage(_square_distances(matrix, use_abs, overwrite), method)


def _single_by_strips(columns: Standardised, use_abs: bool) -> np.ndarray:
    """Single linkage of data without its correlation matrix."""
    from nbwidgets_nn.kernels import _linkage  # noqa: PLC0415 - imports numba

    varying = np.setdiff1d(np.arange(columns.units), columns.constant)
    if len(varying) < 2:
        return np.zeros((0, 4))
    tree = _linkage.SingleLinkage(len(varying))
    strip = np.empty((_STRIP, len(varying)), columns.dtype)
    for start in range(0, len(varying), _STRIP):
        stop = min(start + _STRIP, len(varying))
        rows = columns.columns(varying[start:stop]).T
        for left in range(0, stop, _COLUMNS):
            right = min(left + _COLUMNS, stop)
            strip[: stop - start, left:right] = rows @ columns.columns(varying[left:right])
        tree.add_rows(_distances(np.clip(strip[: stop - start, :stop], -1, 1), use_abs))
    return tree.linkage()


def _distances(correlation: np.ndarray, use_abs: bool, out: np.ndarray | None = None) -> np.ndarray:
    """1 - |r| or 1 - r, those within rounding of 0 exactly 0."""
    out = np.empty_like(correlation) if out is None else out
    np.subtract(1, np.abs(correlation, out=out) if use_abs else correlation, out=out)
    out[out < 16 * np.finfo(correlation.dtype).eps] = 0
    return out


def _square_distances(matrix: np.ndarray, use_abs: bool, overwrite: bool) -> np.ndarray:
    """Distances in float32 as `chain_linkage` wants them, in the place of `matrix` where that is good."""
    units = len(matrix)
    # Rows whose starts are a multiple of 1 KiB apart fall into the same few cache lines when a column is written:
    # three times slower (measured at 4,096). Then, and for a matrix that is not ours, rows get some padding.
    if overwrite and matrix.dtype == np.float32 and units % 256:
        out = matrix
    else:
        out = np.empty((units, units + 16), np.float32)[:, :units]
    for start in range(0, units, _STRIP):
        strip = slice(start, start + _STRIP)
        _distances(matrix[strip], use_abs, out[strip])
    return out


def _laid_out(
    tree: np.ndarray, varying: np.ndarray, constant: np.ndarray, method: str, use_abs: bool, samples: int
) -> Dendrogram:
    """Name the leaves by their place from left to right."""
    leaves = leaves_list(tree) if len(tree) else np.arange(len(varying))
    place = np.empty(len(varying), np.int64)
    place[leaves] = np.arange(len(varying))
    tree = tree.copy()
    ends = tree[:, :2].astype(np.int64)
    is_leaf = ends < len(varying)
    tree[:, :2][is_leaf] = place[ends[is_leaf]]
    return Dendrogram(
        linkage=tree,
        order=np.concatenate([varying[leaves], constant]),
        constant=constant,
        method=method,
        use_abs_correlation=use_abs,
        samples=samples,
    )


def _refuse_nonfinite(units: np.ndarray, name: str) -> None:
    if len(units):
        what = "finite samples for every unit"
        came = f"NaN or infinity in unit {name_units(units)}"
        hint = "leave these units out, or drop the samples that have them"
        raise ValueError(expected(name, what, came, hint))
