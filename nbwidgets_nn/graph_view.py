"""What the edge graph shows of a recording: units in columns, and the edges of every layer that mixes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.graph_plan import Bundle, Column, GraphPlan
from nbwidgets_nn.kernels.triplets import triplets
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.affine import WEIGHTED
from nbwidgets_nn.widgets.edge_graph import EdgeGraph
from nbwidgets_nn.widgets.edge_graph_content import EdgeBundle, EdgeGraphContent, UnitColumn

# Bytes of the feature maps of one column: they are drawn a few pixels large.
_MAPS = 2**21
# Weights that are ranked at once.
_AT_ONCE = 2**22
# Contributions between channels that are held, of all samples: they travel one by one.
_CONTRIBUTIONS = 2**23
_MOST_SAMPLES = 32
_NOTHING = "no layer with weights has samples along its first dimension"

Orders = Callable[[str], "NDArray | None"]


def edge_graph(
    model: nn.Module | Activations,
    input: Any = None,  # noqa: A002 - the seeds' name
    *,
    target: Sequence[Any] | None = None,
    classes: Sequence[Any] | None = None,
    samples: int | Sequence[int] | None = None,
    max_edges: int = 1_000_000,
    **options: Any,
) -> EdgeGraph:
    """Draw the units of every layer and the edges between them, for one sample at a time.

    Units of layers that keep them apart (activations, norms, pooling) stand in one column. A channel of feature maps is
    one unit, its edges are the sums over all positions. Values of all edges: `triplets`.

    >>> import torch
    >>> graph = edge_graph(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.ones(5, 3))
    >>> [column.name for column in graph.content.columns], graph.content.edges
    (['input', '1', '2'], 20)

    Args:
        model: any module, or an `Activations` made before (then without ``input``).
        input: what the model takes.
        target: one label a sample, shown with its number.
        classes: names of the last layer's units; by default their numbers, if the labels are these numbers.
        samples: how many samples are held, evenly spaced; or their indices. By default as many as travel easily, at most 32.
        max_edges: the most edges that are held; of a larger model those of largest |weight|, and the view says so.
        options: of `EdgeGraph`: ``sample``, ``quantity``, ``shown``, ``height``, ...

    Raises:
        TypeError, ValueError, IndexError: bad input, by the argument's name.
    """
    if isinstance(model, Activations):
        if input is not None:
            raise ValueError(expected("input", "none with a recording", "one", "edge_graph(recording)"))
        recording = model
    else:
        recording = Activations(model, input)
    content = graph_content(recording, target=target, classes=classes, samples=samples, max_edges=max_edges)
    return EdgeGraph(content, **options)


def graph_content(
    recording: Activations,
    *,
    target: Sequence[Any] | None = None,
    classes: Sequence[Any] | None = None,
    samples: int | Sequence[int] | None = None,
    max_edges: int = 1_000_000,
    orders: Orders = lambda _: None,
) -> EdgeGraphContent:
    """Return what `edge_graph` shows; ``orders`` gives a layer's units in display order where that is known."""
    values = recording["input"].output
    if values is None or not values.ndim or recording.shapes_only:
        return EdgeGraphContent(message="No edges: the recording holds no samples.")
    count = len(values)
    chosen = _chosen(_fitting(recording) if samples is None else samples, count)
    if max_edges < 1:
        raise ValueError(expected("max_edges", "at least 1", f"{max_edges}"))
    some = recording.take(chosen)
    names = _sample_names(chosen % count, target, count)
    plan = GraphPlan(some, triplets(some))
    missing = f"no edges into {', '.join(plan.without)}" if plan.without else ""
    if not plan.bundles:
        return EdgeGraphContent(message=f"This model has no edges that can be drawn: {missing or _NOTHING}.")
    joined = sorted({end for bundle in plan.bundles for end in (bundle.source, bundle.target)})
    last = joined[-1]
    if classes is None:
        classes = _numbered(target, plan.columns[last].units)
    columns = [_column(plan, index, orders, classes if index == last else None) for index in joined]
    share = min(1.0, max_edges / sum(bundle.edges.weight.size for bundle in plan.bundles))
    bundles = [_bundle(bundle, joined, share) for bundle in plan.bundles]
    held = "" if len(chosen) == count else f"{len(chosen)} of {count:,} samples"
    return EdgeGraphContent(
        tuple(columns), tuple(bundles), names, how=" · ".join(filter(None, (held, missing)))
    )


