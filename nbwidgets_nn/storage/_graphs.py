"""Graphs in files: how units read units, the weights, and the transforms that were computed.

Weights are written out, as the model is not there when a graph is loaded. A file is not trusted: indices that compiled code
would follow are checked when the graph is put together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse
from torch import Tensor

from nbwidgets_nn.kernels.edge_blocks import EdgeBlock
from nbwidgets_nn.kernels.graph.axis_reach import AxisReach
from nbwidgets_nn.kernels.graph.laid import Laid
from nbwidgets_nn.kernels.graph.product_reach import Reach
from nbwidgets_nn.kernels.graph.stages import Convolution, Link, Matrix, Stage, Uniform, Winners
from nbwidgets_nn.kernels.graph.stages_of_recording import Stages
from nbwidgets_nn.kernels.graph.unit_graph import UnitGraph
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.kernels.window_reach import OUTSIDE
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.storage._archive import WrongFileError


def parts_of(value: Any, same: Callable[[Tensor], Tensor]) -> tuple[str, dict[str, Any]] | None:
    """Take a graph or a piece of one apart; `same` gives one tensor for all that lie at the same place in memory."""
    kind = type(value)
    if kind is NNGraph and "_units" in vars(value):
        return "NNGraph", _parts_of_graph(value)
    if kind is Matrix:
        weight, reason = _found(value.weight)
        return "Matrix", {
            "weight": None if weight is None else same(weight),
            "reason": reason,
            "lead": value.lead,
        }
    if kind is Convolution:
        block, reason = _found(value.block)
        return "Convolution", {"block": block, "reason": reason}
    if kind is Winners:
        winner, reason = _found(lambda: value.winner)
        return "Winners", {"winner": winner, "reason": reason, "units": value.units}
    return None


def made_of(name: str, parts: dict[str, Any]) -> Any:
    """Put together what `parts_of` took apart."""
    return _MAKERS[name](**parts)


def _parts_of_graph(graph: NNGraph) -> dict[str, Any]:
    units = graph.units
    return {
        "activations": graph.activations,
        "INCL": graph.INCL,
        "stages": Stages(units.stages, units.laid, units.notes),
        "transformers": graph.transformers,
        "eigenvectors": vars(graph).get("eigenvectors"),
        "attributes": graph.graph,
    }


def _found(make: Callable[[], Any]) -> tuple[Any, str]:
    """Return what `make` gives, and "" or why there is none: weights of a recording without values, say."""
    try:
        return make(), ""
    except ValueError as error:
        return None, str(error)


def _made_graph(
    activations: Activations,
    INCL: bool,
    stages: Stages,
    transformers: dict,
    eigenvectors: Any,
    attributes: dict,
) -> NNGraph:
    if (
        not isinstance(activations, Activations)
        or type(stages) is not Stages
        or type(transformers) is not dict
    ):
        raise WrongFileError("a graph that is none")
    _check_stages(stages)
    graph = NNGraph(**attributes)
    graph.INCL, graph.activations = bool(INCL), activations
    graph._units = UnitGraph(stages)  # noqa: SLF001 - what its constructor does with a recording
    graph.fill_later("_fill_networkx")
    for kind, transformer in transformers.items():
        _check_transformer(kind, transformer, graph.n_nodes)
    graph.transformers = transformers
    if eigenvectors is not None:
        frequencies, basis = eigenvectors
        _need(type(frequencies) is type(basis) is np.ndarray, "a basis")
        _need(basis.shape == (graph.n_nodes,) * 2 and frequencies.shape == (graph.n_nodes,), "a basis")
        vars(graph)["eigenvectors"] = frequencies, basis
    return graph


def _check_stages(stages: Stages) -> None:
    nodes = 0
    _need(all(type(part) is tuple for part in (stages.all, stages.laid, stages.notes)), "stages")
    _need(len(stages.laid) == len(stages.all) and all(type(laid) is Laid for laid in stages.laid), "stages")
    for number, stage in enumerate(stages.all):
        _need(type(stage) is Stage and _are_counts(stage.shape) and stage.start in (None, nodes), "a stage")
        _need(_is_laid(stages.laid[number], stage.shape), "samples")
        nodes += stage.size if stage.is_recorded else 0
        for link in stage.links:
            # A stage reads earlier ones only: a circle would never end.
            _need(type(link) is Link and type(link.source) is int and 0 <= link.source < number, "a link")
            _check_reach(link.reach, (stage.size, stages.all[link.source].size))
            if link.weights is not None:
                _check_weights(link.weights, stage.size, stages.all[link.source].size)


def _is_laid(laid: Laid, shape: tuple[int, ...]) -> bool:
    """Whether the samples of a tensor of that shape can be told apart, each of the shape of the stage."""
    full, axis, times = laid.full, laid.axis, laid.times
    if not _are_counts(full) or type(times) is not int or times < 1:
        return False
    if axis is not None and (type(axis) is not int or not 0 <= axis < len(full) or full[axis] % times):
        return False
    return laid.sample_shape == shape


def _check_reach(reach: Any, shape: tuple[int, int]) -> None:
    _need(type(reach) is Reach and all(type(axis) is AxisReach for axis in reach.axes), "a reach")
    _need(type(reach.axes) is type(reach.order) is tuple, "a reach")
    _need(sorted(reach.order) == list(range(len(reach.axes))), "a reach")
    for axis in reach.axes:
        size = axis.rows, axis.cols
        mask, table = axis.mask, axis.table
        _need(_are_counts(size) and (not axis.own or axis.rows == axis.cols), "a table of an axis")
        _need(mask is None or (type(mask) is np.ndarray and mask.shape == (axis.cols,)), "a table of an axis")
        known = table is None or type(table) in (np.ndarray, sparse.csr_array)
        _need(known and (table is None or table.shape == size), "a table of an axis")
    _need((reach.rows, reach.cols) == shape, "a reach")


def _check_weights(weights: Any, rows: int, cols: int) -> None:
    if type(weights) is Uniform:
        _check_reach(weights.reach, (rows, cols))
        _need(isinstance(weights.factor, int | float | np.number | np.ndarray), "weights")
        _need(np.shape(weights.factor) in ((), (rows,)), "weights")
    elif type(weights) is Winners:
        winner, _ = _found(lambda: weights.winner)
        if winner is not None:
            _need(winner.shape == (rows,) and winner.dtype.kind in "iu", "winners")
            _need(not rows or (winner.min() >= 0 and winner.max() < cols == weights.units), "winners")
    elif type(weights) is Matrix:
        W, _ = _found(weights.weight)
        _need(type(weights.lead) is int, "weights")
        _need(W is None or (W.shape[0] * weights.lead, W.shape[1] * weights.lead) == (rows, cols), "weights")
    else:
        _need(type(weights) is Convolution, "weights")
        block, _ = _found(weights.block)
        _need(block is None or (block.n_out, block.n_in) == (rows, cols), "weights")


def _check_transformer(kind: Any, transformer: Any, nodes: int) -> None:
    if kind != "laplacian":
        _need(sparse.issparse(transformer) and transformer.shape == (nodes, nodes), f"a transform {kind!r}")
        return
    lu, pivots = transformer
    _need(
        lu.shape == (nodes, nodes) and pivots.shape == (nodes,) and pivots.dtype.kind in "iu",
        "a decomposition",
    )
    # LAPACK swaps the rows that they name without asking.
    _need(not nodes or (pivots.min() >= 0 and pivots.max() < nodes), "a decomposition")


def _made_matrix(weight: Tensor | None, reason: str, lead: int) -> Matrix:
    return Matrix(lambda: _given(weight, reason), lead)


def _made_winners(winner: np.ndarray | None, reason: str, units: int) -> Winners:
    return Winners(lambda: _given(winner, reason), units)


def _made_convolution(block: EdgeBlock | None, reason: str) -> Convolution:
    if block is not None:
        inside = block.reach.numel() == 0 or (
            block.reach.min() >= OUTSIDE and block.reach.max() < block.in_positions
        )
        _need(inside, "a block of edges")

    def run(x: Tensor) -> Tensor:
        return replace(_given(block, reason), bias=None).apply(x.flatten(1))

    return Convolution(run, lambda: _given(block, reason))


def _given(value: Any, reason: str) -> Any:
    if value is None:
        raise ValueError(reason)
    return value


def _are_counts(shape: Any) -> bool:
    return type(shape) is tuple and all(type(n) is int and n >= 0 for n in shape)


def _need(holds: Any, what: str) -> None:
    if not holds:
        raise WrongFileError(f"a graph with {what} that cannot be")


_MAKERS: dict[str, Callable[..., Any]] = {
    "NNGraph": _made_graph,
    "Matrix": _made_matrix,
    "Convolution": _made_convolution,
    "Winners": _made_winners,
}
