"""The effective information of the edges that a layer shown in the explorer is an end of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._progress import Progress
from nbwidgets_nn.information_results import EffectiveInformation
from nbwidgets_nn.kernels.layer_question import LayerQuestion, ask
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.affine import affine_map
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.stored_module import StoredModule
from nbwidgets_nn.record.topology import find_node
from nbwidgets_nn.widgets.heatmap_content import Columns, Fact, MatrixPanel


@dataclass(frozen=True, eq=False)
class LayerEdges:
    """The weights between the units of a layer and those of another, as a question that can be answered exactly.

    Rows of the matrix to come are the shown layer's units: the inputs of the layer behind it, or, of the last layer, its own
    outputs.
    """

    question: LayerQuestion
    source: str
    target: str
    units: int
    forward: bool
    unit_of_input: NDArray
    """(inputs,) the unit that each input of the weights belongs to: a channel has an input at every position."""

    @property
    def title(self) -> str:
        """Name both ends."""
        return f"{self.source} → {self.target}"

    @property
    def pairs(self) -> int:
        """Count the pairs of an input and an output."""
        return self.question.inputs * self.question.outputs

    @property
    def steps(self) -> int:
        """Estimate the work: arithmetic operations, in units of one pair with 64 x 64 bins."""
        return math.ceil(self.pairs * self.question.in_bins * self.question.out_bins / 64**2)

    def measure(self, progress: Progress = False) -> tuple[EffectiveInformation, EffectiveInformation]:
        """Return EI_parts and sensitivity. Neither runs the model, so this may go on beside anything."""
        from nbwidgets_nn.kernels.pairs_of_layer import Sampling, pairs_of_layer  # noqa: PLC0415 - imports numba

        parts = pairs_of_layer(self.question, Sampling(progress=progress), alone=False)
        return parts, pairs_of_layer(self.question, Sampling(), alone=True)

    def panel(self, parts: EffectiveInformation, rows: NDArray, column_order: NDArray | None) -> MatrixPanel:
        """Show EI_parts.

        Args:
            parts: from `measure`.
            rows: the units shown.
            column_order: units of the other layer in its display order, if that is known.
        """
        positions = len(self.unit_of_input) // self._ends
        matrix = np.zeros((self._ends, parts.matrix.shape[1]))
        np.add.at(matrix, self.unit_of_input, parts.matrix)
        if not self.forward:
            matrix = matrix.T
        columns = np.arange(matrix.shape[1]) if column_order is None else column_order
        other = self.target if self.forward else self.source
        summed = f"summed over {positions} positions" * (positions > 1)
        beyond = f"{parts.outside_share:.0%} of the outputs beyond their range: clipped" * (
            parts.outside_share >= 0.005
        )
        return MatrixPanel(
            "ei",
            "Effective information",
            matrix[np.ix_(rows, columns)],
            how=f"{self.title} · {parts.method} · {parts.in_bins} bins",
            quantity="EI",
            unit="bits",
            columns=Columns(f"units of {other}", [str(unit) for unit in columns], one="unit", layer=other),
            note="; ".join(filter(None, (_ranges(parts), summed, beyond))),
            marginals=True,
        )

    @property
    def _ends(self) -> int:
        return int(self.unit_of_input.max()) + 1


def _ranges(parts: EffectiveInformation) -> str:
    low, high = parts.in_range
    return f"inputs {low:g} to {high:g}, outputs {parts.out_low.min():g} to {parts.out_high.max():g}"


def information_fact(
    edges: LayerEdges, parts: EffectiveInformation, sensitivity: EffectiveInformation
) -> Fact:
    """Say how much the edges carry, and what of it is lost when all inputs move."""
    share = parts.value / sensitivity.value if sensitivity.value else 0.0
    return Fact(
        "EI parts",
        f"{parts.value:,.1f} bits" if parts.value >= 0.05 else f"{parts.value:.2g} bits",
        f"{share:.1%} of sensitivity",
        f"Effective information summed over the pairs of {edges.title}, all inputs random: what survives of the sensitivity, "
        f"{sensitivity.value:,.1f} bits, which moves one input at a time. The rest, "
        f"{sensitivity.value - parts.value:,.1f} bits, is degeneracy.",
    )


def edges_of(
    recording: Activations,
    topology: nx.DiGraph,
    name: str,
    bins: int,
    input_range: tuple[float, float] | None = None,
) -> LayerEdges | str:
    """Find the weights behind a layer, or of the last layer those before it; in a few words why there are none."""
    if isinstance(recording.network, StoredModule):
        return "a file has no weights: load it with network=model"
    ahead = _next_weights(recording, recording[name])
    if ahead is not None:
        return _ask(recording, topology, ahead, recording[name], bins, input_range, forward=True)
    behind = _last_weights(recording, recording[name])
    if behind is None:
        return "no weights take these units"
    return _ask(recording, topology, behind, recording[name], bins, input_range, forward=False)


def _ask(
    recording: Activations,
    topology: nx.DiGraph,
    weights: Layer,
    shown: Layer,
    bins: int,
    input_range: tuple[float, float] | None,
    *,
    forward: bool,
) -> LayerEdges | str:
    source = shown if forward else _source(recording, weights)
    if source is None:
        return f"{weights.name} takes several layers"
    try:
        question = ask(
            weights.name,
            topology,
            in_layer=None,
            in_range=None if topology.pred[find_node(topology, weights.name)] else input_range,
            in_bins=bins,
            out_range=None,
            out_bins=bins,
            activation=None,
            device="cpu",
            batch_size=1,
            outside="clip",
        ).whole()
    except (TypeError, ValueError) as error:
        return str(error)
    if question.why_not_exact:
        return f"{weights.name} has no exact form"
    unit_of_input = _unit_of_input(source, weights, question.inputs)
    if unit_of_input is None:
        return f"not the inputs of {weights.name}"
    if not forward and question.outputs != shown.units:
        return f"not the outputs of {weights.name}"
    target = weights.name if forward else shown.name
    return LayerEdges(question, source.name, target, shown.units, forward, unit_of_input)


def _next_weights(recording: Activations, layer: Layer) -> Layer | None:
    """Return the first layer with weights that the layer's units reach through layers that keep units apart."""
    todo = list(layer.feeds)
    while todo:
        taker = recording[todo.pop(0)]
        if _has_weights(taker):
            return taker
        if _keeps_units(taker):
            todo += taker.feeds
    return None


