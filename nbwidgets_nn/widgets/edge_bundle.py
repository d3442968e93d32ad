"""A bundle of the edge graph: all edges of one layer, from one column of units to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.widgets._content_arrays import set_values, single_precision, whole_numbers


@dataclass(frozen=True, eq=False)
class EdgeBundle:
    """All edges of one layer that mixes units, from its source column to its target column.

    ``weight`` is (outputs, inputs), edge number = output * inputs + input; or (edges,) with their ``ends`` (edges, 2),
    input and output of each. ``source_values`` (samples, inputs) are what the layer received, ``target_values``
    (samples, outputs) what it returned; of feature maps the sums over positions. ``contribution`` (samples, outputs,
    inputs) or (samples, edges) is what an edge adds to its target; None is weight times source value. The contributions
    into a unit and its ``bias`` sum up to its target value.

    ``total`` counts the edges that the layer has; where more than are here, ``note`` says how they were chosen.
    ``weight_is`` is the name of what ``weight`` holds; ``stage`` what is between what the layer returned and the values of
    the column ("BatchNorm1d, ReLU").

    Values are rounded to float32, as edges are seen; ``triplets`` gives the exact numbers.

    Raises:
        TypeError: arrays that do not hold real numbers, or ``ends`` that are not whole ones.
        ValueError: shapes that do not agree, or ends that are not there.

    >>> bundle = EdgeBundle("fc", 0, 1, [[2.0, -1.0]], source_values=[[3.0, 4.0]], target_values=[[2.5]], bias=[0.5])
    >>> bundle.contributions(0).tolist()
    [6.0, -4.0]
    """

    name: str
    source: int
    target: int
    weight: NDArray
    source_values: NDArray
    target_values: NDArray
    kind: str = ""
    ends: NDArray | None = None
    contribution: NDArray | None = None
    bias: NDArray | None = None
    total: int = 0
    weight_is: str = "weight"
    note: str = ""
    stage: str = ""

    def __post_init__(self) -> None:
        for key in ("weight", "source_values", "target_values", "contribution", "bias"):
            if getattr(self, key) is not None:
                set_values(self, **{key: single_precision(getattr(self, key), self._argument(key))})
        for key in ("source_values", "target_values"):
            if getattr(self, key).ndim != 2:
                came = f"shape {getattr(self, key).shape}"
                raise ValueError(expected(self._argument(key), "(samples, units)", came))
        if self.ends is None:
            self._check("weight", "(outputs, inputs)", (self.outputs, self.inputs))
        else:
            self._check_ends()
        samples = len(self.source_values)
        self._check("target_values", "(samples, outputs)", (samples, self.outputs))
        self._check("contribution", "(samples, *shape of weight)", (samples, *self.weight.shape))
        self._check("bias", "(outputs,)", (self.outputs,))
        set_values(self, total=self.total or self.edges)
        if self.total < self.edges:
            raise ValueError(
                expected(
                    self._argument("total"), f"at least the {self.edges:,} edges given", f"{self.total:,}"
                )
            )

    def _check_ends(self) -> None:
        set_values(self, ends=whole_numbers(self.ends, self._argument("ends")))
        if self.weight.ndim != 1:
            came = f"shape {self.weight.shape}"
            raise ValueError(expected(self._argument("weight"), "(edges,), as ends are given", came))
        self._check("ends", "(edges, 2)", (len(self.weight), 2))
        beyond = (self.ends < 0) | (self.ends >= (self.inputs, self.outputs))
        if beyond.any():
            what = f"inputs below {self.inputs} and outputs below {self.outputs}"
            came = f"{self.ends[beyond.any(axis=1)][0].tolist()}"
            raise ValueError(expected(self._argument("ends"), what, came))

    def _check(self, key: str, what: str, shape: tuple[int, ...]) -> None:
        array = getattr(self, key)
        if array is not None and array.shape != shape:
            raise ValueError(expected(self._argument(key), f"{what} = {shape}", f"shape {array.shape}"))

    def _argument(self, key: str) -> str:
        return f"{key} of bundle {self.name!r}"

    @property
    def inputs(self) -> int:
        """Return how many units the layer reads."""
        return self.source_values.shape[1]

    @property
    def outputs(self) -> int:
        """Return how many units the layer writes."""
        return self.target_values.shape[1]

    @property
    def edges(self) -> int:
        """Return how many edges are held here."""
        return self.weight.size

    def ends_of(self, edges: NDArray) -> tuple[NDArray, NDArray]:
        """Return the inputs and the outputs of some edges, by their numbers."""
        if self.ends is None:
            return edges % self.inputs, edges // self.inputs
        return self.ends[edges, 0], self.ends[edges, 1]

    def contributions(self, sample: int) -> NDArray[np.float32]:
        """Return what each edge adds to its target in one sample, by edge number."""
        if self.contribution is not None:
            return self.contribution[sample].ravel()
        inputs = self.source_values[sample]
        with np.errstate(invalid="ignore", over="ignore"):  # 0 * inf is not a number, and is shown as that
            return (self.weight * (inputs if self.ends is None else inputs[self.ends[:, 0]])).ravel()

    def to_state(self) -> dict[str, Any]:
        """Return the form that travels to the browser."""
        kept = ("name", "kind", "source", "target", "inputs", "outputs", "weight", "ends", "contribution")
        values = ("source_values", "target_values", "bias", "total", "weight_is", "note", "stage")
        return {key: getattr(self, key) for key in (*kept, *values)}
