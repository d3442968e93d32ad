"""The widget's traits and fallbacks, without a browser."""

import base64
import re
import warnings
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import traitlets
from graph_cases import awkward, random_graph, small
from PIL import Image

from nbwidgets_nn import EdgeGraph, EdgeGraphContent, HeatmapContent, LinkedHeatmaps, MatrixPanel
from nbwidgets_nn._themes import THEMES
from nbwidgets_nn.widgets import edge_graph


@pytest.fixture
def graph():
    return EdgeGraph(small())


def test_first_shows_400_edges_or_all(graph):
    assert graph.shown == 9
    assert EdgeGraph(random_graph([30, 20])).shown == 400


def test_more_edges_than_there_are_draw_all():
    graph = EdgeGraph(small(), shown=10**6)
    assert graph.shown == 9
    graph.shown = 10
    assert graph.shown == 9


def test_choices_are_kept_as_given():
    options = {
        "sample": 1,
        "quantity": "weight",
        "shown": 2,
        "per_unit": 3,
        "color_by": "cluster",
        "height": 300,
    }
    graph = EdgeGraph(small(), **options)
    assert {key: getattr(graph, key) for key in options} == options


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"sample": 2}, ValueError, "sample: expected 0 to 1, one of 2 samples held, got 2"),
        ({"sample": -1}, ValueError, "sample: expected 0 to 1"),
        ({"shown": -1}, ValueError, "shown: expected at least 0, got -1"),
        ({"shown": 2.5}, traitlets.TraitError, "'shown' trait"),
        ({"per_unit": -1}, ValueError, "per_unit: expected how many edges"),
        ({"height": 100}, ValueError, "height: expected at least 160 pixels, got 100"),
        ({"quantity": "gradient"}, traitlets.TraitError, "'quantity' trait"),
        ({"color_by": "layer"}, traitlets.TraitError, "'color_by' trait"),
        ({"colour": "red"}, TypeError, "colour"),
    ],
)
def test_bad_choices_are_refused_by_name(options, error, says):
    with pytest.raises(error, match=says):
        EdgeGraph(small(), **options)


def test_only_a_content_is_shown():
    with pytest.raises(TypeError, match=r"content: expected an EdgeGraphContent.*, got Linear"):
        EdgeGraph(type("Linear", (), {})())


@pytest.mark.parametrize(("name", "value"), [("sample", 9), ("shown", 10_000)])
def test_a_choice_of_the_browser_within_an_earlier_content_stops_at_what_there_is(graph, name, value):
    graph.set_state({name: value})
    assert getattr(graph, name) == {"sample": 1, "shown": 9}[name]


def test_a_new_content_keeps_what_was_chosen_where_it_can(graph):
    graph.sample = 1
    graph.content = random_graph([30, 20], samples=1)
    assert (graph.sample, graph.shown) == (0, 400)  # nothing had been chosen: at most 400 again
    graph.shown = 500
    graph.content = random_graph([40, 20])
    assert graph.shown == 500
    graph.content = small()
    assert graph.shown == 9


def test_selection_may_be_set_by_name_through_any_alias(graph):
    for names in (["fc1:1"], ["relu:1", "relu:0"]):
        graph.selection = names
        assert list(graph.selection.units) == names
    sent = graph.get_state("selection")["selection"]
    assert sent.pop("source").startswith("python-")
    assert sent == {"layer": "relu", "units": ["relu:1", "relu:0"], "kind": "units"}


def test_indices_belong_to_the_picked_layer(graph):
    with pytest.raises(
        ValueError, match=r'selection: expected unit names like "fc1:17".*Try: set layer first'
    ):
        graph.selection = [1]
    graph.layer = "fc2"
    graph.selection = [1]
    assert graph.selection.units == ("fc2:1",)
    graph.selection = None
    assert graph.selection.units == ()


def test_a_unit_that_is_not_there_is_named(graph):
    with pytest.raises(ValueError, match=r"units of layer 'relu', which has 2, got \['relu:2', 'relu:9'\]"):
        graph.selection = ["relu:1", "relu:2", "relu:9"]


def test_units_of_a_layer_that_is_not_shown_are_kept(graph):
    graph.selection = ["elsewhere:99"]
    assert graph.selection.indices == (99,)


def test_selection_from_the_browser_arrives(graph):
    seen = []
    graph.observe(lambda change: seen.append(change.new), "selection")
    graph.set_state({"selection": {"layer": "relu", "units": ["relu:7"], "kind": "units", "source": "v1"}})
    assert seen[-1].indices == (7,)  # of an earlier content, perhaps: a view is not corrected
    assert seen[-1].source == "v1"


@pytest.mark.parametrize("make", [lambda: EdgeGraph(small()), lambda: heatmaps()], ids=["graph", "heatmaps"])
def test_clusters_come_from_the_browser(make):
    widget = make()
    assert widget.clusters == {}
    widget.set_state({"clusters": {"layer": "fc1", "labels": [1, 0]}})
    assert widget.clusters == {"layer": "fc1", "labels": [1, 0]}
    assert "clusters" in widget.keys


def heatmaps():
    return LinkedHeatmaps(HeatmapContent("fc1", (MatrixPanel("r", "r", [[1.0, 0.5], [0.5, 1.0]]),)))


