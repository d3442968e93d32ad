"""A `networkx.DiGraph` whose nodes and edges are made when networkx first looks at them."""

from __future__ import annotations

import copy
from typing import Any, Self

import networkx as nx


def _filled_first(name: str) -> property:
    """Make an attribute of networkx one that fills the graph when it is read."""
    setter = getattr(nx.DiGraph, "__dict__", {}).get(name) or nx.Graph.__dict__[name]

    def read(self: LazyDiGraph) -> Any:
        method = self.__dict__.pop("_fill", None)
        if method is not None:
            for change in _CHANGES:
                self.__dict__.pop(change, None)
            try:
                getattr(self, method)()
            except BaseException:
                self.fill_later(method)
                raise
            nx.freeze(self)
        return self.__dict__[name]

    return property(read, setter.__set__)


class LazyDiGraph(nx.DiGraph):
    """Call `fill_later` in `__init__`; without it the graph is an empty one that can be changed, as networkx makes them."""

    _node = _filled_first("_node")
    _adj = _filled_first("_adj")
    _succ = _filled_first("_succ") if "_succ" in nx.DiGraph.__dict__ else _adj
    _pred = _filled_first("_pred")

    def fill_later(self, method: str) -> None:
        """Have the method of this name add nodes and edges when they are first asked for; then the graph cannot be changed."""
        nx.freeze(self)
        self.__dict__["_fill"] = method  # a name, so that copies fill themselves

    def __copy__(self) -> Self:
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        made = memo[id(self)] = type(self).__new__(type(self))
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return made

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
