"""The edge graph on a saved page: the same selection, layer and clusters as heatmaps and picker, with no kernel."""

import re
from io import BytesIO

import numpy as np
import pytest
import torch
from conftest import keep_if_failed, open_page
from PIL import Image
from torch import nn
from views import ARTIFACTS, axe_violations, brush, chips, wait_painted

import nbwidgets_nn as nw

SOFTWARE_GL = """
const plain = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, settings) {
  return plain.call(this, kind, kind === 'webgl2' ? {...settings, failIfMajorPerformanceCaveat: false} : settings);
};
const read = WebGL2RenderingContext.prototype.getParameter;
WebGL2RenderingContext.prototype.getParameter = function (what) {
  return [0x1f01, 0x9246].includes(what) ? 'a graphics card' : read.call(this, what);
};
"""
PAINTER = "globalThis[Symbol.for('nbwidgets_nn.gl')]"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(
            *(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(36, 20), nn.Tanh(), nn.Linear(20, 5)),
        )
        X, y = torch.rand(90, 1, 8, 8), [k % 5 for k in range(90)]
        explorer = nw.explore(model, X, layer="5", target=y, classes=["ant", "bee", "cat", "dog", "eel"])
    return explorer.save_html(tmp_path_factory.mktemp("graph") / "report.html")


@pytest.fixture
def report(saved, page):
    page.goto(saved.as_uri())
    wait_painted(page, layer="5")
    wait_graph(page)
    yield page
    assert [url for url in page.requested if not url.startswith(("data:", "blob:"))] == [saved.as_uri()]
    assert page.problems == []


def wait_graph(page, beyond=0):
    """Wait until the graph has painted once more than ``beyond`` and stands still; return the paint's number."""
    page.wait_for_function(
        "beyond => { const { seq, sharp } = document.querySelector('.nbw-edge-graph')?.dataset ?? {};"
        " return Number(seq ?? 0) > beyond && sharp === 'true'; }",
        arg=beyond,
    )
    return int(page.locator(".nbw-edge-graph").get_attribute("data-seq"))


def picture(page, canvas):
    """Return one of the graph's canvases as a string to compare."""
    page.wait_for_timeout(150)
    return page.locator(f".nbw-graph-plot canvas >> nth={canvas}").evaluate("canvas => canvas.toDataURL()")


EDGES, NODES, OVERLAY = 0, 1, 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 900, 1280])
def test_fits_every_width_and_axe_finds_nothing(report, width, scheme):
    report.emulate_media(color_scheme=scheme)
    report.set_viewport_size({"width": width, "height": 1000})
    report.wait_for_timeout(400)
    ARTIFACTS.mkdir(exist_ok=True)
    report.screenshot(path=ARTIFACTS / f"graph-{scheme}-{width}.png", full_page=True)
    assert report.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert axe_violations(report, "html") == []


def test_units_brushed_in_a_heatmap_are_lit_in_the_graph(report):
    before = picture(report, OVERLAY)
    brush(report, "correlation", (0.02, 0.02), (0.3, 0.18))
    report.wait_for_function("() => document.querySelectorAll('.nbw-chips button[data-name]').length > 1")
    assert picture(report, OVERLAY) != before
    assert f"{len(chips(report))} units selected" in report.locator(".nbw-edge-graph").inner_text()


def test_a_unit_selected_by_keys_in_the_graph_is_selected_in_the_heatmaps(report):
    plot = report.locator(".nbw-graph-plot")
    plot.focus()
    for key in ("ArrowDown", "ArrowLeft", "ArrowRight", "Enter"):  # from the layer that is shown
        plot.press(key)
    report.wait_for_function("() => document.querySelectorAll('.nbw-chips button[data-name]').length === 1")
    assert chips(report)[0].startswith("5:")
    assert report.locator(".nbw-edge-graph [aria-live]").inner_text()
    plot.press("Escape")
    report.wait_for_function("() => !document.querySelector('.nbw-chips button[data-name]')")


def test_a_head_picks_its_layer_and_the_picker_marks_the_head(report):
    report.locator(".nbw-graph-head[data-layer='2']").click()
    wait_painted(report, layer="2")
    assert report.locator("[role=treeitem][aria-selected=true]").get_attribute("data-id") == "2"
    report.locator("[role=treeitem][data-id='4']").click()
    wait_painted(report, layer="4")
    pressed = report.locator(".nbw-graph-head[aria-pressed=true]")
    assert pressed.get_attribute("data-layer") == "5"  # where the units of layer 4 stand


def test_units_wear_the_clusters_of_the_cut(report):
    report.get_by_label("units are coloured by").select_option("cluster")
    before = picture(report, NODES)
    report.locator(".nbw-linked-heatmaps [role=slider]").press("End")
    report.wait_for_timeout(300)
    assert picture(report, NODES) != before


