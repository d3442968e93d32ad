"""The spectrum in a saved file: still pictures that are linked with heatmaps and graph, without a kernel and a network."""

import pytest
import torch
from torch import nn
from views import ARTIFACTS, axe_violations, brush, chips, pick, wait_painted

import nbwidgets_nn as nw

SPECTRUM = ".nbw-spectrum-pictures"


@pytest.fixture(scope="module")
def explorer():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 10), nn.Linear(10, 3)
        )
        explorer = nw.explore(model, torch.randn(100, 1, 6, 6), layer="3")
    explorer.spectrum("weighted")
    yield explorer
    explorer.close()


@pytest.fixture(scope="module")
def saved(explorer, tmp_path_factory):
    return explorer.save_html(tmp_path_factory.mktemp("spectrum") / "report.html")


@pytest.fixture
def report(saved, page):
    page.goto(saved.as_uri())
    wait_painted(page, layer="3")
    page.wait_for_selector(f"{SPECTRUM}[data-layer='3'] img")
    yield page
    assert [url for url in page.requested if not url.startswith(("data:", "blob:"))] == [saved.as_uri()]
    assert page.problems == []


def click_unit(page, panel, k, of):
    """Click at the k-th of some bars, in the room that they share."""
    stage = page.locator(f"{SPECTRUM} .nbw-pictures .nbw-stage").nth(panel)
    stage.scroll_into_view_if_needed()
    for share in range(100):  # where the axes begin and end is the picture's own business
        box = stage.bounding_box()
        page.mouse.move(box["x"] + box["width"] * (share + 0.5) / 100, box["y"] + 0.5 * box["height"])
        if status(page).startswith(f"3:{k} "):
            page.mouse.down()
            page.mouse.up()
            return
    raise AssertionError(f"unit {k} of {of} is nowhere")


def status(page):
    return page.locator(f"{SPECTRUM} [role=status]").inner_text()


def marks(page, panel=0):
    return page.locator(f"{SPECTRUM} .nbw-pictures .nbw-stage").nth(panel).locator("rect.nbw-chosen").count()


def test_a_unit_clicked_in_the_spectrum_is_selected_everywhere(report):
    click_unit(report, 1, 7, 10)
    report.wait_for_selector(".nbw-chips button[data-name='3:7']")
    assert chips(report) == ["3:7"]
    assert report.locator(".nbw-edge-graph .nbw-readout").inner_text().startswith("1 unit selected")
    assert [marks(report, 0), marks(report, 1)] == [1, 1]
    assert "coefficient" in status(report)


def test_units_brushed_in_a_heatmap_are_marked_in_the_spectrum(report):
    brush(report, "correlation", (0.02, 0.02), (0.3, 0.35))
    report.wait_for_function(f"() => document.querySelectorAll('{SPECTRUM} rect.nbw-chosen').length > 3")
    report.wait_for_selector(".nbw-chips button[data-name]")
    assert marks(report, 0) == marks(report, 1) == len(chips(report)) > 1
    assert status(report).startswith("● selected: 3:")


def test_another_layer_is_picked_here_and_there(report):
    pick(report, "0")
    report.wait_for_selector(f"{SPECTRUM}[data-layer='0']")
    wait_painted(report, layer="0")
    overview = report.locator(f"{SPECTRUM} .nbw-stage").first
    overview.focus()
    report.keyboard.press("End")
    report.keyboard.press("Enter")
    wait_painted(report, layer="4")
    report.wait_for_selector(f"{SPECTRUM}[data-layer='4']")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1280])
def test_fits_every_width_and_axe_finds_nothing(report, width, scheme):
    report.emulate_media(color_scheme=scheme)
    report.set_viewport_size({"width": width, "height": 1000})
    report.wait_for_timeout(300)
    ARTIFACTS.mkdir(exist_ok=True)
    report.locator(SPECTRUM).screenshot(path=ARTIFACTS / f"spectrum-page-{scheme}-{width}.png")
    assert report.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    for image in report.locator(f"{SPECTRUM} img").all():
        assert image.evaluate("image => image.naturalWidth") > 0
        assert (
            "dark" not in scheme
            or "0f1318" in image.get_attribute("src")
            or "161b22" in image.get_attribute("src")
        )
    assert axe_violations(report, "html") == []


def test_a_spectrum_alone_is_a_page_too(page, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        view = nw.spectrum_view(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)), torch.randn(1, 4))
    page.goto(view.save_html(tmp_path / "alone.html").as_uri())
    page.wait_for_selector(f"{SPECTRUM}[data-layer='0'] img")
    page.locator(f"{SPECTRUM} .nbw-stage").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{SPECTRUM}[data-layer='2'] img")
    assert axe_violations(page, "html") == []
    assert page.problems == []
