"""The best paths, compared with listing every path and sorting them."""

from dataclasses import replace

import numpy as np
import pytest
from graph_cases import awkward, random_graph, small

from nbwidgets_nn import EdgeBundle, EdgeGraphContent, UnitColumn
from nbwidgets_nn.widgets._edge_paths import EdgePath, Lit, best_paths, light_paths
from nbwidgets_nn.widgets._edge_strength import strengths


def every_path(content, given, column, unit, *, into):
    """Every way from a unit to the end of the data, edge by edge from the unit; a stable sort keeps equal ones in order."""
    near, far = ("target", "source") if into else ("source", "target")
    bundles = [b for b, own in enumerate(content.bundles) if getattr(own, near) == column]
    if not bundles:
        return [(1.0, ())]
    found = []
    for b in bundles:
        own = content.bundles[b]
        ends = dict(zip(("source", "target"), own.ends_of(np.arange(own.edges)), strict=True))
        for edge, value in enumerate(given.values[b].tolist()):
            if ends[near][edge] != unit or value == 0 or not np.isfinite(value):
                continue
            rest = every_path(content, given, getattr(own, far), ends[far][edge], into=into)
            found += [(abs(value) * strength, ((b, edge), *steps)) for strength, steps in rest]
    return sorted(found, key=lambda path: -path[0])


def with_skips():
    """Sparse edges that pass columns, a column without edges into it, and equal weights."""
    rng = np.random.default_rng(3)
    content = random_graph([4, 3, 3, 2], seed=3)
    values = [column.values for column in content.columns]
    side = UnitColumn("side", np.ones((2, 2)))
    columns = (*content.columns[:2], side, *content.columns[2:])
    bundles = [
        replace(b, source=b.source + (b.source > 1), target=b.target + (b.target > 1))
        for b in content.bundles
    ]
    pairs = np.array([[0, 1], [3, 0], [2, 1], [2, 0]])
    skip = EdgeBundle("skip", 0, 4, np.ones(4), values[0], values[3], ends=pairs)
    aside = EdgeBundle("aside", 2, 3, rng.choice([1.0, -1.0, 0.0], (3, 2)), np.ones((2, 2)), values[2])
    return EdgeGraphContent(columns, (*bundles, skip, aside), content.samples)


def same():
    """All products are equal: the numbers of the edges decide."""
    ones = [np.ones((1, n)) for n in (3, 4, 2)]
    columns = [UnitColumn(f"l{k}", values) for k, values in enumerate(ones)]
    bundles = [
        EdgeBundle(f"l{k + 1}", k, k + 1, np.ones((ones[k + 1].size, ones[k].size)), ones[k], ones[k + 1])
        for k in range(2)
    ]
    return EdgeGraphContent(columns, bundles, ("0",))


GRAPHS = {
    "network": random_graph([4, 5, 3, 2]),
    "thinned": small(),
    "skips": with_skips(),
    "not finite": awkward(),
    "equal": same(),
}


@pytest.mark.parametrize("k", [1, 2, 5, 40])
@pytest.mark.parametrize("into", [True, False])
@pytest.mark.parametrize("content", GRAPHS.values(), ids=GRAPHS)
def test_best_paths_are_the_first_of_all(content, into, k):
    given = strengths(content, 0, "contribution")
    end = "target" if into else "source"
    for c, column in enumerate(content.columns):
        expected = []
        if any(getattr(own, end) == c for own in content.bundles):
            for unit in range(column.units):
                expected += every_path(content, given, c, unit, into=into)[:k]
        found = best_paths(content, given, c, range(column.units), k, into=into)
        steps = [steps[::-1] if into else steps for _, steps in expected]
        assert [path.steps for path in found] == steps
        np.testing.assert_allclose(
            [path.strength for path in found], [size for size, _ in expected], rtol=1e-12
        )


def test_of_many_units_the_first_are_lit_with_fewer_paths_each():
    content = random_graph([6, 60, 3])
    given = strengths(content, 0, "contribution")
    of = {n: light_paths(content, given, 1, range(n)) for n in (0, 1, 8, 9, 50)}
    assert of[0] == Lit()
    assert {n: (lit.each, lit.of) for n, lit in of.items()} == {
        0: (0, 0),
        1: (5, 1),
        8: (5, 8),
        9: (4, 9),
        50: (1, 40),
    }
    assert (len(of[8].into), len(of[8].out)) == (40, 24)
    assert of[1].into == best_paths(content, given, 1, [0], 5, into=True)


def test_edges_on_several_paths_are_lit_once():
    lit = Lit((EdgePath(1.0, ((0, 3), (1, 2))), EdgePath(0.5, ((0, 1), (1, 2)))), (EdgePath(2.0, ((2, 7),)),))
    assert [lit.edges_of(b) for b in range(3)] == [[1, 3], [2], [7]]


def test_at_the_end_of_the_data_there_is_one_side():
    content = random_graph([3, 2])
    lit = light_paths(content, strengths(content, 0, "contribution"), 1, [0])
    assert (len(lit.into), lit.out) == (3, ())
