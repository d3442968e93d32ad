"""The saved file: opened from disk, without a kernel, without a network, and still alive."""

import pytest
import torch
from torch import nn
from views import ARTIFACTS, axe_violations, brush, chips, heatmaps, pick, pixels, wait_painted

import nbwidgets_nn as nw


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(8, 12), nn.Tanh(), nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 3))
        explorer = nw.explore(model, torch.randn(300, 8), layer="3", target=[k % 4 for k in range(300)])
    return explorer.save_html(tmp_path_factory.mktemp("saved") / "report.html")


@pytest.fixture
def report(saved, page):
    page.goto(saved.as_uri())
    wait_painted(page, layer="3")
    yield page
    assert [url for url in page.requested if not url.startswith(("data:", "blob:"))] == [saved.as_uri()]
    assert page.problems == []


def test_picks_another_layer_without_a_kernel(report):
    pick(report, "0")
    wait_painted(report, layer="0")


def test_brushing_links_the_panels(report):
    other = pixels(report, "profile", "nbw-overlay")
    brush(report, "correlation", (0.02, 0.02), (0.3, 0.18))
    report.wait_for_function("() => document.querySelectorAll('.nbw-chips button[data-name]').length > 1")
    report.mouse.move(5, 5)
    assert all(name.startswith("3:") for name in chips(report))
    assert pixels(report, "profile", "nbw-overlay") != other


def test_cut_reclusters(report):
    clusters = heatmaps(report).get_attribute("data-clusters")
    report.locator("[role=slider]").press("End")
    report.wait_for_function(
        "old => document.querySelector('.nbw-linked-heatmaps').dataset.clusters !== old", arg=clusters
    )


def test_zooms_and_hovers(report):
    before = pixels(report, "correlation")
    report.locator("[data-matrix=correlation]").get_by_role("button", name="zoom in").first.click()
    report.wait_for_function(
        "old => document.querySelector('[data-matrix=correlation] canvas.nbw-cells').toDataURL() !== old",
        arg=before,
    )
    report.locator("[data-matrix=correlation] .nbw-plot").hover()
    report.wait_for_function(
        "() => document.querySelector('[data-matrix=correlation] .nbw-readout').textContent.includes('r =')"
    )


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_downloads_a_picture(report, kind):
    with report.expect_download() as download:
        report.get_by_role("button", name=kind).first.click()
    data = download.value.path().read_bytes()
    assert data.startswith(b"\x89PNG" if kind == "PNG" else b"<svg")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1280])
def test_axe_finds_nothing_at_any_width_in_any_theme(report, scheme, width):
    report.emulate_media(color_scheme=scheme)
    report.set_viewport_size({"width": width, "height": 1000})
    report.wait_for_timeout(300)
    overflow = report.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    ARTIFACTS.mkdir(exist_ok=True)
    report.screenshot(path=ARTIFACTS / f"saved-{scheme}-{width}.png", full_page=True)
    assert overflow == 0
    assert axe_violations(report, "html") == []