def test_content_is_never_echoed():
    assert EdgeGraph.content.metadata["echo_update"] is False


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_are_png_and_svg_in_both_themes(graph, tmp_path, theme):
    path = tmp_path / "edges.png"
    assert graph.to_png(path, theme=theme, dpi=48) == path
    picture = path.read_bytes()
    assert Image.open(BytesIO(picture)).convert("RGB").getpixel((1, 1)) == rgb(THEMES[theme].paper)
    svg = graph.to_svg(theme=theme)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert ET.parse(graph.to_svg(tmp_path / "edges.svg", theme=theme)).getroot().tag.endswith("svg")


def rgb(color):
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize(
    "choice",
    [
        {"sample": 1},
        {"quantity": "weight"},
        {"shown": 2},
        {"per_unit": 1},
        {"selection": ["relu:0"]},
        {"layer": "fc1"},
        {"height": 300},
    ],
)
def test_pictures_show_the_choices(graph, choice):
    before = graph.to_png(dpi=48)
    graph.set_trait(*next(iter(choice.items())))
    assert graph.to_png(dpi=48) != before


def test_clusters_show_where_nodes_are_coloured_by_them(graph):
    before = graph.to_png(dpi=48)
    graph.clusters = {"layer": "fc1", "labels": [1, 1]}
    assert graph.to_png(dpi=48) == before
    graph.color_by = "cluster"
    assert graph.to_png(dpi=48) != before


def test_still_picture_stands_beside_the_widget(graph):
    shown = graph._repr_mimebundle_()
    data = shown[0] if isinstance(shown, tuple) else shown
    assert "application/vnd.jupyter.widget-view+json" in data
    assert 'alt="Edges: input → relu → fc2"' in data["text/html"]
    source = re.search(r'base64,([^"]+)"', data["text/html"]).group(1)
    assert Image.open(BytesIO(base64.b64decode(source))).format == "PNG"


@pytest.mark.parametrize(("options", "drawn"), [({"shown": 1500}, 1000), ({"per_unit": 40}, 1000), ({}, 400)])
def test_the_picture_of_a_saved_notebook_has_at_most_1000_edges(monkeypatch, options, drawn):
    from nbwidgets_nn.figures import edge_graph

    seen = []
    monkeypatch.setattr(edge_graph, "draw_edges", lambda _, view, **__: seen.append(view) or b"")
    graph = EdgeGraph(random_graph([60, 30]), **{"shown": 1500 if "per_unit" in options else 400, **options})
    graph.static_html()
    assert (seen[0].shown, seen[0].per_unit) == (drawn, 0)


@pytest.mark.parametrize(
    ("write", "name", "hint"),
    [("to_png", "x.jpg", "x.png"), ("to_png", "x.svg", "x.png"), ("to_svg", "a.b/x.PNG", "a.b/x.svg")],
)
def test_a_file_is_what_its_name_says(graph, write, name, hint, tmp_path):
    says = re.escape(f"ends in .{hint[-3:]}, got {name!r}. Try: {hint}")
    with pytest.raises(ValueError, match=says):
        getattr(graph, write)(name)
    assert graph.to_png(tmp_path / "x.PNG", dpi=40).is_file()
    assert graph.to_svg(tmp_path / "no_ending").is_file()


def test_clusters_are_found_where_no_browser_has_told_them(graph):
    graph.color_by = "cluster"
    before = graph.to_png(dpi=48)
    graph.find_clusters = lambda: {"layer": "fc1", "labels": [1, 1]}
    found = graph.to_png(dpi=48)
    assert found != before
    graph.set_state({"clusters": {"layer": "fc1", "labels": [1, 2]}})  # in the browser, which knows better
    assert graph.to_png(dpi=48) not in (before, found)


def test_a_message_stands_where_there_is_nothing_to_draw():
    graph = EdgeGraph(EdgeGraphContent(message="No <weights> here."))
    assert graph.static_html() == "<div>No &lt;weights&gt; here.</div>"
    assert repr(graph) == "EdgeGraph(No <weights> here.)"
    with pytest.raises(ValueError, match="there is nothing to draw: No <weights> here"):
        graph.to_png()


def test_names_are_escaped():
    graph = EdgeGraph(small(title='<b>"net"</b>'))
    assert "&lt;b&gt;&quot;net&quot;" in graph.static_html()


def test_repr_holds_no_data(graph, monkeypatch):
    monkeypatch.setattr(edge_graph, "pack", lambda _: pytest.fail("repr serialises the content"))
    assert (
        repr(graph) == "EdgeGraph(3 columns, 9 of 9 edges, sample='sample 7 · cat', quantity='contribution')"
    )
    graph.per_unit = 2
    assert "2 into each unit of 9 edges" in repr(graph)


def test_closing_lets_the_comm_go(graph):
    graph.close()
    assert graph.comm is None
    graph.close()


def test_what_is_not_finite_travels_and_is_drawn_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = EdgeGraph(awkward())
        assert graph.to_png(dpi=48)
        assert graph.get_state("content")["content"]["bundles"][0]["weight"]["dtype"] == "float32"
