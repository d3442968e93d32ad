"""The spectrum in a real JupyterLab: clicks, linking with the explorer, both themes, three widths."""

import pytest
from conftest import keep_if_failed, open_page
from jupyter_pages import Notebook, write_notebook
from views import ARTIFACTS, axe_violations

SPECTRUM = """
import torch
import nbwidgets_nn as nw
from nbwidgets_nn.digits import new_network

torch.manual_seed(0)
ex = nw.explore(new_network(), torch.rand(6, 1, 8, 8), layer="hidden")
view = ex.spectrum(["standard", "normalized"])
view
"""
STATUS = ".nbw-spectrum [role=status]"


@pytest.fixture(scope="module")
def opened(browser, lab, work):
    path = work / "spectrum.ipynb"
    write_notebook(path, SPECTRUM)
    with open_page(browser) as page:
        opened = Notebook(page, lab, path)
        page.wait_for_selector(".nbw-spectrum .bqplot image")
        yield opened


@pytest.fixture
def page(opened, request):
    opened.execute("view.type = 'standard'; view.layer = 'conv1'; view.picked = None; view.selection = None")
    opened.page.wait_for_timeout(600)  # a figure lays itself out a moment after it is shown
    yield opened.page
    keep_if_failed(opened.page, request.node)
    assert opened.page.problems == []


def panel(page, title):
    """The parts of one of the panels, found by its title."""
    return page.locator(".nbw-spectrum .widget-vbox", has=page.get_by_text(title, exact=True)).last


def says(page, words):
    page.wait_for_function(
        f"words => document.querySelector('{STATUS}').innerText.includes(words)", arg=words
    )


def show_theme(page, name):
    page.evaluate(
        "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})",
        f"JupyterLab {name}",
    )
    page.wait_for_function("dark => document.body.dataset.jpThemeLight === String(!dark)", arg=name == "Dark")


def test_a_click_on_a_coefficient_shows_what_it_touches_and_selects_its_channel(opened, page):
    picture = panel(page, "Coefficients").locator("image:visible").first
    box = picture.bounding_box()
    # Four maps in a row: the middle of the second row's third is in channel 6.
    page.mouse.click(box["x"] + 0.625 * box["width"], box["y"] + 0.375 * box["height"])
    says(page, "conv1[6, ")
    assert opened.python("view.selection.units") == ["conv1:6"]
    assert opened.python("ex.heatmaps.selection.units") == ["conv1:6"]
    says(page, "touches ")
    strip = page.locator(".nbw-strip").inner_text()
    assert "64 of 64 units" in strip
    assert "not touched: input" in page.locator(".nbw-spectrum").inner_text()


def test_a_click_above_a_bar_picks_its_unit(opened, page):
    opened.execute("view.layer = 'hidden'")
    cover = panel(page, "Activations").locator("image:visible").first
    page.wait_for_timeout(800)
    box = cover.bounding_box()
    page.mouse.click(box["x"] + (10.5 / 64) * box["width"], box["y"] + 4)
    says(page, "hidden[10]")
    assert opened.python("ex.selection.units") == ["hidden:10"]


def test_a_click_above_a_layer_shows_it_in_both(opened, page):
    figure = page.locator(".nbw-spectrum .bqplot").first
    box = figure.locator("image").bounding_box()
    page.mouse.click(box["x"] + (10.5 / 11) * box["width"], box["y"] + 5)
    page.wait_for_function(
        "() => document.querySelector('.nbw-spectrum').innerText.includes('out · Linear · 10')"
    )
    assert opened.python("[view.layer, ex.layer]") == ["out", "out"]


def test_arrow_keys_pick_one_coefficient_after_the_other(opened, page):
    largest = opened.python("[node for _, node in view._parts.picks.largest.options[:3]]")
    page.locator(".nbw-spectrum").get_by_label("rank").focus()
    for rank in range(3):
        page.keyboard.press("ArrowUp")
        says(page, opened.python(f"view.content.name({largest[rank]})"))
    assert opened.python("view.picked") == largest[2]


def test_what_is_selected_elsewhere_is_marked(opened, page):
    opened.execute("ex.selection = ['conv1:3']")
    says(page, "selected: conv1:3")
    assert panel(page, "Coefficients").locator("path.line").first.is_visible()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [600, 900, 1180])
def test_themes_and_widths(opened, page, theme, width):
    opened.execute(f"view.layout.width = '{width}px'; view.picked = view.content.node('conv1', 700)")
    show_theme(page, theme)
    page.wait_for_timeout(1000)  # bqplot waits for the size to settle
    page.wait_for_function(
        "width => [...document.querySelectorAll('.nbw-spectrum image')].every(one => one.getBoundingClientRect().width <= width)",
        arg=width,
    )
    spectrum = page.locator(".nbw-spectrum")
    ARTIFACTS.mkdir(exist_ok=True)
    spectrum.screenshot(path=ARTIFACTS / f"spectrum-{theme.lower()}-{width}.png")
    box = spectrum.bounding_box()
    shown = spectrum.locator("image:visible, select:visible, .nbw-strip img:visible").all()
    assert len(shown) > 10
    for part in shown:
        inside = part.bounding_box()
        assert box["x"] <= inside["x"]
        assert inside["x"] + inside["width"] <= box["x"] + box["width"] + 1
    # One picture a panel: the one in the colours of the page.
    panel(page, "Activations").locator("image:visible").first.wait_for()
    assert panel(page, "Activations").locator("image:visible").count() == 1
    assert axe_violations(page, ".nbw-spectrum") == []
    show_theme(page, "Light")
