"""What the edge graph shows of a recording: units in columns, and the edges of every layer that mixes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nbwidgets_nn._arrays import at_least, expected
from nbwidgets_nn.kernels.columns.column import Bundle
from nbwidgets_nn.kernels.columns.plan import GraphPlan
from nbwidgets_nn.kernels.triplets import triplets
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.affine import WEIGHTED
from nbwidgets_nn.record.recorded import recorded
from nbwidgets_nn.record.stored_module import AGAIN, StoredModule
from nbwidgets_nn.widgets.edge_bundle import EdgeBundle
from nbwidgets_nn.widgets.edge_graph import EdgeGraph
from nbwidgets_nn.widgets.edge_graph_content import EdgeGraphContent
from nbwidgets_nn.widgets.unit_column import UnitColumn

# Bytes of the feature maps of one column: they are drawn a few pixels large.
_MAPS = 2**21
# Weights that are ranked at once.
_AT_ONCE = 2**22
# Contributions between channels that are held, of all samples: they travel one by one.
_CONTRIBUTIONS = 2**23
_MOST_SAMPLES = 32
# Places without edges that are named: a deep network can have hundreds.
_MOST_NAMED = 12
_NOTHING = "no layer with weights has samples along its first dimension"
_NO_WEIGHTS = "it has no layer with weights"
_NOT_IN_FILE = f"no weights in the file that this was loaded from. Try: {AGAIN}"

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
    recording = recorded(model, input, call="edge_graph")
    strangers = sorted(set(options) - set(EdgeGraph.OPTIONS))
    if strangers:
        what = f"some of {', '.join(EdgeGraph.OPTIONS)}"
        raise TypeError(expected("options", what, ", ".join(strangers)))
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
    at_least("max_edges", max_edges, 1)
    some = recording.take(chosen)
    names = _sample_names(chosen % count, target, count)
    plan = GraphPlan(some, triplets(some))
    missing = _no_edges_into(plan.without)
    if not plan.bundles and isinstance(recording.network, StoredModule):
        return EdgeGraphContent(message=f"No edges: {_NOT_IN_FILE}.")
    if not plan.bundles:
        weighted = any(isinstance(recording[name].module, WEIGHTED) for name in recording)
        why = missing or (_NOTHING if weighted else _NO_WEIGHTS)
        return EdgeGraphContent(message=f"This model has no edges that can be drawn: {why}.")
    joined = plan.finish()
    last = joined[-1]
    if classes is None:
        classes = _numbered(target, plan.columns[last].units)
    columns = [_column(plan, index, orders, classes if index == last else None) for index in joined]
    most = _most_of_each([bundle.edges.weight.size for bundle in plan.bundles], max_edges)
    bundles = [_bundle(plan, bundle, joined, most) for bundle in plan.bundles]
    held = "" if len(chosen) == count else f"{len(chosen)} of {count:,} samples"
    return EdgeGraphContent(
        tuple(columns), tuple(bundles), names, how=" · ".join(filter(None, (held, missing)))
    )


def _no_edges_into(places: list[str]) -> str:
    """Name where edges are missing, of many the first.

    >>> _no_edges_into(["a (cat of b, c)"]), _no_edges_into([]), _no_edges_into(["a"] * 20)[-18:]
    ('no edges into a (cat of b, c)', '', 'a, a, a and 8 more')
    """
    if not places:
        return ""
    more = f" and {len(places) - _MOST_NAMED:,} more" if len(places) > _MOST_NAMED else ""
    return f"no edges into {', '.join(places[:_MOST_NAMED])}{more}"


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
        if isinstance(samples, bool) or samples < 1:
            raise ValueError(expected("samples", "at least 1, or indices", f"{samples}"))
        return np.linspace(0, count - 1, min(int(samples), count)).round().astype(np.int64)
    return np.atleast_1d(np.asarray(samples))


def _sample_names(chosen: NDArray, target: Sequence[Any] | None, count: int) -> tuple[str, ...]:
    if target is None:
        return tuple(f"sample {k}" for k in chosen)
    what = f"one label for each of {count:,} samples"
    labels = target.tolist() if hasattr(target, "tolist") else target
    if not isinstance(labels, Sequence) or isinstance(labels, str):
        raise TypeError(expected("target", what, f"{target!r}"))
    if len(labels) != count:
        raise ValueError(expected("target", what, f"{len(labels):,}"))
    return tuple(
        f"sample {k} · {labels[k] if isinstance(labels[k], str) else f'class {labels[k]}'}" for k in chosen
    )


def _numbered(target: Sequence[Any] | None, units: int) -> list[str] | None:
    """Return the classes that labels 0, 1, ... name, if they are as many as there are units."""
    if target is None:
        return None
    labels = target.tolist() if hasattr(target, "tolist") else target
    if not all(isinstance(label, int | float) for label in labels):
        return None
    numbers = np.unique(labels)
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
        column.values,
        tuple(column.aliases),
        column.kind,
        None if maps is None else _shrunk(maps),
        known[-1] if known else None,
        None if classes is None else [str(name) for name in classes],
        column.layer,
        column.positions,
    )


def _shrunk(maps: Tensor) -> NDArray:
    """Average neighbouring places until the maps of the column are small enough to travel."""
    height, width = maps.shape[2:]
    factor = math.sqrt(maps.numel() / _MAPS)
    if factor > 1:
        smaller = (max(1, int(height / factor)), max(1, int(width / factor)))
        maps = functional.adaptive_avg_pool2d(maps.float(), smaller)
    return maps.float().cpu().numpy()


def _bundle(plan: GraphPlan, bundle: Bundle, joined: list[int], most: int) -> EdgeBundle:
    target = plan.columns[bundle.target]
    # A column of what the model returns shows the sums themselves.
    stage = "" if bundle.kind == "Add" and target.step else target.kinds_behind(bundle.layer)
    edges, ends, contribution, note = bundle.edges, bundle.ends, bundle.edges.summed, bundle.note
    weight = edges.weight
    held = min(most, weight.size)
    if held < weight.size:
        strongest = _largest(weight.ravel(), held)
        ends = (
            np.stack(np.unravel_index(strongest, weight.shape)[::-1], axis=1)
            if ends is None
            else ends[strongest]
        )
        contribution = (
            None if contribution is None else contribution.reshape(len(contribution), -1)[:, strongest]
        )
        thinned = f"{held:,} of {weight.size:,} edges of {bundle.name} held: largest |{edges.weight_is}|"
        note = "; ".join(filter(None, (thinned, note)))
        weight = weight.ravel()[strongest]
    return EdgeBundle(
        name=bundle.name,
        kind=bundle.kind,
        source=joined.index(bundle.source),
        target=joined.index(bundle.target),
        weight=weight,
        ends=ends,
        contribution=contribution,
        source_values=edges.source,
        target_values=edges.target,
        bias=edges.bias,
        total=edges.weight.size,
        weight_is=edges.weight_is,
        note=note,
        stage=stage,
    )


def _most_of_each(sizes: list[int], total: int) -> int:
    """Return how many edges of one layer are held at most, so that small layers are whole.

    >>> _most_of_each([10, 1000, 2000], 500), _most_of_each([10, 20], 500), _most_of_each([10, 20], 1)
    (245, 500, 1)
    """
    left = total
    for k, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - k)
        if size > share:
            return max(share, 1)
        left -= size
    return total


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
