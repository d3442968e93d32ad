"""The still picture of an edge graph: what it draws, where, in which colours, and what it says."""

import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parent.parent / "widgets"))

from graph_cases import awkward, random_graph, small

from nbwidgets_nn import EdgeBundle, EdgeGraphContent, Selection, UnitColumn
from nbwidgets_nn._themes import THEMES
from nbwidgets_nn.colormaps import color_table
from nbwidgets_nn.figures._edge_ink import _SHADES, ink_for
from nbwidgets_nn.figures._paper import shortened, width_of, wrapped
from nbwidgets_nn.figures.edge_graph import draw_edges
from nbwidgets_nn.widgets._edge_layout import lay_out
from nbwidgets_nn.widgets._edge_scene import EdgeScene, EdgeView


@pytest.fixture
def drawn(monkeypatch):
    """Draw, and give the axes of the last picture."""
    figures, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (save(self, *a, **k), figures.append(self)))

    def draw(content, *, theme="light", dpi=40, **view):
        assert draw_edges(content, EdgeView(**view), theme=theme, dpi=dpi).startswith(b"\x89PNG")
        return figures[-1].axes[0]

    return draw


def curves(axes):
    """The collections of edges, one a bundle."""
    return [c for c in axes.collections if type(c) is PathCollection and c.get_zorder() == 2]


def words(axes):
    return [text.get_text() for text in axes.texts]


def place(content, **room):
    return lay_out(content, **{"left": 100, "right": 900, "top": 50, "bottom": 450, **room})


def smooth(t):
    return 3 * t**2 - 2 * t**3


def bezier(corners, t):
    weights = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    return np.einsum("kt,ekd->etd", weights, corners)


def test_columns_share_the_width_and_units_the_height():
    layout = place(random_graph([5, 40, 8]))
    assert [column.x for column in layout.columns] == [100, 500, 900]
    for column, units in zip(layout.columns, (5, 40, 8), strict=True):
        y = column.y(np.arange(units))
        np.testing.assert_allclose(np.diff(y), 392 / units)
        assert y.min() - column.pitch / 2 == pytest.approx(58)
        assert y.max() + column.pitch / 2 == pytest.approx(450)


def test_a_single_column_stands_in_the_middle():
    content = EdgeGraphContent((UnitColumn("input", [[1.0]]),), (), ("sample 0",))
    assert place(content).columns[0].x == 500


def test_units_stand_in_the_order_of_their_column():
    column = place(small()).columns[1]
    assert column.y(np.array([1]))[0] < column.y(np.array([0]))[0]


@pytest.mark.parametrize(
    ("units", "maps", "tile", "radius"),
    [(4, False, 0, 7), (100, False, 0, 0.45 * 3.92), (131, False, -1, 0.45 * 392 / 131), (4, True, 64, 7)],
)
def test_units_are_dots_tiles_or_a_strip_by_the_room_they_have(units, maps, tile, radius):
    values = np.zeros((1, units))
    column = UnitColumn("conv", values, maps=np.zeros((1, units, 2, 2)) if maps else None)
    placed = place(EdgeGraphContent((column,), (), ("sample 0",))).columns[0]
    assert (placed.tile, placed.radius) == pytest.approx((tile, radius))


def test_edges_are_smooth_steps_from_unit_to_unit():
    content = random_graph([5, 4])
    layout = place(content)
    inputs, outputs = np.array([0, 4, 2]), np.array([3, 0, 1])
    t = np.linspace(0, 1, 11)
    points = bezier(layout.curves(0, 1, inputs, outputs), t)
    begin, end = layout.columns
    x0, x1 = begin.x + begin.reach + 2, end.x - end.reach - 2
    y0, y1 = begin.y(inputs)[:, None], end.y(outputs)[:, None]
    np.testing.assert_allclose(points[..., 0], np.broadcast_to(x0 + (x1 - x0) * t, (3, 11)))
    np.testing.assert_allclose(points[..., 1], y0 + (y1 - y0) * smooth(t))


def test_edges_that_pass_columns_run_above_their_units():
    content = random_graph([5, 4, 3])
    skip = EdgeBundle("skip", 0, 2, [1.0], *(content.columns[k].values for k in (0, 2)), ends=[[4, 2]])
    content = EdgeGraphContent(content.columns, (*content.bundles, skip), content.samples)
    layout = place(content)
    (points,) = layout.curves(0, 2, np.array([4]), np.array([2]))
    begin, middle, end = layout.columns
    assert points[0].tolist() == [begin.x + begin.reach + 2, begin.y(np.array([4]))[0]]
    assert points[-1].tolist() == [end.x - end.reach - 2, end.y(np.array([2]))[0]]
    above = points[np.abs(points[:, 0] - middle.x) < 20, 1]
    assert (above < middle.y(np.array([0]))[0] - middle.reach).all()


