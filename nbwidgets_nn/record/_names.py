"""Names of modules and of their calls."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from torch import nn
from torch.nn.utils import parametrize


def module_names(network: nn.Module) -> dict[nn.Module, str]:
    """Every module that can be a layer and its qualified name; a module with two names has its first.

    The network itself, whose qualified name is empty, is named after its class. The modules that recompute a
    parametrised weight (weight norm, spectral norm) are part of the layer that has the weight, not layers.
    """
    names: dict[nn.Module, str] = {}
    inner: set[nn.Module] = set()
    for name, module in network.named_modules():
        names[module] = name or kind_of(network)
        if isinstance(module, parametrize.ParametrizationList):
            inner.update(module.modules())
    return {module: name for module, name in names.items() if module not in inner}


def kind_of(module: nn.Module) -> str:
    """Return the class name, `Linear`, also of a scripted or parametrised module."""
    scripted = getattr(module, "original_name", None)
    return scripted or parametrize.type_before_parametrizations(module).__name__


def is_plain_leaf(module: nn.Module, names: dict[nn.Module, str]) -> bool:
    """Whether `module` has no submodules that could be layers."""
    return not any(child in names for child in module.children())


def can_be_called(module: nn.Module) -> bool:
    """Return False for ModuleList, ParameterList and others without a forward of their own.

    >>> can_be_called(nn.Linear(1, 1)), can_be_called(nn.ModuleList())
    (True, False)
    """
    return getattr(type(module), "forward", None) is not nn.Module.forward


def new_name(name: str, used: set[str] | dict) -> str:
    """`name`, or with the first free `:1`, `:2`, ... behind it.

    >>> new_name("relu", {"relu", "relu:1"})
    'relu:2'
    """
    count, chosen = 0, name
    while chosen in used:
        count += 1
        chosen = f"{name}:{count}"
    return chosen


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return the end of an error message about an unknown name: the names near it, or all when none is near."""
    known = list(known)
    wanted = str(name)
    if not isinstance(name, str) and wanted in known:
        return f"names are strings: did you mean {wanted!r}?"
    near = difflib.get_close_matches(wanted, known, n=5, cutoff=0.6)
    near += [other for other in known if wanted and wanted.lower() in other.lower() and other not in near]
    if near:
        return f"did you mean {', '.join(near[:8])}?"
    return f"the names are {', '.join(known[:20])}{', ...' if len(known) > 20 else ''}"
