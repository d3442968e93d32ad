"""A piece of a model as a function, for interventions."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

import networkx as nx
import torch
from torch import Tensor, nn

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.record._intervention import CallId, Intervention, Look
from nbwidgets_nn.record._layout import Layout
from nbwidgets_nn.record._span_checks import check_end, check_order, check_start, sample_of
from nbwidgets_nn.record.errors import RecordingError
from nbwidgets_nn.record.topology import find_node, recording_of


class Span:
    """The model from the input of call `start` to the output of call `end`, as a function of `start`'s input.

    >>> from nbwidgets_nn.record.topology import topology_of
    >>> network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> span = Span(topology_of(network, torch.zeros(1, 3)), network[0], network[2])
    >>> span.name, span.in_shape, span.out_shape
    ('0 → 2', (3,), (2,))
    >>> x = torch.rand(5, 3)
    >>> torch.allclose(span(x).float(), network(x))
    True

    The model's own computation runs, functions and skip connections included, in eval mode and without gradients, and stops
    when `end` has returned. This is do(): the tensor that `start` reads (its first, if it reads several) is set to the given
    values wherever it is read, by others too; everything else has the value it has for the recording's first sample.

    All rows run at once where the model treats its samples one by one, which is tried out; otherwise one after the other.

    Cost: some runs of the model with one and two samples when made; one run of the model up to `end` for each call, or
    of the layer alone, if the span is one layer that reads one tensor.

    Args:
        topology: from `topology_of`.
        start, end: nodes of it; `find_node` finds them.

    Raises:
        ValueError: `start` is not before `end`, or does not feed it; it reads no floating tensor; `end` returns none;
            the outputs are random. In messages, "in_layer" is `start` and "layer" is `end`.
        RecordingError: the model raised.
    """

    def __init__(self, topology: nx.DiGraph, start: nn.Module | str, end: nn.Module | str) -> None:
        self._network = recording_of(topology).network
        self._arguments = sample_of(topology)
        start, end = find_node(topology, start, "in_layer"), find_node(topology, end)
        check_order(topology, start, end)
        names = topology.nodes[start]["name"], topology.nodes[end]["name"]
        self.name = names[0] if start == end else " → ".join(names)
        self._model = Intervention(
            self._network,
            self._arguments,
            _call(topology, start),
            _call(topology, end),
            self.name,
        )
        with self._model.prepared():
            first = self._model.look(1)
            check_start(topology, start, first.read, "layer" if start == end else "in_layer")
            check_end(topology, end, first.returned)
            self._prepare(first)
            outputs = self._try_out()
        self._find_shortcuts(first, outputs)
        self.notes = _notes(names[0], first, together=self._together)
        """What a reader should know about the function."""

    @property
    def in_shape(self) -> tuple[int, ...]:
        """Shape of what `start` reads, for one sample."""
        return self._reads.shape

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Shape of what `end` returns, for one sample."""
        return self._returns.shape

    @property
    def inputs(self) -> int:
        """How many numbers one sample has at the start."""
        return math.prod(self.in_shape)

    @property
    def outputs(self) -> int:
        """How many numbers one sample has at the end."""
        return math.prod(self.out_shape)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the outputs (n, outputs) for the inputs (n, inputs), as float64 on the device of `x`.

        `x` is turned into the dtype that `start` reads. For many calls use `running`.
        """
        with self.running() as run:
            return run(x)

    @contextlib.contextmanager
    def running(self) -> Iterator[Callable[[Tensor], Tensor]]:
        """Give the function for many calls: the model is prepared once, and put back as it was at the end.

        with span.running() as run:
            y = run(x)
        """
        with self._model.prepared():
            yield self._run

    def __repr__(self) -> str:
        return f"Span({self.name!r}, {self.in_shape} → {self.out_shape})"

    def _run(self, x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1] != self.inputs:
            came = f"shape {tuple(x.shape)}"
            raise ValueError(expected("x", f"shape (n, {self.inputs}), the inputs of {self.name}", came))
        if not len(x):
            return x.new_zeros(0, self.outputs, dtype=torch.float64)
        pieces = (x,) if self._together else x.split(1)
        return torch.cat([self._at_once(piece) for piece in pieces])

    def _at_once(self, x: Tensor) -> Tensor:
        values = self._reads.whole(x.to(self._device, self._dtype))
        output = self._model.run(values, len(x)).detach()
        output = output if output.layout is torch.strided else output.to_dense()
        if output.numel() != len(x) * self.outputs:
            what = f"{self.out_shape} from {self.name} for each sample"
            raise ValueError(expected("layer", what, f"shape {tuple(output.shape)} for {len(x)} samples"))
        # First to the device: some have no float64.
        return self._returns.rows(output, len(x)).to(x.device).to(torch.float64)

    def _prepare(self, first: Look) -> None:
        """Find which axes hold the samples, by running two."""
        try:
            second = self._model.look(2) if self._arguments.samples == 1 else None
        except RecordingError:  # the model takes one sample, without a batch
            second = None
        self._device, self._dtype = first.read.device, first.read.dtype
        self._reads = Layout.of(first.read, second and second.read)
        self._returns = Layout.of(first.returned, second and second.returned)
        generator = torch.Generator().manual_seed(0)
        self._trial = 4 * torch.rand(2, self.inputs, generator=generator, dtype=torch.float64) - 2
        self._together = self._reads.axis is not None and self._returns.axis is not None

    def _try_out(self) -> Tensor:
        """Return the outputs for `_trial` one by one; ValueError if they are not the same the next time."""
        outputs, again = (torch.cat([self._at_once(row) for row in self._trial.split(1)]) for _ in range(2))
        if not _close(outputs, again, 8 * torch.finfo(self._dtype).eps):
            what = f"{self.name} to compute the same each time"
            came = "another output for the same input: it is random even in eval mode, or keeps something from call to call"
            try_ = (
                "F.dropout(x, p, self.training) in place of F.dropout(x, p), and no random numbers in forward"
            )
            raise ValueError(expected("layer", what, came, try_))
        return outputs

    def _find_shortcuts(self, first: Look, outputs: Tensor) -> None:
        """See whether calling one layer alone, and running all rows at once, gives the same as `_try_out`."""
        if first.alone:
            self._model.alone = True
            self._model.alone = self._agree(self._trial[:1], outputs[:1])
        self._together = self._together and self._agree(self._trial, outputs)

    def _agree(self, x: Tensor, outputs: Tensor) -> bool:
        try:
            # Anew: what the layer finds in the model must not be left from the runs before.
            with self._model.prepared():
                return _close(self._at_once(x), outputs, torch.finfo(self._dtype).eps ** 0.5)
        except (RecordingError, ValueError):
            return False


def _call(topology: nx.DiGraph, node: nn.Module | str) -> CallId:
    """Tell which of its module's calls the node is."""
    name, module = topology.nodes[node]["name"], topology.nodes[node]["module"]
    recording = recording_of(topology)
    return CallId(module, [other for other in recording if recording[other].module is module].index(name))


def _notes(start: str, first: Look, *, together: bool) -> tuple[str, ...]:
    notes = []
    if not first.alone and first.place.event is None:
        notes.append(
            f"{start!r} alone reads the given values, as its input is a constant of the model or made out of torch's sight"
        )
    if not together:
        notes.append("samples run one by one, as running them together fails or gives something else")
    return tuple(notes)


def _close(one: Tensor, other: Tensor, tolerance: float) -> bool:
    finite = one[one.isfinite()].abs()
    size = float(finite.max()) if len(finite) else 0.0
    return torch.allclose(one, other, rtol=0, atol=tolerance * size, equal_nan=True)
