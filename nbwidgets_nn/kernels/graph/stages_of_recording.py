"""The stages of a recorded network: one for every call, and one for every function in between."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.laid import Laid, Ways, ways_of
from nbwidgets_nn.kernels.graph.product_reach import Reach, full
from nbwidgets_nn.kernels.graph.stages import Link, Matrix, Read, Stage, Winners
from nbwidgets_nn.kernels.graph.stages_of_modules import mixes, read_by_module
from nbwidgets_nn.kernels.graph.stages_of_steps import read_by_step
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Origin, Output, Step, replay, steps_in

INPUT = "input"


@dataclass(frozen=True, eq=False)
class Stages:
    """All stages in the order in which they were computed, and what was not known."""

    all: tuple[Stage, ...]
    laid: tuple[Laid, ...]
    """How the samples of each lie in the recording it was made from."""

    notes: tuple[str, ...]


def stages_of(recording: Activations, *, keep_zeros: bool) -> Stages:
    """Return the stages of a recording.

    Without `keep_zeros`, units whose weight is 0 are not read, and a max pooling reads the largest unit of the first sample.

    ValueError names the call that cannot be placed: one that feeds itself, or whose samples do not lie apart.
    """
    builder = _Builder(recording, keep_zeros)
    for name in recording:
        builder.add_layer(recording[name])
    return Stages(tuple(builder.stages), tuple(builder.laid), tuple(dict.fromkeys(builder.notes)))


class _Builder:
    def __init__(self, recording: Activations, keep_zeros: bool) -> None:
        self.stages: list[Stage] = []
        self.laid: list[Laid] = []
        self.notes: list[str] = []
        self._recording = recording
        self._keep_zeros = keep_zeros
        self._numbers: dict[str, int] = {}
        self._made: dict[int, tuple[Origin, int]] = {}
        self._nodes = 0
        self._without_values: set[str] = set()
        first = recording[INPUT]
        alone = first.channel_axis == 0 or not first.output_shape
        self._samples = 1 if alone else first.output_shape[0]

    def add_layer(self, layer: Layer) -> None:
        if layer.output_shape is None:
            self._without_values.add(layer.name)
            return
        sources = [] if layer.module is None else self._sources(layer)
        laid = self._laid_of(layer, sources)
        links = self._links_of_layer(layer, sources, laid)
        self._numbers[layer.name] = len(self.stages)
        self._add(layer.name, layer.kind, laid, links, start=self._nodes)
        self._nodes += laid.size

    def _add(self, name: str, kind: str, laid: Laid, links: list[Link], start: int | None = None) -> int:
        if not self._keep_zeros:
            links = [_without_zeros(link) for link in links]
        if self._recording.shapes_only:  # nobody knows which unit is the largest
            links = [Link(x.source, x.reach, None) if isinstance(x.weights, Winners) else x for x in links]
        self.stages.append(Stage(name, kind, laid.sample_shape, tuple(links), start))
        self.laid.append(laid)
        return len(self.stages) - 1

    def _sources(self, layer: Layer) -> list[int]:
        """Return the stages of the call's input tensors; of all calls that feed it, where it is not known how."""
        known = [origin for origin in layer.origins if origin is not None]
        if len(known) == len(layer.origins) and (known or not layer.fed_by):
            return [self._stage_of(origin) for origin in known]
        feeding = [name for name in layer.fed_by if name in self._numbers]
        after = [
            name for name in layer.fed_by if name not in self._numbers and name not in self._without_values
        ]
        if after:
            raise ValueError(
                f"{layer.name!r} is fed by {after[0]!r}, which comes after it: the graph would have a cycle"
            )
        self.notes.append(
            f"{layer.name}: its input was made out of sight; every unit is taken to read every unit of "
            f"{', '.join(feeding) or 'nothing'}"
        )
        return [self._numbers[name] for name in feeding]

    def _links_of_layer(self, layer: Layer, sources: list[int], laid: Laid) -> list[Link]:
        if not sources:
            return []
        reads = None
        if layer.origins and None not in layer.origins:
            try:
                reads = self._reads_of_layer(layer, sources, laid)
            except ValueError as error:
                note = f"{layer.name} ({layer.kind}): every unit is taken to read every unit of its input; {error}"
                self.notes.append(note)
        if reads is None:
            reads = [Read(full(laid.size, self.laid[source].size), None) for source in sources]
        # further inputs, such as masks, change nothing that is read
        return [Link(s, *way) for s, read in zip(sources, reads, strict=False) for way in ways_of(read)]

    def _reads_of_layer(self, layer: Layer, sources: list[int], laid: Laid) -> list[Ways]:
        given = [self.laid[source] for source in sources]
        for source in given:
            apart = source.axis is None or source.samples == 1
            if not apart and mixes(layer.module, source.axis, len(source.full)):
                raise ValueError("it mixes the samples")
        axis = given[0].axis if given[0].samples > 1 else None
        shapes = [source.shape for source in given]
        reads = read_by_module(layer, shapes, laid.shape, axis, given[0].samples)
        return _checked(laid, given, reads)

    def _stage_of(self, origin: Origin) -> int:
        for node in steps_in(origin):
            if id(node) not in self._made:
                self._made[id(node)] = (node, self._stage_of_one(node))
        return self._made[id(origin)][1]

    def _stage_of_one(self, node: Origin) -> int:
        return self._stage_of_output(node) if isinstance(node, Output) else self._stage_of_step(node)

    def _stage_of_output(self, output: Output) -> int:
        number = self._numbers.get(output.layer)
        if output.index == 0 and number is not None:
            return number
        if number is None and output.layer not in self._without_values:
            raise ValueError(
                f"{output.layer!r} feeds itself, or a call before it: the graph would have a cycle"
            )
        if output.layer == INPUT:  # in a file from before further inputs were layers
            self.notes.append(
                f"input: tensor {output.index + 1} of the model's inputs is not recorded; its values are no nodes"
            )
            number = None
        laid = self._guessed(output.shape, output.layer)
        if number is None:
            return self._add(output.layer, "values", laid, [])
        self.notes.append(
            f"{output.layer}: tensor {output.index + 1} of its output is not recorded; what takes it is taken to read every "
            "unit of the first"
        )
        return self._add(
            output.layer, "values", laid, [Link(number, full(laid.size, self.laid[number].size), None)]
        )

    def _stage_of_step(self, step: Step) -> int:
        operands, numbers = [], []
        for part in _operands(step):
            number = self._made[id(part)][1]
            laid = self.laid[number]
            if isinstance(part, Output) and part.index == 0 and laid.full != part.shape:
                laid = _piece(laid, part.shape)
            operands.append((part, laid))
            numbers.append(number)
        if step.name == "_pack_padded_sequence" and self._samples > 1:
            raise ValueError(
                f"activations: expected one sample where sequences are packed, got {self._samples}, whose time steps are mixed. "
                "Try: record one sample"
            )
        try:
            laid, reads = read_by_step(step, operands, self._values)
            reads = _checked(laid, [source for _, source in operands], reads)
        except ValueError as error:
            laid = self._guessed(step.shape, step.name) if operands else Laid(step.shape, None)
            behind = ", ".join(dict.fromkeys(self.stages[number].name for number in numbers))
            self.notes.append(
                f"{step.name} of {behind}: every value is taken to read every unit of them; {error}"
            )
            reads = [Read(full(laid.size, source.size), None) for _, source in operands]
        links = [Link(n, *way) for n, read in zip(numbers, reads, strict=True) for way in ways_of(read)]
        behind = self.stages[numbers[0]].name if numbers else "constants"
        return self._add(behind if len(numbers) == 1 else step.name, step.name, laid, links)

    def _values(self, origin: Origin) -> Tensor:
        def given(output: Output) -> Tensor:
            tensor = self._recording[output.layer].output if output.index == 0 else None
            if tensor is None:
                raise ValueError(
                    f"{output.layer!r}: its values were not kept, so that the largest are not known"
                )
            return tensor if tuple(tensor.shape) == output.shape else tensor[: output.shape[0]]

        return replay(origin, given)

    def _laid_of(self, layer: Layer, sources: list[int]) -> Laid:
        """Say how the samples lie in a call's output."""
        shape = layer.output_shape
        if layer.name == INPUT:
            return Laid(shape, None if layer.channel_axis == 0 or not shape else 0)
        if layer.module is None:  # another input; a table that is the same for all samples has none
            counts = self.laid[0].axis is not None and shape[:1] == (self._samples,)
            return Laid(shape, 0 if counts else None)
        axes = [laid.axis for source in sources if (laid := self.laid[source]).axis is not None]
        if not axes and layer.origins and None not in layer.origins:
            return Laid(shape, None)
        return self._guessed(shape, layer.name, axes[0] if axes else 0)

    def _guessed(self, shape: tuple[int, ...], name: str, axis: int = 0) -> Laid:
        samples = self._samples
        if self.laid[0].axis is None or not shape:
            if shape or samples == 1:
                return Laid(shape, None)
        elif axis < len(shape) and (shape[axis] == samples or (axis == 0 and shape[0] % samples == 0)):
            return Laid(shape, axis, shape[axis] // samples)
        elif samples == 1:
            return Laid(shape, None)
        elif shape.count(samples) == 1:
            axis = shape.index(samples)
            self.notes.append(f"{name}: its samples are taken to lie along dim {axis} of {shape}")
            return Laid(shape, axis)
        raise ValueError(
            f"activations: expected samples along dim 0 of every tensor, got shape {shape} in {name!r} for {samples} samples, "
            "where it is not known which numbers belong to a sample. Try: record one sample"
        )


def _checked(laid: Laid, sources: list[Laid], reads: list[Ways]) -> list[Ways]:
    """Return what is read; ValueError if it is not of the units that there are in one sample."""
    each = [(source, way) for source, read in zip(sources, reads, strict=False) for way in ways_of(read)]
    for source, read in each:
        came, wanted = (read.reach.rows, read.reach.cols), (laid.size, source.size)
        if came != wanted:
            raise ValueError(
                f"it has {came[0]} and {came[1]} values a sample, not {wanted[0]} and {wanted[1]}"
            )
    return reads


def _operands(step: Step) -> list[Origin]:
    """Return what the step takes from other steps and calls, each once."""
    found: dict[int, Origin] = {}
    stack: list = [step.args, step.kwargs]
    while stack:
        item = stack.pop(0)
        if isinstance(item, Origin):
            found.setdefault(id(item), item)
        elif isinstance(item, list | tuple):
            stack[:0] = item
        elif isinstance(item, dict):
            stack[:0] = item.values()
    return list(found.values())


def _piece(laid: Laid, shape: tuple[int, ...]) -> Laid:
    """Return the same stage in the piece of the recording whose steps are known."""
    if laid.axis is None or len(shape) != len(laid.full):
        return replace(laid, full=shape)
    return Laid(shape, laid.axis, laid.times)


def _without_zeros(link: Link) -> Link:
    """Leave out the edges of weight 0."""
    if link.weights is None or not link.weights.has_zeros():
        return link
    if isinstance(link.weights, Matrix):  # the table of all rows, with its numbers, is many times as large
        there = ax.some((link.weights.weight() != 0).cpu().numpy())
        return Link(link.source, Reach((ax.each(link.weights.lead), there)), link.weights)
    pattern = ax.some(ax._ones(link.weights.table().tocsr()))  # noqa: SLF001
    return Link(link.source, Reach((pattern,)), link.weights)
