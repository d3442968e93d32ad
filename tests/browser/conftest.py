"""A real Chromium and a real JupyterLab for the tests that need them: one of each a session."""

import shutil
from contextlib import contextmanager

import pytest
from jupyter_pages import CHROMIUM_FLAGS, LAB, server
from playwright.sync_api import sync_playwright
from views import ARTIFACTS


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=system, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, request):
    """A page of its own, 1280 px wide; its requests and errors are collected, a failure leaves a screenshot."""
    with open_page(browser) as page:
        yield page
        keep_if_failed(page, request.node)


@contextmanager
def open_page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.requested, page.problems = [], []
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    context.close()


def keep_if_failed(page, test):
    if getattr(test, "failed", False):
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"{test.name}.png")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed
    return report


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("jupyter")


@pytest.fixture(scope="session")
def lab(work):
    """The address of a JupyterLab whose folder is ``work``."""
    with server([*LAB, f"--ServerApp.root_dir={work}"], work, alive="/api/status") as address:
        yield address