def test_ink_grows_with_strength_and_is_symmetric_about_zero():
    ink, strengths = ink_for(400), np.linspace(0, 1, 21)
    assert (np.diff(ink.width(strengths)) > 0).all()
    for theme in ("light", "dark"):
        table = color_table(diverging=True, theme=theme) / 255
        plus, minus = ink.color(strengths, theme), ink.color(-strengths, theme)
        assert (np.diff(plus[:, 3]) > 0).all()
        np.testing.assert_array_equal(plus[:, 3], minus[:, 3])
        codes = [
            [int((table == color).all(axis=1).argmax()) for color in side[1:, :3]] for side in (plus, minus)
        ]
        assert sorted(codes[0]) == codes[0]
        assert min(codes[0]) > 125
        np.testing.assert_allclose(np.add(*codes), 249, atol=1)


def test_more_edges_are_thinner_and_paler():
    few, many = ink_for(400), ink_for(100_000)
    assert few.widths > many.widths
    assert few.opacities > many.opacities
    assert ink_for(1) == few


def test_browser_and_picture_draw_with_the_same_ink():
    source = (Path(__file__).parents[2] / "js" / "src" / "views" / "graph_edges.ts").read_text()
    start = source.index("export function inkFor")
    browser = re.sub(r"\s", "", source[start : source.index("\n}", start)])
    few, many = ink_for(400), ink_for(10**9)
    assert f"widths:[mix({few.widths[0]},{many.widths[0]}),mix({few.widths[1]},{many.widths[1]})]" in browser
    assert f"mix({few.opacities[1]},{many.opacities[1]})]" in browser
    assert f"opacities:[{few.opacities[0]}*{many.opacities[0] / few.opacities[0]:.2g}**crowd" in browser
    assert f"gamma:mix({few.gamma},{many.gamma})" in browser
    assert f"SHADES = {list(_SHADES)}" in source


def test_what_is_not_finite_has_the_ink_of_its_mark():
    colors = ink_for(400).color(np.array([-np.inf, np.inf, np.nan]), "light")
    assert [to_hex(color[:3]) for color in colors] == list(THEMES["light"].marks[2:5])


def test_the_strongest_edge_is_painted_last_and_only_those_shown(drawn):
    content = small()
    first, second = curves(drawn(content, shown=5, quantity="weight"))
    assert len(first.get_paths()) + len(second.get_paths()) == 5
    widths = first.get_linewidths()
    assert sorted(widths) == list(widths)
    strongest = ink_for(5).color(np.array([-1.0]), "light")[0]
    assert first.get_edgecolors()[-1] == pytest.approx(strongest)


def test_edges_end_at_their_units(drawn):
    content = small()
    axes = drawn(content, shown=9, quantity="weight")
    heights = [c.get_offsets().data[:, 1] for c in axes.collections if c.get_zorder() == 4]
    drawn_edges = EdgeScene(content, EdgeView(shown=9, quantity="weight")).drawn
    for bundle, edges, collection in zip(content.bundles, drawn_edges, curves(axes), strict=True):
        ends = np.array([path.vertices[[0, -1], 1] for path in collection.get_paths()])
        inputs, outputs = bundle.ends_of(edges)
        np.testing.assert_allclose(ends[:, 0], heights[bundle.source][inputs])
        np.testing.assert_allclose(ends[:, 1], heights[bundle.target][outputs])


def test_nodes_wear_the_colours_of_their_values(drawn):
    axes = drawn(small(), sample=0)
    fills = [c.get_facecolors()[:, :3] for c in axes.collections if c.get_zorder() == 4]
    viridis = color_table(diverging=False, theme="light", quiet=True) / 255
    np.testing.assert_allclose(fills[1], viridis[[round(0.5 / 3.5 * 249), round(2 / 3.5 * 249)]])


def test_only_selected_units_and_the_picked_layer_wear_the_accent(drawn):
    accent = THEMES["light"].accent

    def rings(axes):
        found = [c for c in axes.collections if len(c.get_edgecolors()) and len(c.get_offsets())]
        return [c for c in found if to_hex(c.get_edgecolors()[0]) == accent and c.get_zorder() == 6]

    plain = drawn(small())
    assert sum(len(ring.get_offsets()) for ring in rings(plain)) == 0
    assert accent not in {text.get_color() for text in plain.texts}
    chosen = drawn(small(), selection=Selection("fc1", ("fc1:1",)), layer="fc1")
    (ring,) = rings(chosen)
    dots = [c.get_offsets().data for c in chosen.collections if c.get_zorder() == 4]
    np.testing.assert_allclose(ring.get_offsets().data, dots[1][[1]])
    assert [text.get_text() for text in chosen.texts if text.get_color() == accent] == ["relu"]
    assert "selected: fc1:1" in words(chosen)


