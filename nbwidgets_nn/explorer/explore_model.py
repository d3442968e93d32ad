"""`explore(model, input)`: record a model, check what was asked for, and open the explorer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from nbwidgets_nn._arrays import at_least, expected
from nbwidgets_nn.explorer.explorer import Explorer
from nbwidgets_nn.kernels.layer_question import check_range
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.recorded import recorded
from nbwidgets_nn.results import check_threshold

# Heights of the other linkages can exceed the largest distance, or fall towards the root.
_METHODS = ("average", "complete", "single", "weighted")


def explore(
    model: nn.Module | Activations,
    input: Any = None,  # noqa: A002 - the seeds' name
    *,
    layer: str | None = None,
    target: Sequence[Any] | None = None,
    cut: float = 0.5,
    method: str = "average",
    use_abs_correlation: bool = True,
    max_units: int = 4096,
    ei_bins: int = 64,
    input_range: tuple[float, float] | None = None,
    classes: Sequence[Any] | None = None,
    max_edges: int = 1_000_000,
    title: str | None = None,
) -> Explorer:
    """Record a model on some input and open the explorer: layers on the left, linked heatmaps on the right, edges below.

    Cost: one forward pass, a copy of every layer's output, a units x units matrix for each layer looked at, and the weights
    of the edges held.

    Args:
        model: any module, or an `Activations` made before (then without ``input``).
        input: what the model takes: a tensor, a tuple of arguments, or a dict of keyword arguments.
        layer: the layer shown first; by default the last hidden one.
        target: one label a sample; the second heatmap then averages over classes instead of showing samples.
        cut: height of the first cut, in 1 − |r|: 0.3 joins units with |r| of about 0.7 and more.
        method: linkage, see `cluster_units`.
        use_abs_correlation: let units that fire in opposition count as alike.
        max_units: of a larger layer this many units of largest variance are shown, and the view says so.
        ei_bins: bins of each input and output of the effective information. It is computed beside the notebook, exactly; a
            layer that takes more than a few seconds offers a button.
        input_range: (low, high) of the model's own input, for its effective information: (0, 1) for pixels. By default
            (-10, 10), as behind any layer without an activation.
        classes: names of the last layer's units, printed beside them in the edge graph; by default their numbers, if the
            labels are these numbers.
        max_edges: the most edges that the edge graph holds, see `edge_graph`; 0 leaves the graph out.
        title: shown above the layers; the model's class by default.

    Returns:
        An `Explorer`, with ``layer``, ``selection`` and ``cut`` to read, write and observe.

    Raises:
        TypeError, ValueError, KeyError: bad input, by the argument's name.
    """
    recording = recorded(model, input, call="explore")
    check_threshold(cut, use_abs_correlation, "cut")
    if method not in _METHODS:
        what = f"one of {', '.join(_METHODS)}, whose trees can be cut at any height"
        raise ValueError(expected("method", what, f"{method!r}"))
    at_least("max_units", max_units, 2)
    at_least("ei_bins", ei_bins, 2)
    at_least("max_edges", max_edges, 0)
    if input_range is not None:
        input_range = check_range("input_range", input_range)
    options = {
        "cut": cut,
        "method": method,
        "use_abs_correlation": use_abs_correlation,
        "max_units": max_units,
    }
    graph = {"classes": classes, "max_edges": max_edges}
    ei = (ei_bins, input_range)
    return Explorer(recording, layer=layer, target=target, ei=ei, graph=graph, title=title, **options)
