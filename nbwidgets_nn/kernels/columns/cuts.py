"""Why a layer's input is no column of other layers' units: the function that mixes them, and whose they are."""

from __future__ import annotations

from nbwidgets_nn.kernels.kept_units import in_a_word, keeps_units
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Output, Step, outputs_in, parts_of

_MOST_NAMED = 3


def why_cut(layer: Layer) -> str:
    """Say by which function the input was made, and of which calls; what it is if no function mixes units.

    >>> import torch, nbwidgets_nn as nw
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.a, self.b = torch.nn.Linear(2, 3), torch.nn.Linear(5, 1)
    ...     def forward(self, x):
    ...         return self.b(torch.cat([x, self.a(x)], 1).relu())
    >>> why_cut(nw.Activations(Net(), torch.ones(1, 2))["b"])
    'cat of input, a'
    """
    node = layer.origin
    if node is None:
        return "made out of sight"
    while isinstance(node, Step) and keeps_units(node):
        node = parts_of(node)[0]
    names = list(dict.fromkeys(output.layer for output in outputs_in(node)))
    if not names:
        return "a constant"
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    whose = ", ".join(names[:_MOST_NAMED]) + more
    if not isinstance(node, Output):
        return f"{in_a_word(node.name)} of {whose}"
    return f"a further output of {whose}" if node.index else f"not the units of {whose} as they are"