def test_feature_maps_are_tiles_in_the_colours_of_their_values(drawn):
    maps = np.array([[[[0.0, 1.0], [2.0, 4.0]], [[4.0, 0.0], [0.0, 0.0]]]])
    column = UnitColumn("conv", maps.mean((2, 3)), maps=maps)
    axes = drawn(EdgeGraphContent((column,), (), ("sample 0",)))
    tiles = [image.get_array() for image in axes.images if image.get_array().shape[:2] == (2, 2)]
    viridis = color_table(diverging=False, theme="light", quiet=True) / 255
    np.testing.assert_allclose(tiles[0][:, :, :3], viridis[[[0, 62], [125, 249]]], atol=1 / 255)
    assert len(tiles) == 2


@pytest.mark.parametrize(("units", "said"), [(2, "0 to 8"), (60, "0 to 2")])
def test_the_scale_below_a_column_is_that_of_what_is_drawn(drawn, units, said):
    maps = np.zeros((1, units, 2, 2))
    maps[0, 0, 0, 0] = 8  # the mean is 2, and many units are dots coloured by that
    column = UnitColumn("conv", maps.mean((2, 3)), maps=maps)
    assert said in words(drawn(EdgeGraphContent((column,), (), ("sample 0",))))


def test_no_unit_of_a_strip_vanishes(drawn):
    values = np.zeros((1, 3000))
    values[0, 1234] = np.nan
    axes = drawn(EdgeGraphContent((UnitColumn("fc", values),), (), ("sample 0",)))
    cells = axes.images[0].get_array()
    mark = [int(THEMES["light"].marks[4][k : k + 2], 16) / 255 for k in (1, 3, 5)]
    assert np.isclose(cells, mark).all(axis=-1).sum() == 1
    assert "not defined" in words(axes)


def test_a_strip_in_the_colours_of_clusters_keeps_the_order_of_its_column(drawn):
    labels = np.repeat([1, 2], 200)
    column = UnitColumn("fc", np.zeros((1, 400)), order=np.arange(400)[::-1])
    content = EdgeGraphContent((column,), (), ("sample 0",))
    axes = drawn(content, color_by="cluster", clusters={"layer": "fc", "labels": labels.tolist()})
    cells = axes.images[0].get_array()[:, 0]
    assert [to_hex(cells[k]) for k in (0, -1)] == [THEMES["light"].clusters[k] for k in (1, 0)]


def test_marks_are_explained_only_where_they_are(drawn):
    marks = {"−∞", "+∞", "not defined"}
    assert not marks & set(words(drawn(small())))
    axes = drawn(awkward())
    assert marks <= set(words(axes))
    dashes = curves(axes)[0].get_linestyles()
    assert [pattern is not None for _, pattern in dashes] == [False, False, True, True, True, True]


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ({"shown": 9}, "all 9 edges drawn"),
        ({"shown": 4}, "4 of 9 edges: the strongest, at least 1 a layer"),
        (
            {"shown": 4, "quantity": "weight"},
            "4 of 9 edges: the strongest, at least 1 a layer",
        ),
        (
            {"per_unit": 1},
            "4 of 9 edges: the 1 largest |contribution| into each unit, relative to each layer’s largest",
        ),
    ],
)
def test_the_picture_says_which_edges_it_draws(drawn, view, said):
    content = small(how="2 of 9 samples")
    sentences = EdgeScene(content, EdgeView(**view)).sentences()
    assert sentences[0] == said
    assert sentences[1:3] == ["2 of 9 samples", "fc2: 3 of 4 edges: largest |weight|"]
    assert set(sentences) <= {part for line in words(drawn(content, **view)) for part in line.split(" · ")}


def test_the_picture_counts_what_is_not_finite():
    assert EdgeScene(awkward(), EdgeView()).sentences()[1:] == ["4 not finite", "3 units not finite"]


def test_a_layer_without_a_finite_value_says_so():
    content = awkward()
    nothing = replace(content.bundles[0], weight=np.full((2, 3), np.nan))
    scene = EdgeScene(replace(content, bundles=(nothing,)), EdgeView())
    assert scene.largest_in_words(0) == "not finite"
    zeros = replace(nothing, weight=np.zeros((2, 3)), source_values=np.ones((1, 3)))
    assert EdgeScene(replace(content, bundles=(zeros,)), EdgeView()).largest_in_words(0) == "0"


