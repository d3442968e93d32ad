"""Sums among the steps between calls: which functions add, and what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator
from typing import Any, NamedTuple

from torch import Tensor

from nbwidgets_nn.record.steps import Origin, Step, parts_of, steps_in

_SIGNS = {"add": (1, 1), "sub": (1, -1), "subtract": (1, -1), "rsub": (-1, 1), "__rsub__": (-1, 1)}
"""Functions that add or subtract two values, and with which signs."""


class Term(NamedTuple):
    """What is added: ``weight * value``."""

    weight: float
    value: Origin | Tensor | float


def sums_in(origin: Origin, earlier: Container[int] = ()) -> Iterator[tuple[Step, list[Term]]]:
    """Yield the additions of two or more computed tensors behind `origin`, the outermost first, and what they add.

    A sum of sums is one: ``a + (b - c)`` has three terms; but a sum that is taken more than once is a term itself, and is
    found for itself.

    Args:
        origin: how a tensor came about.
        earlier: ids of steps that are terms as they are, even if they are sums, and behind which no sums are looked for. One
            that is met on a way without additions is yielded with no terms.
    """
    own = (node for node in steps_in(origin, earlier) if id(node) not in earlier)
    uses = Counter(id(part) for node in own for part in parts_of(node))
    shared = {key for key, count in uses.items() if count > 1}
    seen: set[int] = set()
    stack: list[tuple[Any, bool]] = [(origin, False)]
    while stack:
        node, is_added = stack.pop()
        if not isinstance(node, Step) or id(node) in seen or (is_added and id(node) in earlier):
            continue
        seen.add(id(node))
        if id(node) in earlier:
            yield node, []
            continue
        terms = (
            _terms(node, lambda inner: id(inner) in earlier or id(inner) in shared)
            if node.name in _SIGNS
            else []
        )
        several = sum(isinstance(term.value, Origin) for term in terms) > 1
        if several:
            yield node, terms
        behind = [term.value for term in terms] if several else parts_of(node)
        stack += [(part, several or is_added) for part in reversed(behind)]


def _terms(step: Step, is_term: Callable[[Step], bool]) -> list[Term]:
    """Return what a step adds, and what the sums add that it adds; empty if it is called in an unusual way."""
    terms: list[Term] = []
    stack = [Term(1.0, step)]
    while stack:
        weight, node = stack.pop()
        inside = isinstance(node, Step) and node.name in _SIGNS and (node is step or not is_term(node))
        two = _two(node) if inside else None
        if two is not None:
            stack += [Term(weight * term.weight, term.value) for term in reversed(two)]
        elif isinstance(node, Origin | Tensor | int | float):
            terms.append(Term(weight, node))
        else:
            return []
    return terms if len(terms) > 1 else []


def _two(step: Step) -> list[Term] | None:
    """Return what one step adds; None if it is called in an unusual way."""
    names = [name for name in ("input", "self", "other") if name in step.kwargs]
    values = [*step.args, *(step.kwargs[name] for name in names)]
    alpha = step.kwargs.get("alpha", 1)
    if len(values) != 2 or not isinstance(alpha, int | float) or set(step.kwargs) - {"alpha", *names}:
        return None
    first, second = _SIGNS[step.name]
    reversed_ = first < 0
    weights = (first * alpha, second) if reversed_ else (first, second * alpha)
    return [Term(float(weight), value) for weight, value in zip(weights, values, strict=True)]
