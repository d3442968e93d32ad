"""The explorer in a real JupyterLab with a real kernel."""

import re

import pytest
from conftest import keep_if_failed, open_page
from jupyter_pages import Notebook, write_notebook
from views import ARTIFACTS, axe_violations, brush, chips, heatmaps, pick, pixels, wait_painted

MODEL = """
import torch
from torch import nn
import nbwidgets_nn as nw
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 12), nn.Tanh(), nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 3))
X = torch.randn(300, 8)
"""
EXPLORE = "ex = nw.explore(model, X, layer='3'); ex"


@pytest.fixture(scope="module")
def opened(browser, lab, work):
    """One notebook for all tests here: opening Lab and loading torch in a kernel takes most of the time."""
    path = work / "explorer.ipynb"
    write_notebook(path, MODEL, EXPLORE)
    with open_page(browser) as page:
        opened = Notebook(page, lab, path)
        wait_painted(page, layer="3")
        yield opened


@pytest.fixture
def page(opened):
    return opened.page


@pytest.fixture
def explorer(opened, page, request):
    """The explorer as it was first shown."""
    opened.execute("ex.layer, ex.selection, ex.cut = '3', None, 0.5")
    page.evaluate("document.activeElement.blur()")
    page.locator(".nbw-linked-heatmaps .nbw-title").first.scroll_into_view_if_needed()
    page.mouse.move(5, 5)
    wait_painted(page, layer="3")
    page.wait_for_function("() => !document.querySelector('.nbw-chips button[data-name]')")
    yield opened
    keep_if_failed(page, request.node)
    assert page.problems == []


def test_picking_a_layer_reaches_python_and_the_heatmaps(explorer, page):
    before = pixels(page, "correlation")
    pick(page, "1")
    wait_painted(page, layer="1")
    assert explorer.python("ex.layer") == "1"
    assert pixels(page, "correlation") != before


def test_layer_set_in_python_reaches_picker_and_heatmaps(explorer, page):
    explorer.execute("ex.layer = '0'")
    wait_painted(page, layer="0")
    assert page.locator("[role=treeitem][aria-selected=true]").get_attribute("data-id") == "0"


def test_units_selected_in_the_graph_reach_python_and_the_heatmaps(explorer, page):
    plot = page.locator(".nbw-graph-plot")
    plot.focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        plot.press(key)
    page.wait_for_selector(".nbw-chips button[data-name]")
    shown = chips(page)
    assert len(shown) == 1
    page.wait_for_timeout(500)
    assert explorer.python("ex.selection.units") == explorer.python("ex.graph.selection.units") == shown


def test_units_selected_in_python_are_lit_in_the_graph(explorer, page):
    graph = page.locator(".nbw-edge-graph")
    explorer.execute("ex.selection = [4, 7]")
    page.wait_for_function(
        "() => document.querySelector('.nbw-edge-graph').innerText.includes('2 units selected')"
    )
    assert explorer.python("ex.graph.selection.units") == ["3:4", "3:7"]
    assert graph.locator(".nbw-graph-head[aria-pressed=true]").get_attribute("data-layer") == "3"


def test_brushed_units_reach_python_and_the_other_heatmap(explorer, page):
    other = pixels(page, "profile", "nbw-overlay")
    brush(page, "correlation", (0.02, 0.02), (0.3, 0.18))
    page.wait_for_selector(".nbw-chips button[data-name]")
    page.wait_for_function("() => document.querySelectorAll('.nbw-chips button[data-name]').length > 1")
    shown = chips(page)
    page.mouse.move(5, 5)
    assert explorer.python("ex.selection.units") == shown
    assert explorer.python("ex.selection.source") != "python"
    assert pixels(page, "profile", "nbw-overlay") != other


def test_selection_set_in_python_changes_the_canvas(explorer, page):
    page.mouse.move(5, 5)
    before = {matrix: pixels(page, matrix, "nbw-overlay") for matrix in ("correlation", "profile")}
    explorer.execute("ex.selection = [4, 7]")
    page.wait_for_selector(".nbw-chips button[data-name='3:7']")
    assert chips(page) == ["3:4", "3:7"]
    assert all(pixels(page, matrix, "nbw-overlay") != before[matrix] for matrix in before)


def test_cut_moved_in_the_browser_reclusters_there_and_reaches_python(explorer, page):
    root = heatmaps(page)
    clusters = root.get_attribute("data-clusters")
    slider = page.locator("[role=slider]")
    slider.focus()
    for _ in range(12):
        slider.press("ArrowLeft")
        slider.press("ArrowRight")
        slider.press("ArrowLeft")
    page.wait_for_function(
        "old => document.querySelector('.nbw-linked-heatmaps').dataset.clusters !== old", arg=clusters
    )
    page.wait_for_timeout(300)  # the last throttled cut is on its way
    cut = explorer.python("ex.cut")
    assert cut == pytest.approx(float(slider.get_attribute("aria-valuenow")), abs=1e-3)
    assert explorer.python("ex.view().dendrogram.clusters(ex.cut)") == int(
        root.get_attribute("data-clusters")
    )


def test_hover_reads_the_exact_value(explorer, page):
    box = page.locator("[data-matrix=correlation] canvas.nbw-cells").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"] / 20, box["y"] + 2.5 * box["height"] / 20)
    readout = page.locator("[data-matrix=correlation] .nbw-readout")
    page.wait_for_function(
        "() => document.querySelector('[data-matrix=correlation] .nbw-readout').textContent.includes('r =')"
    )
    shown = float(re.search(r"r = ([+−]?[\d.]+)", readout.inner_text()).group(1).replace("−", "-"))
    assert shown == pytest.approx(explorer.python("ex.heatmaps.content.exact('correlation', 2, 0)"), rel=5e-3)


def test_keys_are_not_stolen_by_lab(explorer, page):
    cells = page.locator(".jp-Cell").count()
    page.locator("[data-matrix=correlation] .nbw-plot").focus()
    for key in ("b", "a", "d", "d", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(".nbw-chips button[data-name]")
    assert page.locator(".jp-Cell").count() == cells


def test_running_the_cell_again_leaves_nothing_behind(explorer, page):
    for _ in range(3):
        explorer._race("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function("() => document.querySelectorAll('.nbw-linked-heatmaps').length === 1")
        wait_painted(page)
    assert page.locator(".nbw-layer-picker").count() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes_recolour_and_axe_finds_nothing(explorer, page, theme):
    explorer.execute("ex.selection = [2, 5]")
    light = pixels(page, "correlation")
    if theme == "dark":
        explorer._race(
            "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
        )
        page.wait_for_selector(".nbw-linked-heatmaps.nbw-dark")
        page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
        page.wait_for_timeout(300)
        assert pixels(page, "correlation") != light
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"lab-{theme}.png")
    assert axe_violations(page, ".nbw-linked-heatmaps") == []
    assert axe_violations(page, ".nbw-layer-picker") == []
    if theme == "dark":
        explorer._race(
            "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})"
        )


def test_two_views_of_one_explorer_share_the_selection(explorer, page):
    explorer.execute("from IPython.display import display")
    explorer.page.evaluate(
        """() => { const panel = window.jupyterapp.shell.currentWidget;
        panel.content.model.sharedModel.insertCell(2, {cell_type: 'code', source: 'ex'}) }"""
    )
    explorer._race("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function("() => document.querySelectorAll('.nbw-linked-heatmaps[data-seq]').length === 2")
    explorer.execute("ex.selection = [1]")
    page.wait_for_function(
        "() => document.querySelectorAll('.nbw-chips button[data-name=\"3:1\"]').length === 2"
    )
