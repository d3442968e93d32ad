"""How large causal coefficients can be, from the structure alone: what is taken away twice cancels where whole layers are summed.

A coefficient behind a dense layer is a value less a total, and the next total is the sum of those values less that total n times,
and itself once: so it is written with one factor for each layer's values, and its bound is the sum of their sizes. Where only
some units of a layer are read, as a convolution does, there is no such form, and every coefficient counts with its own bound.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from nbwidgets_nn.kernels.graph.causal_plan import Part, Sum
from nbwidgets_nn.kernels.graph.product_reach import union_spread
from nbwidgets_nn.kernels.graph.stages import Stage

Form = Counter
"""Stage -> the factor with which each of its values is in a sum."""


def growth(stages: Sequence[Stage], plan: Sequence[Sum]) -> float:
    """Return how many times as large as the largest value a coefficient can be: a bound, met by dense layered networks.

    It bounds the largest sum of absolute values in a row of W^-1; infinity beyond the largest float.
    """
    forms: dict[int, Form | None] = {}
    bounds: dict[int, float] = {}
    for step in plan:
        added, rest = _added(step, forms, bounds)
        bound = rest + sum(abs(factor) * stages[source].size for source, factor in added.items())
        of_all = Form(added) if not rest else None
        if step.target >= 0:
            bound, of_all = 1 + bound, _of_all_units(stages, step, of_all)
        if of_all is not None and not all(map(math.isfinite, of_all.values())):
            of_all = None
        forms[step.target], bounds[step.target] = of_all, bound
    return max((bounds[step.target] for step in plan if step.target >= 0), default=1.0)


def _added(step: Sum, forms: dict[int, Form | None], bounds: dict[int, float]) -> tuple[Form, float]:
    """Return what a unit's ancestors add up to, and the bound of that part of it which has no form."""
    if step.of_signal:
        return Form(), float(bool(step.parts))
    added, rest = Form(), 0.0
    for part in step.parts:
        for source in part.sources:
            form = forms[source] if part.terms[0].is_full else None
            if form is None:
                rest += _most(part) * bounds[source]
            else:
                for stage, factor in form.items():
                    added[stage] += factor
    return added, rest


def _of_all_units(stages: Sequence[Stage], step: Sum, added: Form | None) -> Form | None:
    """Return the sum of a stage's coefficients."""
    found = Form({step.target: 1.0})
    if step.of_signal:
        for part in step.parts:
            if not (union_spread(part.terms, np.ones((1, stages[step.target].size))) == 1).all():
                return None
            found.update(dict.fromkeys(part.sources, -1.0))
        return found
    if added is None:
        return None
    for source, factor in added.items():
        found[source] -= factor * stages[step.target].size
    return found


def _most(part: Part) -> float:
    return min(sum(term.longest for term in part.terms), float(part.terms[0].cols))