def test_a_weight_that_is_a_sum_is_called_one():
    content = small()
    first, second = content.bundles
    content = replace(content, bundles=(replace(first, weight_is="kernel sum"), second))
    assert EdgeScene(content, EdgeView(quantity="weight")).sentences()[-1] == "fc1: kernel sum"
    assert "fc1: kernel sum" not in EdgeScene(content, EdgeView()).sentences()


def test_the_title_of_weights_says_that_only_the_nodes_are_of_a_sample():
    scene = EdgeScene(small(), EdgeView(sample=1, quantity="weight"))
    assert scene.heading == "Edges: weight w (nodes: sample 9 · dog)"


def test_heads_feet_and_labels_are_written(drawn):
    axes = drawn(small(), sample=1)
    said = words(axes)
    for expected in (
        "Edges: contribution w · x, sample 9 · dog",
        "input",
        "3 numbers · 3 units",
        "relu",
        "Linear, ReLU · 2 units",
        "−4 to 4",
        "0 to 3.50",
        "largest ±12",
        "largest ±7",
        "cat",
    ):
        assert expected in said
    bold = {text.get_text() for text in axes.texts if text.get_weight() == "bold"}
    assert bold >= {"cat", "relu"}
    assert "dog" not in bold  # cat has the larger value


def test_a_bundle_that_passes_columns_says_where_it_comes_from(drawn):
    content = random_graph([3, 2, 2])
    skip = EdgeBundle("skip", 0, 2, [2.0], *(content.columns[k].values for k in (0, 2)), ends=[[0, 0]])
    content = EdgeGraphContent(content.columns, (*content.bundles, skip), content.samples)
    assert "±2 from l0" in words(drawn(content, quantity="weight"))


def test_clusters_of_several_units_wear_the_colours_that_heatmaps_give_them(drawn):
    content = random_graph([3, 7])
    clusters = {"layer": "l1", "labels": [3, 1, 3, 2, 0, 1, 0]}
    axes = drawn(content, color_by="cluster", clusters=clusters)
    fills = [c.get_facecolors() for c in axes.collections if c.get_zorder() == 4][1]
    assert "nodes: clusters of l1; others: activation, on the scale below each column" in words(axes)
    one, two = THEMES["light"].clusters[:2]
    faint = THEMES["light"].faint
    assert [to_hex(fill) for fill in fills] == [two, one, two, faint, faint, one, faint]
    assert EdgeScene(content, EdgeView(clusters=clusters)).clusters(content.columns[1]) is None


@pytest.mark.parametrize(
    ("columns", "kind"), [(12, "Linear, GELU"), (2, "Linear, GELU, Dropout, LayerNorm, Identity, GLU")]
)
def test_heads_never_cover_each_other_nor_leave_the_page(drawn, columns, kind):
    content = random_graph([4] * columns)
    named = tuple(
        replace(column, name=f"encoder.layers.{k}.linear", aliases=(), layer="", kind=kind)
        for k, column in enumerate(content.columns)
    )
    axes = drawn(replace(content, columns=named), dpi=100)  # the figure's own, in which words are measured
    heads = [text for text in axes.texts if text.get_text().startswith(("enc", "Linear"))]
    assert len(heads) == 2 * columns
    boxes, page = [text.get_window_extent() for text in heads], axes.get_window_extent()
    for k, box in enumerate(boxes):
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert not any(box.overlaps(other) for other in boxes[:k])


def test_words_are_cut_short_only_where_they_must_be():
    assert shortened("Linear", 500) == "Linear"
    start, end = shortened("encoder.layers.10", 60), shortened("encoder.layers.10", 60, keep="end")
    assert start.endswith("…")
    assert end.endswith("10")
    assert max(width_of(start), width_of(end)) <= 60
    assert wrapped(["one", "two", "three"], 500) == ["one · two · three"]
    assert wrapped(["one", "two", "three"], width_of("one · two")) == ["one · two", "three"]


def test_a_sentence_longer_than_a_line_goes_on_in_the_next_one():
    room = width_of("starts from values")
    found = wrapped(["first", "starts from values that the nodes do not show"], room)
    assert " ".join(found) == "first starts from values that the nodes do not show"
    assert max(map(width_of, found)) <= room
    assert wrapped(["w" * 100], room)[0].endswith("…")


