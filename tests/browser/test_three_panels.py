"""Correlation, class means and effective information side by side: level rows, whole words, linked columns."""

import numpy as np
import pytest
from views import ARTIFACTS, axe_violations, chips, pixels, wait_painted

import nbwidgets_nn as nw
from nbwidgets_nn.widgets.saved_page import widget_state, write_page

CUT_WORDS = """() => [...document.querySelectorAll('.nbw-head > .nbw-title, .nbw-head > .nbw-how, .nbw-readout > *')]
    .filter(words => words.scrollWidth > words.clientWidth + 1 || words.scrollHeight > words.clientHeight + 2)
    .map(words => words.textContent)"""
BITS = "[data-matrix=information]"


def three_panels():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 32)) + rng.normal(size=(200, 32))
    correlation = nw.correlate(X)
    classes = nw.Columns("classes", list("0123456789"), one="class")
    units = nw.Columns("units of conv2", [str(k) for k in range(16)], one="unit", layer="conv2")
    panels = (
        nw.MatrixPanel("correlation", "Correlation of units", correlation.matrix, quantity="r", samples=200),
        nw.MatrixPanel("profile", "Class means", X[:10].T, how="z-scores", quantity="z", columns=classes),
        nw.MatrixPanel(
            "information",
            "Effective information, relu1 → conv2",
            0.1 * rng.random((32, 16)) ** 2,
            how="exact · 64 × 64 bins · bits",
            unit="bits",
            columns=units,
            marginals=True,
        ),
    )
    return nw.LinkedHeatmaps(nw.HeatmapContent("relu1", panels, nw.cluster_units(correlation)))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    heatmaps = three_panels()
    picker = nw.LayerPicker([nw.LayerRow("input", "input"), nw.LayerRow("relu1", "ReLU")], "relu1")
    widgets = [
        {"name": "picker", "kind": "layer_picker", "state": widget_state(picker)},
        {"name": "heatmaps", "kind": "linked_heatmaps", "state": widget_state(heatmaps)},
    ]
    path = tmp_path_factory.mktemp("three") / "page.html"
    return write_page(path, title="three panels", widgets=widgets, answers={})


@pytest.fixture
def report(saved, page):
    page.goto(saved.as_uri())
    wait_painted(page, layer="relu1")
    yield page
    assert page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "lines"), [(600, 2), (900, 2), (1280, 1)])
def test_rows_stand_level_and_no_word_is_cut(report, width, lines, scheme):
    report.emulate_media(color_scheme=scheme)
    report.set_viewport_size({"width": width, "height": 1000})
    report.wait_for_timeout(300)
    ARTIFACTS.mkdir(exist_ok=True)
    report.screenshot(path=ARTIFACTS / f"three-{scheme}-{width}.png", full_page=True)
    assert report.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    cells = [box.bounding_box() for box in report.locator("canvas.nbw-cells").all()]
    assert len({round(box["height"]) for box in cells}) == 1
    assert len({round(box["y"], 1) for box in cells}) == lines
    assert cells[1]["y"] == pytest.approx(cells[2]["y"], abs=0.1)
    assert report.evaluate(CUT_WORDS) == []
    assert axe_violations(report, "html") == []


def at(page, across, down):
    """Return a position in the information panel; shares of its cells, beyond them pixels."""
    box = page.locator(f"{BITS} canvas.nbw-cells").bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def test_a_column_is_selected_by_its_sum_and_outlined(report):
    report.mouse.move(5, 5)
    before = [pixels(report, "information", canvas) for canvas in ("nbw-overlay", "nbw-sums")]
    x, y = at(report, 3.5 / 16, 0)
    report.mouse.click(x, y - 12)
    report.mouse.move(5, 5)
    report.wait_for_selector(".nbw-chips button[data-name='conv2:3']")
    assert chips(report) == ["conv2:3"]
    assert report.locator(".nbw-unknown").count() == 0
    after = [pixels(report, "information", canvas) for canvas in ("nbw-overlay", "nbw-sums")]
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_sums_are_read_out_and_follow_the_zoom(report):
    x, y = at(report, 1, 0.1)
    report.mouse.move(x + 60, y)
    readout = report.locator(f"{BITS} .nbw-readout")
    report.wait_for_function(f"() => document.querySelector('{BITS} .nbw-readout').textContent.includes('Σ')")
    assert readout.inner_text().startswith("relu1:")
    assert "Σ row" in readout.inner_text()
    report.mouse.move(5, 5)
    before = pixels(report, "information", "nbw-sums")
    report.locator(BITS).get_by_role("button", name="zoom in").first.click()
    report.wait_for_function(
        f"old => document.querySelector('{BITS} canvas.nbw-sums').toDataURL() !== old", arg=before
    )


def test_the_keyboard_selects_the_unit_of_a_column(report):
    report.locator(f"{BITS} .nbw-plot").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Alt+Enter"):
        report.keyboard.press(key)
    report.wait_for_selector(".nbw-chips button[data-name='conv2:2']")
    report.keyboard.press("c")
    report.wait_for_selector(".nbw-chips button[data-name]", state="detached")
