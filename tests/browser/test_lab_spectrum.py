"""The spectrum in a real JupyterLab: clicks, linking with the explorer, both themes, three widths."""

import pytest
from conftest import keep_if_failed, open_page
from jupyter_pages import Notebook, show_theme, write_notebook
from views import ARTIFACTS, axe_violations, brush, chips, wait_painted

SPECTRUM = """
import torch
import nbwidgets_nn as nw
from nbwidgets_nn.digits import new_network

torch.manual_seed(0)
ex = nw.explore(new_network(), torch.rand(6, 1, 8, 8), layer="hidden")
view = ex.spectrum(["standard", "normalized", "laplacian"])
display(view, ex)
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


def click_at(page, picture, across, down):
    """Click at shares of a picture's width and height."""
    picture.evaluate("picture => picture.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(300)
    box = picture.bounding_box()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def says(page, words):
    page.wait_for_function(
        f"words => document.querySelector('{STATUS}').innerText.includes(words)", arg=words
    )


def test_a_click_on_a_coefficient_shows_what_it_touches_and_selects_its_channel(opened, page):
    picture = panel(page, "Coefficients").locator("image:visible").first
    # Four maps in a row: the middle of the second row's third is in channel 6.
    click_at(page, picture, 0.625, 0.375)
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
    click_at(page, cover, 10.5 / 64, 0.02)
    says(page, "hidden[10]")
    assert opened.python("ex.selection.units") == ["hidden:10"]


def test_a_click_above_a_layer_shows_it_in_both(opened, page):
    figure = page.locator(".nbw-spectrum .bqplot").first
    click_at(page, figure.locator("image"), 10.5 / 11, 0.05)
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
    panel(page, "Coefficients").locator("path.line").first.wait_for()


def wait_for_chips(page, wanted):
    page.wait_for_function(
        "wanted => { const found = [...document.querySelectorAll('.nbw-linked-heatmaps .nbw-chips button[data-name]')]"
        ".map(chip => chip.dataset.name); return JSON.stringify(found) === JSON.stringify(wanted) }",
        arg=wanted,
    )


def test_units_brushed_in_a_heatmap_are_marked_and_a_pick_takes_their_place(opened, page):
    opened.execute("ex.layer = 'hidden'")
    wait_painted(page, layer="hidden")
    page.locator("[data-matrix=correlation] canvas.nbw-cells").scroll_into_view_if_needed()
    brush(page, "correlation", (0.02, 0.02), (0.3, 0.06))
    says(page, "selected: hidden:")
    some = opened.python("view.selection.units")
    assert len(some) > 1
    assert opened.python("[view.picked, view.layer]") == [None, "hidden"]
    assert opened.python("[len(view.state().marked)]") == [len(some)]
    page.wait_for_function(
        "count => [...document.querySelectorAll('.nbw-spectrum rect.bar[style*=\"--nbw-accent\"]')]"
        ".filter(bar => bar.checkVisibility()).length === count",
        arg=2 * len(some),
    )
    opened.execute("view.picked = view.content.node('hidden', 10)")
    wait_for_chips(page, ["hidden:10"])
    page.wait_for_timeout(500)  # echoes of what was brushed would come by now
    assert chips(page) == ["hidden:10"]
    assert opened.python("ex.graph.selection.units") == ["hidden:10"]
    opened.execute("view.picked = view.content.node('conv1', 100)")
    wait_painted(page, layer="conv1")
    assert opened.python("[ex.layer, ex.graph.layer, view.layer]") == ["conv1"] * 3
    wait_for_chips(page, opened.python("view.selection.units"))


def test_a_click_on_a_frequency_selects_no_unit(opened, page):
    opened.execute("ex.layer = 'hidden'; ex.selection = [1, 2]; view.type = 'laplacian'")
    says(page, "selected: hidden:1, hidden:2")
    page.wait_for_timeout(800)
    cover = panel(page, "Spectrum").locator("image:visible").first
    click_at(page, cover, 0.3, 0.1)
    says(page, "frequency ")
    wait_for_chips(page, [])
    assert opened.python("[ex.selection.units, ex.graph.selection.units]") == [[], []]
    page.locator("[data-matrix=correlation] canvas.nbw-cells").scroll_into_view_if_needed()
    brush(page, "correlation", (0.02, 0.02), (0.3, 0.06))
    says(page, "selected: hidden:")
    assert opened.python("view.picked") is not None


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [600, 900, 1180])
def test_themes_and_widths(opened, page, theme, width):
    opened.execute(f"view.layout.width = '{width}px'; view.picked = view.content.node('conv1', 700)")
    show_theme(page, theme)
    for figure in page.locator(".nbw-spectrum .bqplot:visible").all():
        figure.scroll_into_view_if_needed()  # bqplot lays out what is on the screen
        page.wait_for_timeout(300)
    page.wait_for_timeout(500)  # it waits for the size to settle
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
