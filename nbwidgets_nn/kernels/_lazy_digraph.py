"""A `networkx.DiGraph` whose nodes and edges are made when networkx first looks at them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx


def _filled_first(name: str) -> property:
    """Make an attribute of networkx one that fills the graph when it is read."""
    setter = getattr(nx.DiGraph, "__dict__", {}).get(name) or nx.Graph.__dict__[name]

    def read(self: LazyDiGraph) -> Any:
        fill = self.__dict__.pop("_fill", None)
        if fill is not None:
            try:
                fill()
            except BaseException:
                self.__dict__["_fill"] = fill
                raise
        return self.__dict__[name]

    return property(read, setter.__set__)


class LazyDiGraph(nx.DiGraph):
    """Call `fill_later` in `__init__`; without it the graph is an empty one that can be changed, as networkx makes them."""

    _node = _filled_first("_node")
    _adj = _filled_first("_adj")
    _succ = _filled_first("_succ") if "_succ" in nx.DiGraph.__dict__ else _adj
    _pred = _filled_first("_pred")

    def fill_later(self, fill: Callable[[], None]) -> None:
        """Have `fill` add the nodes and edges when they are first asked for; afterwards the graph cannot be changed."""

        def fill_and_freeze() -> None:
            for name in _CHANGES:
                self.__dict__.pop(name, None)
            fill()
            nx.freeze(self)

        nx.freeze(self)
        self.__dict__["_fill"] = fill_and_freeze

    @property
    def is_filled(self) -> bool:
        """Whether nodes and edges have been made for networkx."""
        return "_fill" not in self.__dict__


_CHANGES = (
    "add_node",
    "add_nodes_from",
    "remove_node",
    "remove_nodes_from",
    "add_edge",
    "add_edges_from",
    "add_weighted_edges_from",
    "remove_edge",
    "remove_edges_from",
    "clear",
    "clear_edges",
)