def _fitting(recording: Activations) -> int:
    """Return how many samples are held: between channels every edge has a contribution in each."""
    convolutions = [
        layer.module for layer in map(recording.__getitem__, recording) if _convolves(layer.module)
    ]
    edges = sum(math.prod(module.weight.shape[:2]) for module in convolutions)
    return max(1, min(_MOST_SAMPLES, _CONTRIBUTIONS // max(edges, 1)))


def _convolves(module: nn.Module | None) -> bool:
    return isinstance(module, WEIGHTED) and not isinstance(module, nn.Linear)


def _chosen(samples: int | Sequence[int], count: int) -> NDArray[np.int64]:
    if isinstance(samples, int | np.integer):
        if samples < 1:
            raise ValueError(expected("samples", "at least 1, or indices", f"{samples}"))
        return np.linspace(0, count - 1, min(int(samples), count)).round().astype(np.int64)
    return np.atleast_1d(np.asarray(samples))


def _sample_names(chosen: NDArray, target: Sequence[Any] | None, count: int) -> tuple[str, ...]:
    if target is None:
        return tuple(f"sample {k}" for k in chosen)
    if len(target) != count:
        raise ValueError(expected("target", f"one label for each of {count:,} samples", f"{len(target):,}"))
    labels = target.tolist() if hasattr(target, "tolist") else list(target)
    return tuple(
        f"sample {k} · {labels[k] if isinstance(labels[k], str) else f'class {labels[k]}'}" for k in chosen
    )


def _numbered(target: Sequence[Any] | None, units: int) -> list[str] | None:
    """Return the classes that labels 0, 1, ... name, if they are as many as there are units."""
    if target is None:
        return None
    numbers = np.unique(np.asarray(target))
    return [str(k) for k in range(units)] if np.array_equal(numbers, np.arange(units)) else None


def _column(plan: GraphPlan, index: int, orders: Orders, classes: Sequence[Any] | None) -> UnitColumn:
    column = plan.columns[index]
    if classes is not None and len(classes) != column.units:
        came = f"{len(classes)}"
        raise ValueError(
            expected("classes", f"a name for each of the last layer's {column.units} units", came)
        )
    # Named units stand as they are numbered: a reader looks for "7" between "6" and "8".
    known = classes is None and [
        order for order in map(orders, column.aliases) if order is not None and len(order) == column.units
    ]
    maps = plan.maps_of(index)
    return UnitColumn(
        column.name,
        plan.values_of(column),
        tuple(column.aliases),
        _kind(column),
        None if maps is None else _shrunk(maps),
        known[-1] if known else None,
        None if classes is None else [str(name) for name in classes],
        column.layer,
    )


def _kind(column: Column) -> str:
    """Say what the layers of a column are: "Conv2d, relu, MaxPool2d"."""
    if not column.layers:
        return ""
    if column.layers[0].name == "input":
        shape = column.layers[0].output_shape[1:]
        return " × ".join(map(str, shape)) if len(shape) > 1 else ""
    kinds = [
        layer.kind
        for layer in column.layers
        if not isinstance(layer.module, nn.Identity | nn.Dropout | nn.Flatten)
    ]
    after = column.layers[-1].activation
    function = (
        getattr(getattr(after, "function", after), "__name__", "") if not isinstance(after, nn.Module) else ""
    )
    return ", ".join(filter(None, (*kinds, function)))


def _shrunk(maps: Tensor) -> NDArray:
    """Average neighbouring places until the maps of the column are small enough to travel."""
    height, width = maps.shape[2:]
    factor = math.sqrt(maps.numel() / _MAPS)
    if factor > 1:
        smaller = (max(1, int(height / factor)), max(1, int(width / factor)))
        maps = functional.adaptive_avg_pool2d(maps.float(), smaller)
    return maps.float().cpu().numpy()


def _bundle(bundle: Bundle, joined: list[int], share: float) -> EdgeBundle:
    edges = bundle.edges
    common = {
        "name": bundle.name,
        "kind": bundle.kind,
        "source": joined.index(bundle.source),
        "target": joined.index(bundle.target),
        "source_values": edges.source,
        "target_values": edges.target,
        "bias": edges.bias,
        "weight_is": edges.weight_is,
        "total": edges.weight.size,
    }
    held = max(1, int(share * edges.weight.size))
    if bundle.kind == "Add":
        return EdgeBundle(
            weight=np.ones(len(edges.weight)),
            **_ends(edges, np.flatnonzero(edges.weight)),
            **{**common, "total": len(edges.weight)},
        )
    if held == edges.weight.size:
        return EdgeBundle(weight=edges.weight, contribution=edges.summed, **common)
    strongest = _largest(edges.weight.ravel(), held)
    note = f"{held:,} of {edges.weight.size:,} edges of {bundle.name} held: largest |{edges.weight_is}|"
    return EdgeBundle(weight=edges.weight.ravel()[strongest], **_ends(edges, strongest), **common, note=note)


def _largest(values: NDArray, count: int) -> NDArray[np.int64]:
    """Return where the largest magnitudes are, in order: what is not finite first, of equal ones the first."""
    kept = np.empty(0, np.int64)
    for start in range(0, len(values), _AT_ONCE):
        kept = np.concatenate([kept, np.arange(start, min(start + _AT_ONCE, len(values)))])
        if len(kept) > count:
            strength = np.where(np.isfinite(values[kept]), np.abs(values[kept]), np.inf)
            least = np.partition(strength, -count)[-count]
            above = strength > least
            kept = kept[above | ((strength == least) & (np.cumsum(strength == least) <= count - above.sum()))]
    return kept


def _ends(edges: Any, numbers: NDArray) -> dict[str, Any]:
    outputs, inputs = np.unravel_index(numbers, edges.weight.shape)
    summed = None if edges.summed is None else edges.summed.reshape(len(edges.summed), -1)[:, numbers]
    return {"ends": np.stack([inputs, outputs], axis=1), "contribution": summed}