def _last_weights(recording: Activations, layer: Layer) -> Layer | None:
    while not _has_weights(layer):
        if len(layer.fed_by) != 1 or not (_keeps_units(layer) and layer.input_of):
            return None
        layer = recording[layer.fed_by[0]]
    return layer


def _source(recording: Activations, weights: Layer) -> Layer | None:
    return recording[weights.fed_by[0]] if len(weights.fed_by) == 1 else None


def _has_weights(layer: Layer) -> bool:
    return (
        layer.module is not None
        and hasattr(layer.module, "weight")
        and not _is_norm(layer)
        and _is_affine(layer)
    )


def _is_affine(layer: Layer) -> bool:
    return affine_map(layer.module) is not None


def _is_norm(layer: Layer) -> bool:
    return hasattr(layer.module, "running_mean")


def _keeps_units(layer: Layer) -> bool:
    """Tell whether unit k of the output comes from unit k of the input alone, or from its positions."""
    kind = layer.kind
    return (
        layer.is_activation
        or _is_norm(layer)
        or "Pool" in kind
        or "Dropout" in kind
        or kind in ("Identity", "Flatten")
    )


def _unit_of_input(source: Layer, weights: Layer, inputs: int) -> NDArray | None:
    """Return the unit of `source` that each input of the weights is; None if they are not units of it."""
    units = source.units
    if not units or inputs % units:
        return None
    positions = inputs // units
    if positions == 1:
        return np.arange(units)
    if weights.kind.startswith("Conv"):
        channels = weights.module.in_channels
        return np.repeat(np.arange(units), positions) if channels == units else None
    # Flattened: channels lie outside their positions, or inside.
    if source.channel_axis == 1:
        return np.repeat(np.arange(units), positions)
    last = source.output_shape is not None and source.channel_axis == len(source.output_shape) - 1
    return np.tile(np.arange(units), positions) if last else None
