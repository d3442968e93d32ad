"""Still pictures: the same colours as the browser's, and no cell that vanishes when a matrix is shrunk."""

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import nbwidgets_nn as nw
from nbwidgets_nn._themes import THEMES
from nbwidgets_nn.color_range import LEVELS, NOT_A_NUMBER
from nbwidgets_nn.figures import heatmaps
from nbwidgets_nn.figures._pooling import pool_strongest
from nbwidgets_nn.figures._sum_bars import Marked, draw_sums
from nbwidgets_nn.figures.heatmaps import draw_correlation, draw_heatmaps

CSS = (Path(__file__).parents[2] / "js" / "src" / "style.css").read_text()


def tokens(selector):
    start = CSS.index(selector)
    return dict(re.findall(r"--nbw-([\w-]+):\s*(#\w+)", CSS[start : CSS.index("}", start)]))


@pytest.mark.parametrize(
    ("theme", "selectors"), [("light", [".nbw {"]), ("dark", [".nbw {", ".nbw.nbw-dark {"])]
)
def test_pictures_wear_the_colours_of_the_style_sheet(theme, selectors):
    css = {name: color for selector in selectors for name, color in tokens(selector).items()}
    ours = THEMES[theme]
    for name in ("paper", "ink", "muted", "branch", "sum", "faint", "accent"):
        assert getattr(ours, name) == css[name]
    assert ours.clusters == tuple(css[f"cluster-{k}"] for k in range(1, 9))
    assert ours.marks == tuple(css[f"mark-{k}"] for k in range(1, 7))


@pytest.mark.parametrize("diverging", [True, False])
def test_each_pixel_shows_the_strongest_of_its_cells(diverging):
    codes = np.random.default_rng(0).integers(0, 256, (50, 70)).astype(np.uint8)
    pooled = pool_strongest(codes, diverging=diverging, pixels=20)

    def strength(code):
        code = int(code)
        return 1000 + code if code >= LEVELS else abs(2 * code - (LEVELS - 1)) if diverging else code

    for (i, j), code in np.ndenumerate(pooled):
        block = codes[3 * i : 3 * i + 3, 4 * j : 4 * j + 4]
        assert strength(code) == max(map(strength, block.ravel()))


def test_one_nan_among_a_million_cells_is_still_seen():
    codes = np.full((2000, 2000), 125, np.uint8)
    codes[1234, 567] = NOT_A_NUMBER
    assert (pool_strongest(codes, diverging=True, pixels=100) == NOT_A_NUMBER).sum() == 1


def test_each_axis_is_shrunk_on_its_own():
    assert pool_strongest(np.zeros((4000, 10), np.uint8), diverging=False).shape == (1334, 10)


def test_tree_clusters_and_every_panel_share_the_edges_of_their_rows(monkeypatch):
    X = np.random.default_rng(0).normal(size=(60, 30))
    correlation = nw.correlate(X)
    panels = (
        nw.MatrixPanel("r", "r", correlation.matrix),
        nw.MatrixPanel(
            "x", "x", X[:4].T, columns=nw.Columns("samples", list("abcd")), note="4 of 60 samples"
        ),
    )
    content = nw.HeatmapContent("fc", panels, nw.cluster_units(correlation))
    drawn, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (save(self, *a, **k), drawn.append(self)))
    draw_heatmaps(content, cut=0.5, selection=nw.Selection("fc"))
    by_rows = [axes for axes in drawn[0].axes if axes.get_ylim() == (30, 0)]
    assert len(by_rows) == 4  # tree, clusters, two matrices
    edges = np.array([[axes.get_window_extent().y0, axes.get_window_extent().y1] for axes in by_rows])
    np.testing.assert_allclose(edges, np.broadcast_to(edges[0], edges.shape), atol=0.01)


def test_outlined_rows_are_those_of_the_selected_units():
    content = nw.HeatmapContent("fc", (nw.MatrixPanel("r", "r", np.eye(3)),), unit_ids=np.array([7, 9, 4]))
    assert heatmaps._selected_rows(content, nw.Selection("fc", ("fc:4", "fc:7"))).tolist() == [0, 2]
    assert heatmaps._selected_rows(content, nw.Selection("other", ("other:4",))).tolist() == []


def test_outlined_columns_are_the_selected_units_of_their_layer():
    columns = nw.Columns("units of out", ["0", "7", "2"], layer="out")
    panels = (nw.MatrixPanel("ei", "EI", np.eye(3), columns=columns), nw.MatrixPanel("r", "r", np.eye(3)))
    content = nw.HeatmapContent("fc", panels)
    chosen = nw.Selection("out", ("out:2", "out:7"))
    assert heatmaps._selected_columns(content, panels[0], chosen).tolist() == [1, 2]
    assert heatmaps._selected_columns(content, panels[1], chosen).tolist() == []
    rows = nw.Selection("fc", ("fc:2",))
    assert heatmaps._selected_columns(content, panels[0], rows).tolist() == []
    assert heatmaps._selected_columns(content, panels[1], rows).tolist() == [2]


def test_sums_stand_level_with_the_rows_of_every_panel(monkeypatch):
    panels = (
        nw.MatrixPanel("r", "r", np.eye(30)),
        nw.MatrixPanel(
            "ei",
            "EI",
            np.arange(120.0).reshape(30, 4),
            columns=nw.Columns("units of out", list("0123"), layer="out"),
            marginals=True,
        ),
    )
    drawn, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (save(self, *a, **k), drawn.append(self)))
    draw_heatmaps(nw.HeatmapContent("fc", panels), cut=0.5, selection=nw.Selection("out", ("out:2",)))
    by_rows = [axes for axes in drawn[0].axes if axes.get_ylim() == (30, 0)]
    assert len(by_rows) == 3  # two matrices and the sums of rows
    edges = np.array([[axes.get_window_extent().y0, axes.get_window_extent().y1] for axes in by_rows])
    np.testing.assert_allclose(edges, np.broadcast_to(edges[0], edges.shape), atol=0.01)
    matrix, above = by_rows[1], next(axes for axes in drawn[0].axes if axes.get_xlim() == (0, 4))
    assert above.get_window_extent().x0 == pytest.approx(matrix.get_window_extent().x0)
    assert above.get_window_extent().x1 == pytest.approx(matrix.get_window_extent().x1)


