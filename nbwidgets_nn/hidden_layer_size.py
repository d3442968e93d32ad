"""Is a hidden layer large enough? The functions of the prosper_nn system: they compute, print and show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from nbwidgets_nn.kernels.correlation import correlate
from nbwidgets_nn.record._names import did_you_mean
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.channel_axis import usual_axis
from nbwidgets_nn.record.module_output import module_output

if TYPE_CHECKING:
    from nbwidgets_nn.results import Correlation


class _HiddenLayerSize(NamedTuple):
    corr_matrix: Any
    max_corr: Any
    ind_neurons: Any


class HiddenLayerSize(_HiddenLayerSize):
    """`(corr_matrix, max_corr, ind_neurons)`, with the whole `Correlation` as ``.correlation``.

    ``corr_matrix`` is (units, units); ``max_corr`` is the signed r whose absolute value is largest off the diagonal;
    ``ind_neurons`` holds the two units (with ties the first pair; all of them are ``.correlation.pairs``).
    Tensors if a tensor came in, else NumPy arrays. With a single varying unit ``max_corr`` is NaN and ``ind_neurons``
    is empty.
    """

    correlation: Correlation

    @classmethod
    def of(cls, correlation: Correlation, like: Any) -> HiddenLayerSize:
        """Wrap a result in the types of the input."""
        as_input = torch.as_tensor if isinstance(like, torch.Tensor) else np.asarray
        pair = correlation.pairs[0] if correlation.pairs else ()
        matrix = as_input(correlation.matrix)
        result = cls(matrix, as_input(correlation.strongest), as_input(np.array(pair, int)))
        result.correlation = correlation
        return result


def hl_size_analysis(
    output_layer: Any,
    min_absolute_corr: float = 0.5,
    print_values: bool = True,
    xlabel: str = "Neuron Index",
    ylabel: str = "Neuron Index",
    title: str = "Correlation of neurons in layer",
) -> HiddenLayerSize:
    """Analyse the correlation of the neurons of a layer, to see whether it is large enough.

    If the strongest correlation is small, more neurons may help; a large one means redundancy. Chance alone makes it
    larger than zero: what is printed says how large.

    Args:
        output_layer: (samples, units), tensor or array. Convolutional outputs (samples, channels, ...) count every
            position as a sample; sequences (samples, tokens, features) every token.
        min_absolute_corr: correlations at least this large are written into the plot where they fit; in [0, 1].
        print_values: print the strongest correlation and what it must be compared with.
        xlabel, ylabel, title: of the plot, which is shown in a notebook.

    Returns:
        `HiddenLayerSize`, which unpacks as ``corr_matrix, max_corr, ind_neurons``.

    Raises:
        ValueError: fewer than two samples, or ``min_absolute_corr`` outside [0, 1].

    >>> X = torch.tensor([[0.0, 0.0, 1.0], [1.0, 2.0, 0.0], [2.0, 4.0, 1.0], [3.0, 6.0, 1.0]])
    >>> corr_matrix, max_corr, ind_neurons = hl_size_analysis(X, print_values=False)
    >>> float(max_corr), ind_neurons.tolist()
    (1.0, [0, 1])
    """
    if not 0 <= min_absolute_corr <= 1:
        raise ValueError(f"min_absolute_corr must be in [0, 1], but {min_absolute_corr!r} came")
    matrix = output_layer if np.ndim(output_layer) <= 2 else samples_by_units(torch.as_tensor(output_layer))
    result = HiddenLayerSize.of(correlate(matrix), output_layer)
    if print_values:
        print(summary(result.correlation))
    _show(result.correlation, min_absolute_corr, xlabel, ylabel, title)
    return result


def hl_size_analysis_Sequential(  # noqa: N802 - the seed's name
    loaded_model: torch.nn.Module,
    model_input: Any,
    index_layer: int | None = None,
    name_layer: str | None = None,
    min_absolute_corr: float = 0.5,
    print_values: bool = True,
    xlabel: str = "Neuron Index",
    ylabel: str = "Neuron Index",
    title: str = "Correlation of neurons in layer",
) -> HiddenLayerSize:
    """Analyse one layer of a model as `hl_size_analysis` does, running the model to get the layer's output.

    The real model runs once, in eval mode, and is left as it was; any module works, not only a `Sequential`.

    Args:
        loaded_model: the model.
        model_input: its input.
        index_layer: index in ``list(loaded_model.modules())``, whose entry 0 is the model itself.
        name_layer: qualified name, e.g. ``"hidden"`` or ``"features.0"``. Give either this or ``index_layer``.
        min_absolute_corr, print_values, xlabel, ylabel, title: see `hl_size_analysis`.

    Raises:
        ValueError: both or neither of ``index_layer`` and ``name_layer``.
        IndexError, KeyError: no such layer; the message lists those there are.

    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh())
    >>> result = hl_size_analysis_Sequential(net, torch.rand(20, 4), name_layer="1", print_values=False)
    >>> tuple(result.corr_matrix.shape)
    (3, 3)
    """
    name, module = _find_module(loaded_model, index_layer, name_layer)
    output = module_output(loaded_model, model_input, module)
    if print_values:
        print(f"layer {name!r}: {module.__class__.__name__}, output {tuple(output.shape)}")
    output = samples_by_units(output, _channel_axis(loaded_model, model_input, name, output))
    return hl_size_analysis(output, min_absolute_corr, print_values, xlabel, ylabel, title)


def summary(correlation: Correlation) -> str:
    """Say the strongest correlation, what chance alone would give, and what was constant."""
    lines = [f"{correlation.units} units, {correlation.samples:,} samples"]
    if correlation.pairs:
        pairs = ", ".join(f"{i} and {j}" for i, j in correlation.pairs[:5])
        more = f" and {len(correlation.pairs) - 5} more pairs" if len(correlation.pairs) > 5 else ""
        lines.append(f"strongest correlation {correlation.strongest:+.4f}, neurons {pairs}{more}")
        lines.append(
            f"by chance alone {correlation.null_mean:.3f} ± {correlation.null_std:.3f} (p = {correlation.p_value:.2g})"
        )
    else:
        lines.append("no pair of varying neurons, so no correlation")
    if len(correlation.constant):
        lines.append(f"constant neurons, without a correlation: {list(map(int, correlation.constant))}")
    if len(correlation.nonfinite):
        lines.append(f"neurons with NaN or infinity, left out: {list(map(int, correlation.nonfinite))}")
    return "\n".join(lines)


def _find_module(model: torch.nn.Module, index: int | None, name: str | None) -> tuple[str, torch.nn.Module]:
    if (index is None) == (name is None):
        raise ValueError(
            "give either index_layer or name_layer: " + ("neither" if index is None else "both") + " came"
        )
    named = list(model.named_modules())
    if name is not None:
        found = dict(named)
        if name not in found or name == "":
            raise KeyError(
                f"name_layer {name!r} is not a layer of the model; {did_you_mean(name, filter(None, found))}"
            )
        return name, found[name]
    if not 0 <= index < len(named):
        raise IndexError(
            f"index_layer must be in 0..{len(named) - 1} (list(model.modules())), but {index} came"
        )
    return named[index]


def _channel_axis(model: torch.nn.Module, model_input: Any, name: str, output: torch.Tensor) -> int | None:
    """Find the axis as the recording follows it: of the last call, in or at the module, that gave this shape."""
    if output.ndim <= 2:
        return None
    recording = Activations(model, model_input, shapes_only=True)
    inside = [
        recording[call] for call in recording if not name or f"{call}.".startswith((f"{name}.", f"{name}:"))
    ]
    return next(
        (call.channel_axis for call in reversed(inside) if call.output_shape == tuple(output.shape)), None
    )


def samples_by_units(output: torch.Tensor, axis: int | None = None) -> torch.Tensor:
    """Count every position as a sample: channels on ``axis``, by default where outputs of this shape usually have them."""
    if output.ndim <= 2:
        return output
    axis = usual_axis(output.ndim) if axis is None else axis
    return output.movedim(axis, -1).reshape(-1, output.shape[axis])


def _show(correlation: Correlation, annotate_from: float, xlabel: str, ylabel: str, title: str) -> None:
    """Show the matrix where there is a notebook to show it in."""
    try:
        from IPython import get_ipython  # noqa: PLC0415 - present only beside ipywidgets' own shell
        from IPython.display import Image, display  # noqa: PLC0415
    except ImportError:
        return
    if getattr(get_ipython(), "kernel", None) is None:
        return
    from nbwidgets_nn.figures.heatmaps import draw_correlation  # noqa: PLC0415 - matplotlib only when there is something to show

    display(
        Image(draw_correlation(correlation.matrix, annotate_from, xlabel=xlabel, ylabel=ylabel, title=title))
    )
