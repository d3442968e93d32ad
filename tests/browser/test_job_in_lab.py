"""A job in a real JupyterLab: its card, its button, its progress, while the matrices stay as they are."""

import pytest
from conftest import keep_if_failed, open_page
from jupyter_pages import Notebook, write_notebook
from views import ARTIFACTS, axe_violations, heatmaps, wait_painted

SHOW = """
import numpy as np
import nbwidgets_nn as nw
heatmaps = nw.LinkedHeatmaps(nw.HeatmapContent('fc', (nw.MatrixPanel('r', 'Correlation', np.eye(12), quantity='r'),)))
asked = []
def answer(action):
    asked.append(action)
    heatmaps.job = {**heatmaps.job, 'state': 'running' if action == 'start' else 'cancelled', 'done': 0}
heatmaps.on_job(answer)
heatmaps.job = {'title': 'Effective information, fc → out', 'state': 'offered', 'text': '144 pairs', 'total': 12}
"""


@pytest.fixture(scope="module")
def opened(browser, lab, work):
    path = work / "job.ipynb"
    write_notebook(path, SHOW, "heatmaps")
    with open_page(browser) as page:
        opened = Notebook(page, lab, path)
        wait_painted(page, layer="fc")
        yield opened


def test_button_starts_and_cancels_and_progress_repaints_only_the_card(opened, request):
    page = opened.page
    card = page.locator(".nbw-job")
    painted = wait_painted(page)
    card.get_by_role("button", name="compute").click()
    page.wait_for_selector(".nbw-job[data-state=running]")
    opened.execute("heatmaps.job = {**heatmaps.job, 'done': 5, 'text': 'about 3 s left'}")
    page.wait_for_selector(".nbw-job [role=progressbar][aria-valuenow='5']")
    assert "5 of 12" in card.inner_text()
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "job.png")
    assert axe_violations(page, ".nbw-linked-heatmaps") == []
    card.get_by_role("button", name="cancel").click()
    page.wait_for_selector(".nbw-job[data-state=cancelled]")
    assert opened.python("asked") == ["start", "cancel"]
    assert int(heatmaps(page).get_attribute("data-seq")) == painted
    opened.execute("heatmaps.job = None")
    page.wait_for_selector(".nbw-job", state="detached")
    keep_if_failed(page, request.node)
    assert page.problems == []