def test_fewer_edges_other_samples_and_the_table(report):
    drawn = report.locator(".nbw-edge-graph").get_attribute("data-drawn")
    before = picture(report, EDGES)
    seq = int(report.locator(".nbw-edge-graph").get_attribute("data-seq"))
    slider = report.get_by_label("edges drawn", exact=True)
    for _ in range(5):
        slider.press("PageDown")
    wait_graph(report, seq)
    assert int(report.locator(".nbw-edge-graph").get_attribute("data-drawn")) < int(drawn)
    assert picture(report, EDGES) != before
    report.get_by_role("button", name="next sample").click()
    report.wait_for_function("() => document.querySelector('.nbw-edge-graph').innerText.includes('sample 3')")
    report.locator(".nbw-edge-graph summary").click()
    table = report.locator(".nbw-edge-graph table")
    rows, heads = table.locator("tbody tr"), table.locator("th").all_inner_texts()
    rows.first.wait_for()
    assert rows.count() <= 50
    cells = dict(zip(heads, rows.first.locator("td").all_inner_texts(), strict=True))
    assert re.fullmatch(r"\S.*:\d+", cells["from"])
    assert re.fullmatch(r"\S.*:\d+", cells["to"])
    assert cells["÷ largest"] == "100 %"
    table.get_by_role("button", name="contribution").click()
    shown = [number(text) for text in rows.locator("td:nth-child(5)").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)


def number(text):
    return float(text.replace("Σ", "").replace("−", "-").replace(",", ""))


def test_hovering_tells_the_triplet(report):
    box = report.locator(".nbw-graph-plot").bounding_box()
    plot = report.locator(".nbw-edge-graph")
    for down in range(40, 400, 6):
        report.mouse.move(box["x"] + box["width"] * 0.85, box["y"] + down)
        report.wait_for_timeout(20)
        if "× w" in plot.inner_text():
            break
    assert "× w" in plot.inner_text()


@pytest.fixture(scope="module")
def many_edges(tmp_path_factory):
    """A page whose 3,000 edges take the processor longer than a frame: only then is there a question of WebGL."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        graph = nw.edge_graph(nn.Linear(60, 50), torch.randn(2, 60))
    graph.shown = 3000
    return graph.save_html(tmp_path_factory.mktemp("many") / "report.html")


@pytest.fixture
def drawn_by_canvas(many_edges, page):
    page.goto(many_edges.as_uri())
    wait_graph(page)
    return page


@pytest.fixture
def slowly_drawn(page, tmp_path):
    """A page whose 90,000 edges take the processor a second or more."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        graph = nw.edge_graph(nn.Linear(300, 300), torch.randn(2, 300), shown=90_000)
    page.goto(graph.save_html(tmp_path / "slow.html").as_uri())
    wait_graph(page)
    return page


def edges_until(page, condition):
    """Wait until the edges' canvas meets a condition; return whether the picture was finished by then."""
    return page.wait_for_function(
        "() => { const canvas = document.querySelector('.nbw-graph-edges');"
        f" return {condition} && document.querySelector('.nbw-edge-graph').dataset.sharp; }}"
    ).json_value()


def test_edges_of_another_size_or_sample_give_way_before_all_new_ones_are_drawn(slowly_drawn):
    page = slowly_drawn
    wide = page.locator(".nbw-graph-edges").evaluate("canvas => canvas.width")
    page.set_viewport_size({"width": 900, "height": 1000})
    assert edges_until(page, f"canvas.width < {wide}") == "false"
    wait_graph(page)
    page.evaluate("() => { globalThis.before = document.querySelector('.nbw-graph-edges').toDataURL(); }")
    page.get_by_role("button", name="next sample").click()
    assert edges_until(page, "canvas.toDataURL() !== before") == "false"
    wait_graph(page)
    assert page.problems == []


def test_the_tooltip_is_beside_the_pointer_and_inside_the_plot(report):
    plot, tip = report.locator(".nbw-graph-plot").bounding_box(), report.locator(".nbw-graph-tip")
    report.mouse.move(plot["x"] + 3, plot["y"] + plot["height"] / 2)
    seen = 0
    for x in range(10, int(plot["width"]), 60):
        for y in (60, int(plot["height"]) - 30):
            at = plot["x"] + x, plot["y"] + y
            report.mouse.move(*at)
            report.wait_for_timeout(40)
            if not tip.is_visible():
                continue
            seen += 1
            box = tip.bounding_box()
            assert not (
                box["x"] <= at[0] <= box["x"] + box["width"] and box["y"] <= at[1] <= box["y"] + box["height"]
            )
            assert plot["x"] <= box["x"]
            assert box["x"] + box["width"] <= plot["x"] + plot["width"]
            assert plot["y"] <= box["y"]
            assert box["y"] + box["height"] <= plot["y"] + plot["height"]
    assert seen > 3


def click_unit(page, column, share):
    """Click in a column, at this share of the plot's height."""
    plot = page.locator(".nbw-graph-plot").bounding_box()
    head = page.locator(".nbw-graph-head").nth(column).bounding_box()
    page.mouse.click(head["x"] + head["width"] / 2, plot["y"] + share * plot["height"])