def corners(collection):
    return np.array([path.vertices[:4] for path in collection.get_paths()])


@pytest.mark.parametrize("count", [5, 700, 1500])
def test_bars_are_as_long_as_their_sums_and_the_selected_ones_lie_over_them(count):
    rng = np.random.default_rng(0)
    sums = {"rows": rng.random(count) - 0.3, "columns": rng.random(3)}
    marked = Marked(np.array([1, count - 1]), np.array([], int))
    above, beside = Figure().subplots(1, 2)
    draw_sums(above, beside, sums, marked, THEMES["light"])
    every, chosen = beside.collections
    assert to_hex(chosen.get_facecolor()[0]) == THEMES["light"].accent
    assert sorted(corners(chosen)[:, 1, 0]) == pytest.approx(sorted(sums["rows"][[1, count - 1]]))
    step = -(-count // 700)
    blocks = [sums["rows"][k : k + step] for k in range(0, count, step)]
    assert corners(every)[:, 1, 0] == pytest.approx([max(block, key=abs) for block in blocks])
    assert (corners(every)[:, [0, 3], 0] == 0).all()


def test_a_sum_that_is_not_defined_has_no_bar_and_an_infinite_one_fills_its_axes():
    sums = {"rows": np.array([1.0, np.nan, np.inf]), "columns": np.array([np.nan])}
    above, beside = Figure().subplots(1, 2)
    draw_sums(above, beside, sums, Marked(np.array([1]), np.array([], int)), THEMES["dark"])
    assert len(beside.collections[0].get_paths()) == 2
    assert beside.get_xlim() == (0, 1)
    assert corners(beside.collections[0])[1, 1, 0] > 1e9
    assert beside.collections[1].get_paths() == above.collections[0].get_paths() == []


@pytest.mark.parametrize(
    ("sums", "words"),
    [
        ([0.5, 1.234], "max 1.23"),
        ([-0.5, 2.0], "−0.500 to 2"),
        ([-3.0], "min −3"),
        ([0.0, 0.0], "max 0"),
        ([np.nan, np.inf, 0.25], "max 0.250"),
    ],
)
def test_words_say_what_the_longest_bars_stand_for(sums, words):
    above, beside = Figure().subplots(1, 2)
    nothing = Marked(np.array([], int), np.array([], int))
    draw_sums(above, beside, {"rows": np.array(sums), "columns": np.zeros(2)}, nothing, THEMES["light"])
    assert [text.get_text() for text in beside.texts] == ["row sums", words]
    assert [text.get_text() for text in above.texts] == ["column sums", "max 0"]


def test_only_clusters_of_several_units_wear_a_colour():
    X = np.random.default_rng(0).normal(size=(200, 3))
    tree = nw.cluster_units(np.column_stack([X, X[:, 0], np.ones(200)]))
    axes = Figure().subplots()
    heatmaps._draw_strip(axes, tree, 0.5, THEMES["light"])
    colors = {to_hex(patch.get_facecolor()) for patch in axes.patches if patch.get_height() == 1}
    assert colors == {THEMES["light"].faint}
    assert [to_hex(p.get_facecolor()) for p in axes.patches if p.get_height() == 2] == [
        THEMES["light"].clusters[0]
    ]
    assert [bool(p.get_hatch()) for p in axes.patches] == [False, False, False, True]


def test_small_matrix_is_drawn_cell_by_cell():
    codes = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert pool_strongest(codes, diverging=False) is codes


def test_correlation_picture_writes_the_values_asked_for():
    matrix = np.array([[1.0, 0.8, np.nan], [0.8, 1.0, np.nan], [np.nan, np.nan, np.nan]])
    few, many = (draw_correlation(matrix, at_least, title="t") for at_least in (0.9, 0.5))
    assert few[:4] == many[:4] == b"\x89PNG"
    assert few != many


@pytest.mark.parametrize(
    "module", ["nbwidgets_nn._words", "nbwidgets_nn.widgets.heatmap_content", "nbwidgets_nn.widgets.job"]
)
def test_examples_run(module):
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_values_written_in_cells_can_be_read(theme, low, monkeypatch):
    values = np.linspace(low, 1, 16).reshape(4, 4)
    panel = nw.MatrixPanel("v", "v", values, columns=nw.Columns("things", list("abcd")))
    content = nw.HeatmapContent("fc", (panel,))
    drawn, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (save(self, *a, **k), drawn.append(self)))
    draw_heatmaps(content, cut=0.5, selection=nw.Selection("fc"), theme=theme)
    axes = next(axes for axes in drawn[0].axes if axes.images)
    cells = axes.images[0].get_array() / 255
    written = [text for text in axes.texts if text.get_color() in ("white", "black")]
    assert len(written) == 16
    for text in written:
        x, y = text.get_position()
        assert contrast(cells[int(y), int(x)], text.get_color()) > 3.5, text.get_text()


def contrast(cell, ink):
    """WCAG's ratio of two colours."""

    def luminance(rgb):
        rgb = np.asarray(rgb)
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ (0.2126, 0.7152, 0.0722)

    one, other = luminance(cell), 1.0 if ink == "white" else 0.0
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
