"""The first notebook as a Voila report: nothing is fetched from elsewhere, and the explorer is alive."""

import shutil
from pathlib import Path

import pytest
from jupyter_pages import server
from views import ARTIFACTS, pick, wait_painted

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_first_look.ipynb"


@pytest.fixture(scope="module")
def voila(tmp_path_factory):
    home = tmp_path_factory.mktemp("voila")
    shutil.copy(NOTEBOOK, home)
    with server(["voila", NOTEBOOK.name, "--no-browser"], home, alive="/voila/static/") as address:
        yield address


def test_report_is_interactive_and_needs_no_other_host(voila, page):
    page.set_default_timeout(120_000)
    page.goto(voila)
    wait_painted(page, layer="relu3")
    pick(page, "conv2")
    wait_painted(page, layer="conv2")
    # What is left of a bar that is gone: the place of a widget without its model.
    assert page.get_by_text("model not found").count() == 0
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "voila.png", full_page=True)
    # Voila's own template asks a CDN for two icon style sheets; what is ours asks nobody.
    foreign = {url for url in page.requested if not url.startswith((voila, "data:", "blob:"))}
    assert all("font-awesome" in url or "fontawesome" in url for url in foreign), foreign
