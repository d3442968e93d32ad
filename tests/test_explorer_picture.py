"""The explorer as one still picture: heatmaps, and below them the graph in the same width."""

from io import BytesIO
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import nbwidgets_nn as nw


def explore(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4))
        X = torch.randn(80, 6)
    return nw.explore(model, X, target=np.arange(80) % 4, **options)


@pytest.fixture(scope="module")
def explorer():
    return explore()


def size(picture):
    return Image.open(BytesIO(picture)).size


def pixels(picture):
    return np.asarray(Image.open(BytesIO(picture)).convert("RGB"))


def test_both_stand_below_each_other(explorer, tmp_path):
    heatmaps, graph = (explorer.to_png(parts=part, dpi=96) for part in ("heatmaps", "graph"))
    both = explorer.to_png(dpi=96)
    assert heatmaps == explorer.heatmaps.to_png(dpi=96)
    assert graph == explorer.graph.to_png(dpi=96)
    wide, high = size(both)
    assert wide == max(size(heatmaps)[0], size(graph)[0])
    assert (
        abs(high - size(heatmaps)[1] - size(graph)[1]) <= 16
    )  # wider, the graph has more of its words on one line
    assert explorer.to_png(tmp_path / "ex.png", dpi=40).is_file()


def test_the_graph_is_drawn_pixel_by_pixel_as_alone(explorer):
    """Made as wide as the heatmaps: the layout of the upper part must not move the lower one."""
    from nbwidgets_nn.figures._paper import Paper
    from nbwidgets_nn.figures.edge_graph import EdgePicture
    from nbwidgets_nn.figures.heatmaps import HeatmapPicture

    heatmaps = HeatmapPicture(explorer.heatmaps.content, 0.5, explorer.selection)
    alone = EdgePicture(explorer.graph.content, explorer.graph.view(), 96 * heatmaps.inches[0])
    both = pixels(explorer.to_png(dpi=96))
    paper = Paper(alone.width, alone.height, "light")
    alone.draw_on(paper)
    below = pixels(paper.save("png", 96))
    same = (both[-len(below) :] == below).all(axis=2).mean()
    assert same > 0.98


def test_svg_has_the_words_of_both(explorer):
    root = ET.fromstring(explorer.to_svg())
    assert root.tag.endswith("svg")


def test_clusters_of_the_cut_colour_the_graph_without_a_browser():
    explorer = explore(layer="1")
    explorer.graph.color_by = "cluster"
    tree = explorer.view("1").dendrogram
    of = {}
    for cut in (0.3, 0.95):
        explorer.cut = cut
        assert explorer.graph.view().clusters == {"layer": "1", "labels": tree.labels(cut).tolist()}
        of[cut] = explorer.to_png(parts=["graph"], dpi=40)
    assert of[0.3] != of[0.95]
    explorer.layer = "0"
    assert explorer.graph.view().clusters["layer"] == "0"


def test_what_is_not_there_is_left_out():
    explorer = explore(max_edges=0)
    assert explorer.to_png(dpi=40) == explorer.heatmaps.to_png(dpi=40)
    with pytest.raises(ValueError, match='parts: expected "heatmaps", as max_edges=0 left the graph out'):
        explorer.to_png(parts="graph")
    one = nw.explore(nn.Linear(3, 1), torch.rand(8, 3), layer="Linear")
    assert not one.heatmaps.content.panels
    assert one.to_png(dpi=40) == one.graph.to_png(dpi=40)
    with pytest.raises(ValueError, match="nothing to draw for layer 'Linear'"):
        one.to_png(parts="heatmaps")


@pytest.mark.parametrize("parts", ["picker", [], ["graph", "table"]])
def test_unknown_parts_are_named(explorer, parts):
    with pytest.raises(ValueError, match='parts: expected some of "heatmaps" and "graph", got'):
        explorer.to_png(parts=parts)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_wear_the_theme(explorer, theme):
    from nbwidgets_nn._themes import THEMES

    both = pixels(explorer.to_png(dpi=40, theme=theme))
    paper = tuple(int(THEMES[theme].paper[i : i + 2], 16) for i in (1, 3, 5))
    assert tuple(both[0, 0]) == tuple(both[-1, -1]) == paper
