"""Everything that the explorer shows of one layer: kernels applied to its recording, and what is said about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.color_range import ColorRange
from nbwidgets_nn.kernels.activation_profile import activation_profile
from nbwidgets_nn.kernels.clustering import cluster_units
from nbwidgets_nn.kernels.correlation import correlate
from nbwidgets_nn.kernels.redundancy import measure_units
from nbwidgets_nn.widgets.heatmap_content import Columns, Fact, HeatmapContent, MatrixPanel

if TYPE_CHECKING:
    from nbwidgets_nn.record.layer import Layer
    from nbwidgets_nn.results import Correlation, Dendrogram, UnitMeasures

# As many samples as can be told apart in a panel; which ones is said in its note.
_SAMPLES_SHOWN = 48


@dataclass(frozen=True, eq=False)
class LayerView:
    """What was computed for one layer, and the content that shows it; results are None where they do not exist."""

    content: HeatmapContent
    correlation: Correlation | None = None
    dendrogram: Dendrogram | None = None
    measures: UnitMeasures | None = None
    redundancy: float | None = None


def view_layer(
    layer: Layer,
    target: NDArray | None,
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
    rows_per_sample = len(X) // layer.output_shape[0]
    X, kept, note = _largest_variance(X, max_units)
    correlation = correlate(X)
    if len(correlation.nonfinite):
        return LayerView(_unclustered(layer.name, correlation, kept, note), correlation)
    dendrogram = cluster_units(correlation, use_abs_correlation=use_abs_correlation, method=method)
    measures = measure_units(X)
    content = HeatmapContent(
        layer.name,
        (
            replace(
                _correlation_panel(correlation, note),
                title="Correlation of units, clustered",
                how=_tree_in_words(dendrogram),
            ),
            _profile_panel(X, target, rows_per_sample),
        ),
        dendrogram,
        _facts(correlation, measures, rows_per_sample),
        kept,
    )
    redundancy = 1 - dendrogram.clusters(cut) / X.shape[1]
    return LayerView(content, correlation, dendrogram, measures, redundancy)


def _no_correlation(X: NDArray) -> str:
    if X.dtype.kind == "c":
        return "The output is complex: correlation is defined here for real activations. Look at its .abs() or .angle()."
    if len(X) < 2:
        return f"{len(X)} sample: a correlation needs at least two. Record the model on more input."
    if X.shape[1] < 2:
        return "One unit: there is nothing to correlate it with."
    return ""


def _largest_variance(X: NDArray, most: int) -> tuple[NDArray, NDArray | None, str]:
    if X.shape[1] <= most:
        return X, None, ""
    kept = np.sort(np.argsort(-X.var(axis=0), kind="stable")[:most])
    return X[:, kept], kept, f"{most:,} of {X.shape[1]:,} units: largest variance"


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


def _unclustered(name: str, correlation: Correlation, kept: NDArray | None, note: str) -> HeatmapContent:
    """Show a layer with NaN or infinity in it: its other units still have correlations, but no tree holds them all."""
    bad = [int(unit if kept is None else kept[unit]) for unit in correlation.nonfinite]
    listed = ", ".join(map(str, bad[:8])) + (" …" if len(bad) > 8 else "")
    why = f"{len(bad)} units hold NaN or infinity (units {listed}): not clustered"
    panel = _correlation_panel(correlation, "; ".join(filter(None, (note, why))))
    fact = Fact("NaN or infinite", str(len(bad)), f"of {correlation.units} units", why)
    return HeatmapContent(name, (panel,), facts=(fact,), unit_ids=kept)


def _profile_panel(X: NDArray, target: NDArray | None, rows_per_sample: int) -> MatrixPanel:
    samples = len(X) // rows_per_sample
    groups = np.arange(samples) if target is None else target
    profile = activation_profile(X, np.repeat(groups, rows_per_sample))
    values, names, note = profile.values, [str(group) for group in profile.groups], ""
    if target is None and samples > _SAMPLES_SHOWN:
        shown = np.linspace(0, samples - 1, _SAMPLES_SHOWN).round().astype(int)
        values, names = values[:, shown], [names[k] for k in shown]
        note = f"{_SAMPLES_SHOWN} of {samples:,} samples: evenly spaced"
    what = "class" if target is not None else "sample"
    if rows_per_sample > 1 and target is None:
        note = "; ".join(filter(None, (note, f"mean of each sample's {rows_per_sample:,} positions")))
    return MatrixPanel(
        "profile",
        "Mean activation per class" if target is not None else "Activation per sample",
        values,
        how="z-scores",
        quantity="z",
        unit="SD",
        columns=Columns("classes" if what == "class" else "samples", names, one=what),
        note=note,
        samples=len(X),
    )


def _facts(correlation: Correlation, measures: UnitMeasures, positions: int) -> tuple[Fact, ...]:
    units = correlation.units
    pairs = " ".join(f"{i}·{j}" for i, j in correlation.pairs[:2])
    neighbours = (
        f" The {positions} positions of one input are neighbours, not independent: the true figure is larger."
        if positions > 1
        else ""
    )
    strongest = "none" if not correlation.pairs else f"{correlation.strongest:+.3f}".replace("-", "−")
    return (
        Fact(
            "strongest correlation",
            strongest,
            f"units {pairs}" if pairs else "",
            "Largest |r| of two different units.",
        ),
        Fact(
            "by chance alone",
            f"{correlation.null_mean:.3f}",
            f"± {correlation.null_std:.3f}",
            "Mean and standard deviation of the largest |r| if all units and all samples were independent."
            + neighbours,
        ),
        Fact(
            "constant units",
            str(len(correlation.constant)),
            f"of {units}",
            "Units whose value never changes.",
        ),
        _rank_fact(measures),
    )


def _rank_fact(measures: UnitMeasures) -> Fact:
    explain = "exp of the entropy of the covariance's normalised eigenvalues: how many directions the layer really uses."
    if np.isfinite(measures.effective_rank):
        return Fact("effective rank", f"{measures.effective_rank:.1f}", f"of {measures.units}", explain)
    # Eigenvalues of thousands of units by thousands of samples take longer than anybody waits for a click.
    return Fact(
        "effective rank",
        "–",
        "measure_units(X, rank_limit=None)",
        "Not computed for a layer of this size. " + explain,
    )