@pytest.mark.parametrize("name", ["$\\alpha$", "a_b^c", "<b>", "层"])
def test_names_are_written_as_they_are(name):
    content = EdgeGraphContent((UnitColumn(name, [[1.0]]),), (), ("sample $0$",))
    with mpl.rc_context({"svg.fonttype": "none", "font.family": ["DejaVu Sans", "sans-serif"]}):
        import warnings

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph", UserWarning)
            svg = ET.fromstring(draw_edges(content, EdgeView(), format="svg"))
    texts = {"".join(node.itertext()) for node in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert name in texts
    assert "Edges: contribution w · x, sample $0$" in texts


def test_clusters_frame_tiles(drawn):
    maps = np.ones((1, 3, 2, 2))
    content = EdgeGraphContent((UnitColumn("conv", maps.mean((2, 3)), maps=maps),), (), ("sample 0",))
    axes = drawn(content, color_by="cluster", clusters={"layer": "conv", "labels": [1, 2, 2]})
    (frames,) = [c for c in axes.collections if c.get_zorder() == 5]
    one = THEMES["light"].clusters[0]
    assert [to_hex(color) for color in frames.get_edgecolors()] == [THEMES["light"].faint, one, one]
    assert "clusters" in words(axes)


def test_the_same_graph_is_the_same_file():
    with mpl.rc_context({"svg.hashsalt": "fixed"}):
        one, two = (draw_edges(small(), EdgeView(), format="svg") for _ in range(2))
    assert one == two


def test_an_unknown_theme_and_an_empty_graph_are_refused():
    with pytest.raises(ValueError, match='theme must be "light" or "dark", but \'sepia\' came'):
        draw_edges(small(), EdgeView(), theme="sepia")
    with pytest.raises(ValueError, match="there is nothing to draw: no edges here"):
        draw_edges(EdgeGraphContent(message="no edges here"), EdgeView())


def lit_curves(axes):
    return [c for c in axes.collections if type(c) is PathCollection and c.get_zorder() == 3]


@pytest.mark.parametrize("quantity", ["contribution", "weight"])
def test_best_paths_through_the_selection_stand_out_and_the_other_edges_step_back(drawn, quantity):
    content = random_graph([3, 4, 2])
    plain = drawn(content, quantity=quantity, shown=3)
    assert all(len(c.get_paths()) == 0 for c in lit_curves(plain))
    axes = drawn(content, quantity=quantity, shown=3, selection=Selection("l1", ("l1:2",)))
    lit = EdgeScene(content, EdgeView(selection=Selection("l1", ("l1:2",)))).lit
    assert [len(c.get_paths()) for c in lit_curves(axes)] == [len(lit.edges_of(b)) for b in (0, 1)] == [3, 2]
    for before, after in zip(curves(plain), curves(axes), strict=True):
        np.testing.assert_allclose(after.get_edgecolors()[:, 3], 0.22 * before.get_edgecolors()[:, 3])
    place_of = drawn_places(axes, content)
    for bundle, collection in enumerate(lit_curves(axes)):
        assert (collection.get_edgecolors()[:, 3] == 1).all()
        assert (np.diff(collection.get_linewidths()) >= 0).all()
        ends = {
            tuple(np.round([path.vertices[0, 1], path.vertices[-1, 1]], 6)) for path in collection.get_paths()
        }
        own = content.bundles[bundle]
        x, y = own.ends_of(np.array(lit.edges_of(bundle)))
        assert ends == {(place_of[bundle][i], place_of[bundle + 1][j]) for i, j in zip(x, y, strict=True)}


def drawn_places(axes, content):
    """The height of each unit's dot, by column."""
    dots = [c for c in axes.collections if type(c) is PathCollection and c.get_zorder() == 4]
    return [np.round(c.get_offsets()[:, 1].data, 6).tolist() for c in dots[: len(content.columns)]]


@pytest.mark.parametrize(
    ("units", "said"),
    [
        (["l1:2"], "lit: 5 best paths in and out, by product of contributions"),
        (["l1:0", "l1:1"], "lit: 5 best paths in and out of each, by product of contributions"),
        (["l2:0"], "lit: 5 best paths in, by product of contributions"),
        (
            [f"l1:{k}" for k in range(50)],
            "lit: best path in and out of the first 40, by product of contributions",
        ),
    ],
)
def test_the_picture_says_what_is_lit(units, said):
    content = random_graph([3, 60, 2])
    view = EdgeView(selection=Selection(units[0][:2], tuple(units)))
    assert said in EdgeScene(content, view).sentences()
    assert not any("lit" in line for line in EdgeScene(content, EdgeView()).sentences())
    nothing = replace(content, bundles=[replace(b, weight=0 * b.weight) for b in content.bundles])
    assert "through the selected units no path of finite strength" in EdgeScene(nothing, view).sentences()