def test_a_map_opens_beside_what_it_is_about_and_one_escape_closes_it(report):
    report.locator(".nbw-edge-graph").scroll_into_view_if_needed()
    click_unit(report, 1, 0.4)
    card = report.locator(".nbw-graph-card")
    report.wait_for_timeout(200)
    assert card.is_visible()
    box, head = card.bounding_box(), report.locator(".nbw-graph-head").nth(1).bounding_box()
    tile = head["x"] + head["width"] / 2, report.locator(".nbw-graph-plot").bounding_box()
    assert not (
        box["x"] <= tile[0] <= box["x"] + box["width"]
        and box["y"] <= tile[1]["y"] + 0.4 * tile[1]["height"] <= box["y"] + box["height"]
    )
    assert report.locator(".nbw-graph-paths li").count() > 0
    report.keyboard.press("Escape")
    assert not card.is_visible()
    assert len(chips(report)) == 1
    report.keyboard.press("Escape")
    report.wait_for_function("() => !document.querySelector('.nbw-chips button[data-name]')")


def test_what_is_seen_is_downloaded_as_png(report):
    report.get_by_label("units are coloured by").select_option("cluster")
    graph = report.locator(".nbw-edge-graph")
    graph.get_by_text("clusters of 5").wait_for()  # it comes with the next frame
    with report.expect_download() as download:
        graph.get_by_role("button", name="PNG").click()
    assert re.fullmatch(r"Sequential-Edges-contribution-.*5\.png", download.value.suggested_filename)
    image = Image.open(BytesIO(download.value.path().read_bytes())).convert("RGB")
    plot = report.locator(".nbw-graph-plot").bounding_box()
    assert image.width >= 2 * plot["width"]
    assert image.height > 2 * plot["height"]
    for part in range(8):  # title, heads, edges, legends: there is something everywhere
        strip = image.crop((0, part * image.height // 8, image.width, (part + 1) * image.height // 8))
        assert len(strip.getcolors(1 << 24)) > 8, part


def test_a_clicked_head_stays_under_the_pointer(report):
    report.set_viewport_size({"width": 1280, "height": 700})
    head = report.locator(".nbw-graph-head[data-layer='2']")
    head.scroll_into_view_if_needed()
    for layer in ("2", "6", "5"):
        head = report.locator(f".nbw-graph-head[data-layer='{layer}']")
        before = head.bounding_box()["y"]
        head.click()
        wait_painted(report, layer=layer)
        report.wait_for_timeout(1700)
        assert head.bounding_box()["y"] == pytest.approx(before, abs=2)


@pytest.fixture
def drawn_by_gl(browser, many_edges, request):
    """The page in a browser whose WebGL is software: otherwise refused, for being slower than the processor alone."""
    with open_page(browser) as page:
        page.add_init_script(SOFTWARE_GL)
        page.goto(many_edges.as_uri())
        page.wait_for_function(f"() => {PAINTER}")
        page.wait_for_timeout(500)  # it paints once more
        wait_graph(page)
        yield page
        keep_if_failed(page, request.node)
        assert page.problems == []


OPACITIES = """canvas => {
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({ length: width * height }, (_, k) => data[4 * k + 3]);
}"""


def opacities(page):
    """Of each pixel of the edges, from 0 to 255."""
    return np.array(page.locator(".nbw-graph-plot canvas").first.evaluate(OPACITIES), float)


def assert_same_picture(page, other):
    mine, theirs = opacities(page), opacities(other)
    assert abs(mine - theirs).mean() < 0.02 * theirs.mean() > 0


def test_webgl_draws_as_much_as_the_canvas_and_comes_back_when_its_context_was_lost(
    drawn_by_gl, drawn_by_canvas
):
    assert not drawn_by_canvas.evaluate(f"!!{PAINTER}")
    assert "processor" not in drawn_by_gl.locator(".nbw-edge-graph .nbw-head .nbw-how").get_attribute("title")
    assert_same_picture(drawn_by_gl, drawn_by_canvas)
    seq = int(drawn_by_gl.locator(".nbw-edge-graph").get_attribute("data-seq"))
    drawn_by_gl.evaluate(
        f"window.lost = {PAINTER}.gl.getExtension('WEBGL_lose_context'); window.lost.loseContext()"
    )
    drawn_by_gl.wait_for_timeout(200)
    drawn_by_gl.evaluate("window.lost.restoreContext()")
    wait_graph(drawn_by_gl, seq)
    assert_same_picture(drawn_by_gl, drawn_by_canvas)


def test_a_graph_alone_is_a_page_too(page, tmp_path):
    graph = nw.edge_graph(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), torch.rand(6, 4))
    graph.selection = ["1:2"]
    page.goto(graph.save_html(tmp_path / "graph.html", title="A small net").as_uri())
    wait_graph(page)
    assert page.title() == "A small net"
    assert page.locator(".nbw-graph-plot").count() == 1
    assert page.problems == []
