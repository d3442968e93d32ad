"""Effective information, its sum over pairs, and sensitivity of a layer, in bits.

Marrow, Michaud, Hoel, "Examining the Causal Structures of Deep Neural Networks Using Information Theory", Entropy
22(12):1429, 2020, arXiv 2010.13871. A layer L1 -> L2 is put under the intervention do(L1 = H^max): every input independent and
uniform on the range of its activation. Inputs and outputs are then cut into equal bins.

* `ei`: EI = I(L1; L2), of the vectors of all bins.
* `ei_parts`: the sum over all pairs (A, B) of I(t_A; t_B), all inputs random.
* `sensitivity`: the same sum with one input random at a time and the others 0.

A single Linear, convolution (one receptive field), average or maximum pooling (one window of one channel), also with a batch
norm behind it, with an activation known in full, is solved exactly; anything else is sampled. The model runs in eval mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
from torch import nn

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._progress import Progress
from nbwidgets_nn.information_results import EffectiveInformation
from nbwidgets_nn.kernels.layer_question import LayerQuestion, ask
from nbwidgets_nn.kernels.pairs_of_layer import Sampling, pairs_of_layer
from nbwidgets_nn.kernels.vector_of_layer import vector_of_layer

Layer = nn.Module | str
Range = tuple[float, float] | None
Group = tuple[Sequence[int], Sequence[int]]


def ei_parts(
    layer: Layer,
    topology: nx.DiGraph,
    threshold: float = 0.05,
    samples: int | None = None,
    extrapolate: bool = False,
    batch_size: int = 20,
    in_layer: Layer | None = None,
    in_range: Range = None,
    in_bins: int = 64,
    out_range: Range | str = None,
    out_bins: int | str = 64,
    activation: Callable | None = None,
    device: Any = "cpu",
    *,
    method: str = "auto",
    estimator: str = "adjusted",
    outside: str = "clip",
    seed: int = 0,
    progress: Progress = False,
    return_result: bool = False,
) -> float | EffectiveInformation:
    """Sum over all pairs (A, B) of I(t_A; t_B) in bits, all inputs random: EI_parts.

    >>> import torch, nbwidgets_nn as nw
    >>> layer = nn.Linear(2, 1)
    >>> layer.weight.data, layer.bias.data = torch.tensor([[1.0, 1.0]]), torch.zeros(1)
    >>> topology = nw.topology_of(nn.Sequential(layer), torch.zeros(1, 2))
    >>> round(nw.ei_parts(layer, topology, in_range=(0, 1), out_range=(0, 1), activation=torch.sigmoid), 4)
    1.3251

    Each pair is at most log2 of the smaller number of bins; a pair without a weight has exactly 0, and so has an output that
    falls into one bin only. Finer bins never lower it, if they divide the coarser ones.

    Args:
        layer: a module of the model, or the name of a call; the last layer of the span.
        topology: from `topology_of`.
        threshold: when sampling without `samples`, the standard error to reach, relative to the value.
        samples: draws; None: exact where there is an exact form, else sampled until `threshold`.
        extrapolate: take plain histograms of 1/8, 1/4, 1/2 and all draws and fit C + a/N + b/N^2; the value is C.
        batch_size: samples that a span of several layers runs at a time; larger is faster.
        in_layer: the first layer of the span; by default `layer`. The span is the model's own computation from the input of
            `in_layer` to the output of `layer`; everything that does not come from there keeps its value for the sample that the
            topology was made with.
        in_range: (low, high) of every input; by default the range of the activation before `in_layer`: Sigmoid (0, 1), Tanh
            (-1, 1), ReLU (0, 10), none (-10, 10); others their bounds, or their value at ±10 where they have none.
        in_bins: equal bins of it, 2 or more.
        out_range: (low, high) of every output, by default that of the activation; "dynamic": from the smallest to the largest
            value each output can take (when sampled: took).
        out_bins: equal bins of it; "dynamic": as wide as the input's.
        activation: a module or function instead of the one that follows `layer` in the model.
        device: where one layer's outputs for drawn inputs are computed; a span runs where the model is, exact forms on the CPU.
        method: "auto", "exact" (ValueError where there is no exact form), or "sample".
        estimator: of information from counts: "adjusted" (Grassberger's, without the bias that thin tables leave in it),
            "grassberger", "miller-madow" or "plugin" (the plain histogram, biased upwards).
        outside: outputs beyond their range "clip" to the first or last bin, which keeps H^max, or "drop" out of their pairs.
        seed: of the draws; the same seed gives the same result on any number of threads.
        progress: True shows a bar; a function is called with (done, total) and may raise to stop.
        return_result: return an `EffectiveInformation` with matrix, error, method and settings instead of the number.

    Returns:
        Bits. A warning tells when sampling had to stop before `threshold`.

    Raises:
        ValueError, TypeError: an unknown layer, one that ran several times, `in_layer` behind `layer`, ranges that are
            infinite or reversed, fewer than 2 bins, NaN weights, a span that is random, ...; the message says what to do.
    """
    question = _ask(locals())
    result = pairs_of_layer(question, _sampling(locals()), alone=False)
    return result if return_result else result.value


def ei_parts_matrix(
    layer: Layer,
    topology: nx.DiGraph,
    samples: int | None = None,
    batch_size: int = 20,
    in_layer: Layer | None = None,
    in_range: Range = None,
    in_bins: int = 64,
    out_range: Range | str = None,
    out_bins: int | str = 64,
    activation: Callable | None = None,
    device: Any = "cpu",
    *,
    threshold: float = 0.05,
    extrapolate: bool = False,
    method: str = "auto",
    estimator: str = "adjusted",
    outside: str = "clip",
    seed: int = 0,
    progress: Progress = False,
    return_result: bool = False,
) -> np.ndarray | EffectiveInformation:
    """Return EI(A -> B) = I(t_A; t_B) of every pair in bits, all inputs random: (inputs, outputs), `[A][B]`.

    Its sum is `ei_parts`, whose arguments these are.
    """
    question = _ask(locals())
    result = pairs_of_layer(question, _sampling(locals()), alone=False)
    return result if return_result else result.matrix


def sensitivity(
    layer: Layer,
    topology: nx.DiGraph,
    samples: int | None = None,
    batch_size: int = 20,
    in_layer: Layer | None = None,
    in_range: Range = None,
    in_bins: int = 64,
    out_range: Range = None,
    out_bins: int = 64,
    activation: Callable | None = None,
    device: Any = "cpu",
    *,
    threshold: float = 0.05,
    method: str = "auto",
    estimator: str = "adjusted",
    outside: str = "clip",
    seed: int = 0,
    progress: Progress = False,
    return_result: bool = False,
) -> float | EffectiveInformation:
    """Sum over all pairs (A, B) of I(t_A; t_B) in bits, A random alone and the other inputs 0: sensitivity.

    Arguments as for `ei_parts`. Two differ: `samples` is None, exact, where deep-ei draws 500, which at 64 x 64 bins measure
    mostly bias; and neither range nor bins can be "dynamic", because an output moves less when one input does than when all do, so
    that sensitivity and EI would be measured with different bins and could not be compared.
    """
    _refuse_dynamic(out_range, out_bins)
    question = _ask(locals())
    result = pairs_of_layer(question, _sampling(locals()), alone=True)
    return result if return_result else result.value


def sensitivity_matrix(
    layer: Layer,
    topology: nx.DiGraph,
    samples: int | None = None,
    batch_size: int = 20,
    in_layer: Layer | None = None,
    in_range: Range = None,
    in_bins: int = 64,
    out_range: Range = None,
    out_bins: int = 64,
    activation: Callable | None = None,
    device: Any = "cpu",
    *,
    threshold: float = 0.05,
    method: str = "auto",
    estimator: str = "adjusted",
    outside: str = "clip",
    seed: int = 0,
    progress: Progress = False,
    return_result: bool = False,
) -> np.ndarray | EffectiveInformation:
    """Return the sensitivity of every pair in bits, A random alone and the other inputs 0: (inputs, outputs), `[A][B]`.

    Its sum is `sensitivity`, whose arguments these are.
    """
    _refuse_dynamic(out_range, out_bins)
    question = _ask(locals())
    result = pairs_of_layer(question, _sampling(locals()), alone=True)
    return result if return_result else result.matrix


def ei(
    layer: Layer,
    topology: nx.DiGraph,
    threshold: float = 0.05,
    samples: int | None = None,
    batch_size: int = 20,
    in_layer: Layer | None = None,
    in_range: Range = None,
    in_bins: int = 64,
    out_range: Range | str = None,
    out_bins: int | str = 64,
    activation: Callable | None = None,
    device: Any = "cpu",
    *,
    method: str = "auto",
    estimator: str = "adjusted",
    outside: str = "clip",
    seed: int = 0,
    progress: Progress = False,
    return_result: bool = False,
) -> float | EffectiveInformation:
    """Return the vector effective information in bits: EI = I(L1; L2), of all input bins and all output bins together.

    Arguments as for `ei_parts`. At most inputs * log2(in_bins) and at most outputs * log2(out_bins). It is sampled inside cells of
    the inputs (every cell where there are at most 100,000); parts of a layer that share no weight are taken one by one,
    and those of one input are exact. The value has a standard error: see `return_result`. Outputs that need more cells than can
    be drawn give too low a number, with a warning. `outside="drop"` drops a draw with any output beyond its range.

    >>> import torch, nbwidgets_nn as nw
    >>> layer = nn.Linear(3, 3, bias=False)
    >>> layer.weight.data = torch.eye(3)
    >>> nw.ei(layer, nw.topology_of(nn.Sequential(layer), torch.zeros(1, 3)), in_bins=16, out_bins=16)
    12.0
    """
    result = vector_of_layer(_ask(locals()), _sampling(locals()))
    return result if return_result else result.value


def vector_and_pairwise_ei(
    layer: Layer,
    topology: nx.DiGraph,
    samples: int | None = None,
    batch_size: int = 20,
    in_layer: Layer | None = None,
    in_range: Range = None,
    in_bins: int = 64,
    out_range: Range | str = None,
    out_bins: int | str = 64,
    activation: Callable | None = None,
    device: Any = "cpu",
    *,
    threshold: float = 0.05,
    method: str = "auto",
    estimator: str = "adjusted",
    outside: str = "clip",
    seed: int = 0,
    progress: Progress = False,
    return_result: bool = False,
) -> tuple[Any, Any]:
    """Return (EI, EI_parts) in bits of the same layer with the same bins, number of draws and seed.

    Arguments as for `ei_parts`. Each is sampled in the way that suits it, or exact: draws that serve both, as deep-ei takes
    them, leave the vector EI tens of percent too high.
    """
    given = locals()
    question, sampling = _ask(given), _sampling(given)
    # "exact" is asked of what can be exact: the pairs.
    whole = replace(sampling, method="auto") if sampling.method == "exact" else sampling
    both = (vector_of_layer(question, whole), pairs_of_layer(question, sampling, alone=False))
    return both if return_result else (both[0].value, both[1].value)


def eis_between_groups(
    layer: Layer,
    topology: nx.DiGraph,
    groups: Sequence[Group],
    samples: int | None = None,
    batch_size: int = 20,
    in_layer: Layer | None = None,
    in_range: Range = None,
    in_bins: int = 64,
    out_range: Range | str = None,
    out_bins: int | str = 64,
    activation: Callable | None = None,
    device: Any = "cpu",
    *,
    threshold: float = 0.05,
    method: str = "auto",
    estimator: str = "adjusted",
    outside: str = "clip",
    seed: int = 0,
    progress: Progress = False,
    return_result: bool = False,
) -> list[Any]:
    """Return the EI in bits between groups of inputs and groups of outputs, all inputs random.

    Arguments as for `ei_parts`, and `groups`: pairs (inputs, outputs) of index tuples, [((1, 2, 3), (1,))] being inputs 1, 2, 3
    together and output 1. A pair of single units is its `ei_parts_matrix` entry.

    Raises ValueError for an empty group and for indices that do not exist or repeat.
    """
    given = locals()
    question, sampling = _ask(given), _sampling(given)
    whole = question.whole()
    if not isinstance(groups, Iterable):
        raise TypeError(
            expected("groups", "a list of pairs of groups", type(groups).__name__, "[((1, 2, 3), (1,))]")
        )
    checked = [_checked_group(group, k, whole) for k, group in enumerate(groups)]
    columns: dict[int, EffectiveInformation] = {}
    results = [_between(whole, sampling, columns, *group) for group in checked]
    return results if return_result else [result.value for result in results]


def _between(
    whole: LayerQuestion,
    sampling: Sampling,
    columns: dict[int, EffectiveInformation],
    inputs: list[int],
    outputs: list[int],
) -> EffectiveInformation:
    if not len(inputs) == len(outputs) == 1 or whole.why_not_exact or sampling.wanted:
        return vector_of_layer(whole, sampling, inputs, outputs)
    (output,) = outputs
    if output not in columns:
        # The other inputs still move the output, so they stay; the other outputs do not matter.
        one = whole if whole.window else whole.part(outputs=np.array(outputs))
        columns[output] = pairs_of_layer(one, sampling, alone=False)
    return columns[output].of_input(inputs[0])


def _checked_group(group: Any, k: int, question: LayerQuestion) -> tuple[list[int], list[int]]:
    name = f"groups[{k}]"
    try:
        sides = [[unit.__index__() for unit in side] for side in group]
    except (TypeError, AttributeError):
        sides = []
    if len(sides) != 2 or not all(sides):
        what = "a pair of tuples of indices, none empty"
        raise ValueError(expected(name, what, repr(group), "((1, 2, 3), (1,))"))
    for side, units, kind in zip(
        sides, (question.inputs, question.outputs), ("inputs", "outputs"), strict=True
    ):
        wrong = [unit for unit in side if not 0 <= unit < units]
        if wrong or len(set(side)) < len(side):
            came = f"{wrong[0]}" if wrong else f"{side} with an index twice"
            raise ValueError(
                expected(name, f"different indices of the {units} {kind} of {question.name!r}", came)
            )
    return sides[0], sides[1]


def _ask(given: dict[str, Any]) -> LayerQuestion:
    """Take the shared arguments out of a function's own."""
    names = (
        "in_layer",
        "in_range",
        "in_bins",
        "out_range",
        "out_bins",
        "activation",
        "device",
        "batch_size",
        "outside",
    )
    return ask(given["layer"], given["topology"], **{name: given[name] for name in names})


def _sampling(given: dict[str, Any]) -> Sampling:
    names = ("samples", "threshold", "estimator", "seed", "progress", "method")
    return Sampling(**{name: given[name] for name in names}, extrapolate=given.get("extrapolate", False))


def _refuse_dynamic(out_range: Any, out_bins: Any) -> None:
    for name, value in (("out_range", out_range), ("out_bins", out_bins)):
        if isinstance(value, str) and value == "dynamic":
            why = "sensitivity and EI would have different bins, as an output moves less when one input does than when all do"
            raise ValueError(expected(name, "a fixed one", f"{value!r}: {why}", "that of ei_parts"))
