"""The causal plane in a real JupyterLab: clicking a layer, following Python, and both themes."""

import pytest
from conftest import keep_if_failed, open_page
from jupyter_pages import Notebook, show_theme, write_notebook
from views import ARTIFACTS, axe_violations

PLANE = """
import nbwidgets_nn as nw
from nbwidgets_nn.information_results import Bits, EIReport, LayerInformation

def row(layer, s, parts):
    s, parts = Bits(s), Bits(parts, 0.2)
    return LayerInformation(layer, 4, 5, s, parts, parts, s - parts, Bits(0.0))

plane = nw.CausalPlane({
    f"epoch {k}": EIReport((row("fc1", 9.0 * k + 1, 2.0 + k), row("fc2", 5.0 * k, 2.5)), 8, 8, 0) for k in range(4)
})
plane
"""


@pytest.fixture(scope="module")
def opened(browser, lab, work):
    path = work / "plane.ipynb"
    write_notebook(path, PLANE)
    with open_page(browser) as page:
        opened = Notebook(page, lab, path)
        page.wait_for_function("() => document.querySelectorAll('.nbw-causal-plane .dot').length === 8")
        yield opened


@pytest.fixture
def page(opened, request):
    opened.execute("plane.layer = ''")
    opened.page.mouse.move(5, 5)
    opened.page.wait_for_timeout(400)  # a figure lays itself out a moment after it is shown
    yield opened.page
    keep_if_failed(opened.page, request.node)
    assert opened.page.problems == []


def ends(page):
    """The last points of the layers, in their order: bqplot draws them after all others."""
    dots = page.locator(".nbw-causal-plane .dot")
    return {"fc1": dots.nth(dots.count() - 2), "fc2": dots.nth(dots.count() - 1)}


def fill(dot):
    return dot.evaluate("dot => getComputedStyle(dot).fill")


def test_a_click_reaches_python_and_the_line_of_numbers(opened, page):
    before = fill(ends(page)["fc2"])
    ends(page)["fc2"].click()
    page.wait_for_function(
        "() => document.querySelector('.nbw-causal-plane [role=status]').innerText.includes('fc2')"
    )
    assert opened.python("plane.layer") == "fc2"
    assert fill(ends(page)["fc2"]) != before
    assert (
        "fc2 at epoch 3: sensitivity 15.0000" in page.locator(".nbw-causal-plane [role=status]").inner_text()
    )


def test_a_layer_set_in_python_wears_the_accent(opened, page):
    plain = fill(ends(page)["fc1"])
    opened.execute("plane.layer = 'fc1'")
    page.wait_for_function(
        "() => document.querySelector('.nbw-causal-plane [role=status]').innerText.includes('fc1')"
    )
    assert fill(ends(page)["fc1"]) != plain
    assert fill(ends(page)["fc2"]) == plain
    opened.execute("plane.layer = 'relu1'")
    page.wait_for_function(
        "() => document.querySelector('.nbw-causal-plane [role=status]').innerText.includes('relu1')"
    )
    assert fill(ends(page)["fc1"]) == plain


def test_the_tooltip_names_layer_and_checkpoint(page):
    ends(page)["fc1"].hover()
    page.wait_for_selector(".bqplot_mark_tooltip:visible")
    shown = page.locator(".bqplot_mark_tooltip:visible").inner_text()
    assert "fc1 · epoch 3" in shown
    assert "EI_parts, bits" in shown


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [600, 900])
def test_themes_and_widths(opened, page, theme, width):
    opened.execute(f"plane.layer, plane.layout.width = 'fc2', '{width}px'")
    show_theme(page, theme)
    page.wait_for_timeout(800)  # bqplot waits for the size to settle
    plane = page.locator(".nbw-causal-plane")
    ARTIFACTS.mkdir(exist_ok=True)
    plane.screenshot(path=ARTIFACTS / f"causal-plane-{theme.lower()}-{width}.png")
    names = plane.locator(".label").all()
    assert len(names) == 3  # two layers and the diagonal
    box = plane.bounding_box()
    for name in names:
        inside = name.bounding_box()
        assert box["x"] <= inside["x"]
        assert inside["x"] + inside["width"] <= box["x"] + box["width"]
    assert axe_violations(page, ".nbw-causal-plane") == []
    show_theme(page, "Light")
