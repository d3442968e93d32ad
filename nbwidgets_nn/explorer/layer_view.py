"""Everything that the explorer shows of one layer: kernels applied to its recording, and what is said about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.color_range import ColorRange
from nbwidgets_nn.explorer.layer_facts import layer_facts
from nbwidgets_nn.kernels.activation_profile import activation_profile
from nbwidgets_nn.kernels.clustering import cluster_units
from nbwidgets_nn.kernels.correlation import correlate
from nbwidgets_nn.kernels.redundancy import measure_units
from nbwidgets_nn.widgets.heatmap_content import Columns, Fact, HeatmapContent, MatrixPanel

if TYPE_CHECKING:
    from nbwidgets_nn.record.layer import Layer
    from nbwidgets_nn.results import Correlation, Dendrogram, UnitMeasures

# As many samples or classes as can be told apart in a panel; which ones is said in its note.
_COLUMNS_SHOWN = 48


@dataclass(frozen=True, eq=False)
class LayerView:
    """What was computed for one layer, and the content that shows it; results are None where they do not exist.

    ``units[k]`` is the index within the layer of the unit that correlation and dendrogram call k: of a layer that is
    too large only some are shown. ``redundancy`` is of the whole layer, so then it is None.
    """

    content: HeatmapContent
    correlation: Correlation | None = None
    dendrogram: Dendrogram | None = None
    measures: UnitMeasures | None = None
    redundancy: float | None = None
    units: NDArray | None = None


def view_layer(
    layer: Layer,
    target: NDArray | None,
    samples: int,
    *,
    cut: float,
    method: str,
    use_abs_correlation: bool,
    max_units: int,
) -> LayerView:
    """Analyse one layer; a layer that has no correlations gives a view that says why."""
    try:
        X = layer.matrix()
    except (TypeError, ValueError) as error:
        return LayerView(HeatmapContent(layer.name, message=str(error)))
    # NumPy knows no bfloat16 and sums halves badly; every other type keeps its precision.
    X = np.asarray((X.float() if X.is_floating_point() and X.itemsize < 4 else X).detach().cpu())
    reason = _no_correlation(X)
    if reason:
        return LayerView(HeatmapContent(layer.name, message=reason))
    units = _most_varying(X, max_units)
    note = "" if len(units) == X.shape[1] else f"{len(units):,} of {X.shape[1]:,} units: largest variance"
    shown = X if not note else X[:, units]
    correlation = correlate(shown)
    if len(correlation.nonfinite):
        return LayerView(_unclustered(layer.name, correlation, units, note), correlation, units=units)
    dendrogram = cluster_units(correlation, use_abs_correlation=use_abs_correlation, method=method)
    measures = measure_units(X)
    positions = _positions(layer, len(X), samples)
    unsure = "no second panel: it is not certain which axis holds the samples" if positions is None else ""
    said = "; ".join(filter(None, (note, unsure)))
    panels = [replace(_correlation_panel(correlation, said), how=_tree_in_words(dendrogram))]
    if positions is not None:
        panels.append(_profile_panel(shown, target, positions))
    facts = layer_facts(correlation, measures, units, positions)
    content = HeatmapContent(layer.name, tuple(panels), dendrogram, facts, units)
    redundancy = None if note else 1 - dendrogram.clusters(cut) / X.shape[1]
    return LayerView(content, correlation, dendrogram, measures, redundancy, units)


def _positions(layer: Layer, rows: int, samples: int) -> int | None:
    """Return how many rows of the layer's matrix belong to one sample; None if it is not certain which axis they are.

    As many steps as samples look the same either way round, and the model may have swapped them before this layer.
    """
    shape = layer.output_shape
    time_first = len(shape) == 3 and (
        getattr(layer.module, "batch_first", True) is False or shape[1] == samples
    )
    if layer.channel_axis == 0 or shape[0] != samples or rows % samples or time_first:
        return None
    return rows // samples


def _no_correlation(X: NDArray) -> str:
    if X.dtype.kind == "c":
        return "The output is complex: correlation is defined here for real activations. Look at its .abs() or .angle()."
    if len(X) < 2:
        return f"{len(X)} sample: a correlation needs at least two. Record the model on more input."
    if X.shape[1] < 2:
        return "One unit: there is nothing to correlate it with."
    return ""


def _most_varying(X: NDArray, most: int) -> NDArray:
    if X.shape[1] <= most:
        return np.arange(X.shape[1])
    # Halves keep the squares of large values finite; NaN sorts last.
    return np.sort(np.argsort(-(X / 2).var(axis=0, dtype=np.float64), kind="stable")[:most])


def _correlation_panel(correlation: Correlation, note: str) -> MatrixPanel:
    return MatrixPanel(
        "correlation",
        "Correlation of units",
        correlation.matrix,
        how="in the layer's own order",
        quantity="r",
        span=ColorRange(-1.0, 1.0, diverging=True),
        note=note,
        samples=correlation.samples,
    )


def _tree_in_words(dendrogram: Dendrogram) -> str:
    return f"{dendrogram.method} linkage on {'1 − |r|' if dendrogram.use_abs_correlation else '1 − r'}"


def _unclustered(name: str, correlation: Correlation, units: NDArray, note: str) -> HeatmapContent:
    """Show a layer with NaN or infinity in it: its other units still have correlations, but no tree holds them all."""
    bad = units[correlation.nonfinite].tolist()
    listed = ", ".join(map(str, bad[:8])) + (" …" if len(bad) > 8 else "")
    why = f"{len(bad)} units hold NaN or infinity (units {listed}): not clustered"
    panel = _correlation_panel(correlation, "; ".join(filter(None, (note, why))))
    fact = Fact("NaN or infinite", str(len(bad)), f"of {correlation.units} units", why)
    return HeatmapContent(name, (panel,), facts=(fact,), unit_ids=units)


def _profile_panel(X: NDArray, target: NDArray | None, positions: int) -> MatrixPanel:
    samples = len(X) // positions
    groups = np.arange(samples) if target is None else target
    profile = activation_profile(X, np.repeat(groups, positions))
    one, many = ("sample", "samples") if target is None else ("class", "classes")
    shown, note = np.arange(len(profile.groups)), ""
    if len(shown) > _COLUMNS_SHOWN:
        shown = np.linspace(0, len(shown) - 1, _COLUMNS_SHOWN).round().astype(int)
        note = f"{_COLUMNS_SHOWN} of {len(profile.groups):,} {many}: evenly spaced"
    if positions > 1 and target is None:
        note = "; ".join(filter(None, (note, f"mean of each sample's {positions:,} positions")))
    return MatrixPanel(
        "profile",
        "Activations" if target is None else "Class means",
        profile.values[:, shown],
        how="z-scores",
        quantity="z",
        unit="SD",
        columns=Columns(many, [str(profile.groups[k]) for k in shown], one=one),
        note=note,
        samples=len(X),
    )
