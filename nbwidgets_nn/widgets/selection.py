"""A selection: which units of which layer, and who selected them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import traitlets

_WRITES = itertools.count(1)


@dataclass(frozen=True)
class Selection:
    """Units of one layer by their stable names, so that it survives any re-ordering.

    ``source`` says who made it: a view's own name, or "python" with the number of the write once a widget holds it.

    >>> Selection("conv1", ("conv1:3", "conv1:17")).indices
    (3, 17)
    """

    layer: str = ""
    units: tuple[str, ...] = ()
    kind: str = "units"
    source: str = "python"

    def __post_init__(self) -> None:
        for name in self.units:
            layer, _, index = name.rpartition(":")
            if layer != self.layer or not (index.isascii() and index.isdigit()):
                raise ValueError(
                    f'selection: units of layer {self.layer!r} are named like "{self.layer}:17"; {name!r} came'
                )

    @property
    def indices(self) -> tuple[int, ...]:
        """Return the units' indices within their layer."""
        return tuple(int(unit.rpartition(":")[2]) for unit in self.units)

    @property
    def write(self) -> int:
        """Return which of all selections set in Python this is, counted from 1; 0 for one that a view made."""
        maker, _, number = self.source.partition("-")
        return int(number) if maker == "python" and number else 0

    def __len__(self) -> int:
        return len(self.units)

    def to_state(self) -> dict[str, Any]:
        """Return the form that travels to the browser."""
        return {"layer": self.layer, "units": list(self.units), "kind": self.kind, "source": self.source}

    @classmethod
    def of(cls, value: Any, layer: str) -> Selection:
        """Read what people write: a selection, its dict, or names and indices of units of ``layer``; None clears.

        Raises:
            TypeError: anything else, with what may be written.
        """
        if isinstance(value, cls):
            return value
        if value is None:
            return cls(layer)
        if isinstance(value, dict):
            units = tuple(map(str, _listed(value.get("units", ()))))
            return cls(str(value.get("layer", layer)), units, "units", str(value.get("source", "python")))
        value = _listed(value)
        names = tuple(dict.fromkeys(_name(unit, layer) for unit in value))
        home = names[0].rpartition(":")[0] if names else layer
        strangers = [name for name in names if name.rpartition(":")[0] != home]
        if strangers:
            raise ValueError(
                f"selection must hold units of one layer, but {strangers[0]!r} is not in {home!r}"
            )
        return cls(home, names)


def _listed(value: Any) -> list[Any]:
    """Return one name or index as a list of it, tensors and arrays as lists of numbers, a mask as the indices it marks."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    units = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    if units and all(isinstance(unit, bool) for unit in units):
        return [index for index, marked in enumerate(units) if marked]
    return units


def _name(unit: Any, layer: str) -> str:
    if isinstance(unit, str):
        if not unit.rpartition(":")[2].isdigit():
            raise ValueError(f'selection: a unit is named like "{layer}:17", but {unit!r} came')
        return unit if ":" in unit else f"{layer}:{unit}"
    try:
        index = unit.__index__()
    except (AttributeError, TypeError):
        raise TypeError(
            f'selection must be unit names like "{layer}:17", indices like 17, or None; {type(unit).__name__} came'
        ) from None
    if index < 0:
        raise ValueError(f"selection: unit indices start at 0, but {index} came")
    return f"{layer}:{index}"


class SelectionTrait(traitlets.TraitType):
    """A trait that always holds a `Selection` and may be set to whatever its owner can read as one."""

    info_text = "unit names, indices, or None"

    def validate(self, owner: Any, value: Any) -> Selection:
        """Let the owner read the value: it knows the layer and the units that there are."""
        selection = owner.read_selection(value)
        return (
            replace(selection, source=f"python-{next(_WRITES)}")
            if selection.source == "python"
            else selection
        )


def send_selection(selection: Selection, _widget: Any) -> dict[str, Any]:
    """Write what the browser reads."""
    return selection.to_state()


def receive_selection(state: Any, widget: Any) -> Selection:
    """Read what the browser sent.

    Linked widgets send each other's selections back. What Python set earlier than the present one comes too late: it would
    undo what was set since.
    """
    selection = Selection.of(state, layer="")
    return widget.selection if 0 < selection.write < widget.selection.write else selection
