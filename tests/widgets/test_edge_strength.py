"""Which edges are the strongest: compared with sorting all of them by the rule in words."""

import numpy as np
import pytest
from graph_cases import awkward, random_graph, small

from nbwidgets_nn import EdgeBundle, EdgeGraphContent, UnitColumn
from nbwidgets_nn.widgets._edge_strength import Strengths, strengths, strongest, strongest_per_unit


def sorted_edges(strengths):
    """All edges as (bundle, edge), strongest first: not finite, then by |value| / largest, then by number."""
    rows = []
    for bundle, (values, largest) in enumerate(zip(strengths.values, strengths.largest, strict=True)):
        for edge, value in enumerate(values.tolist()):
            finite = np.isfinite(value)
            relative = np.float32(abs(value) / largest if largest else 0.0) if finite else np.inf
            rows.append((-relative, bundle, edge))
    return [(bundle, edge) for _, bundle, edge in sorted(rows)]


def drawn_by_the_rule(strengths, count):
    """Half of them dealt out evenly to the bundles, the others to the strongest that are left."""
    ranked, bundles = sorted_edges(strengths), len(strengths.values)
    share = count // (2 * bundles) if bundles > 1 else 0
    own = [edge for b in range(bundles) for edge in [edge for edge in ranked if edge[0] == b][:share]]
    own += [edge for edge in ranked if edge not in own][: count - len(own)]
    return [edge for edge in ranked if edge in own]


def as_lists(chosen, bundles):
    """Edges of each bundle, the strongest last."""
    return [[edge for b, edge in reversed(chosen) if b == bundle] for bundle in range(bundles)]


def tied(seed):
    """Layers whose values are few small whole numbers, some of them not finite."""
    rng = np.random.default_rng(seed)
    pool = np.array([0, 1, -1, 2, -2, 3, np.nan, np.inf, -np.inf], np.float32)
    values = tuple(rng.choice(pool, size) for size in (7, 1, 12))
    finite = [np.abs(value[np.isfinite(value)]).max(initial=0) for value in values]
    return Strengths(values, tuple(map(float, finite)), (0, 0, 0))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", range(21))
def test_each_layer_has_its_share_and_the_strongest_of_all_have_the_rest(seed, count):
    given = tied(seed)
    drawn = [edges.tolist() for edges in strongest(given, count)]
    assert drawn == as_lists(drawn_by_the_rule(given, count), 3)
    assert sum(map(len, drawn)) == count


def test_a_layer_with_one_edge_far_ahead_is_not_starved():
    ahead = np.float32([1000.0, *np.linspace(0.1, 1, 99)])
    even = np.linspace(0.5, 1, 100).astype(np.float32)
    given = Strengths((even, ahead), (1.0, 1000.0), (0, 0))
    assert [len(edges) for edges in strongest(given, 40)] == [30, 10]
    assert strongest(given, 40)[1].tolist() == [*range(91, 100), 0]


def test_of_one_layer_the_strongest_are_drawn():
    one = Strengths((np.float32([3, -5, 1]),), (5.0,), (0,))
    assert strongest(one, 2)[0].tolist() == [0, 1]


def test_of_equal_edges_those_with_lower_numbers_are_drawn():
    same = Strengths((np.ones(4, np.float32), np.full(4, 7, np.float32)), (1.0, 7.0), (0, 0))
    assert [edges.tolist() for edges in strongest(same, 4)] == [[2, 1, 0], [0]]


def test_a_layer_is_measured_by_its_own_largest():
    content = small()
    found = strengths(content, 0, "weight")
    assert found.largest == (3.0, 2.0)
    assert [edges.tolist() for edges in strongest(found, 2)] == [[5], [0]]


def test_a_layer_of_zeros_is_weak_and_nothing_breaks():
    zeros = Strengths((np.zeros(3, np.float32), np.float32([0.5])), (0.0, 0.5), (0, 0))
    assert [edges.tolist() for edges in strongest(zeros, 2)] == [[0], [0]]
    assert zeros.relative(0).tolist() == [0, 0, 0]


def test_what_is_not_finite_comes_first_and_is_counted():
    found = strengths(awkward(), 0, "contribution")
    assert found.nonfinite == (4,)
    assert found.largest == (3.0,)
    assert strongest(found, 3)[0].tolist() == [3, 1, 0]


@pytest.mark.parametrize("quantity", ["contribution", "weight"])
@pytest.mark.parametrize("count", [1, 2, 100])
def test_the_strongest_into_each_unit(quantity, count):
    content = random_graph([5, 4, 3], seed=2)
    skip = EdgeBundle(
        "skip",
        0,
        2,
        [1.0, -2.0, 0.5],
        content.columns[0].values,
        content.columns[2].values,
        ends=[[0, 0], [1, 1], [4, 0]],
    )
    content = EdgeGraphContent(content.columns, (*content.bundles, skip), content.samples)
    found = strengths(content, 1, quantity)
    chosen, taken = [], {}
    for bundle, edge in sorted_edges(found):
        unit = content.bundles[bundle].target, int(content.bundles[bundle].ends_of(np.array([edge]))[1][0])
        taken[unit] = taken.get(unit, 0) + 1
        if taken[unit] <= count:
            chosen.append((bundle, edge))
    drawn = strongest_per_unit(content, found, count)
    assert [edges.tolist() for edges in drawn] == as_lists(chosen, 3)


def test_contribution_follows_the_sample_and_weight_does_not():
    content = small()
    of = {
        (q, s): strengths(content, s, q).values[0].tolist()
        for q in ("contribution", "weight")
        for s in (0, 1)
    }
    assert of["contribution", 0] == [2, -2, 0, 0.25, 2, 0]
    assert of["contribution", 1] == [1, 1, 2, 0.125, -1, -12]
    assert of["weight", 0] == of["weight", 1]


def test_a_graph_without_edges_draws_none():
    content = EdgeGraphContent((UnitColumn("input", [[1.0]]),), (), ("sample 0",))
    found = strengths(content, 0, "contribution")
    assert strongest(found, 0) == strongest_per_unit(content, found, 3) == []
