"""A real Chromium, a real JupyterLab and a real Voila for the tests that need them: one of each a session."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, sync_playwright

ARTIFACTS = Path(__file__).parent / "artifacts"
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
# No background traffic, software GL, and a resolver that knows nothing but this machine: a page that needs the
# network fails here.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


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
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.requested, page.problems = [], []
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    if getattr(request.node, "failed", False):
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"{request.node.name}.png")
    context.close()


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
    arguments = [
        "jupyterlab",
        "--no-browser",
        f"--ServerApp.root_dir={work}",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.news_url=None",
        "--ServerApp.port_retries=0",
    ]
    with server(arguments, work, alive="/api/status") as address:
        yield address


@contextmanager
def server(arguments: list[str], home: Path, *, alive: str):
    """Run a Jupyter server in a process group and folders of its own until the block is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {
        name: str(home / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    environment = {**os.environ, **folders, "HOME": str(home), "PYTHONWARNINGS": "ignore"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    with (home / f"server-{port}.log").open("w") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                *arguments,
                f"--port={port}",
                *(["--allow-root"] if arguments[0] == "jupyterlab" else []),
            ],
            cwd=home,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_until_alive(process, f"http://127.0.0.1:{port}{alive}", Path(log.name))
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def _wait_until_alive(process: subprocess.Popen, url: str, log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"{url} did not come up:\n{log.read_text()[-3000:]}")


def write_notebook(path: Path, *cells: str) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, path)


class Notebook:
    """One notebook open in JupyterLab: run its cells, and run more code in its kernel."""

    def __init__(self, page: Page, lab: str, path: Path):
        self.page = page
        page.goto(f"{lab}/doc/tree/{path.name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel"
        )
        # The promise settles when the cells have run; nothing but a timer would end a wait on a dialog.
        self._race("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def python(self, expression: str):
        """Evaluate an expression in the kernel and return it, through JSON."""
        code = f"import json as _json; print(_json.dumps({expression}))"
        text = self._race(_RUN_IN_KERNEL % json.dumps(code))
        return json.loads(text)

    def execute(self, statement: str) -> None:
        self._race(_RUN_IN_KERNEL % json.dumps(statement + "\nprint('done')"))

    def _race(self, promise: str):
        timer = "new Promise((_, no) => setTimeout(() => no(new Error('timed out')), 90000))"
        return self.page.evaluate(f"() => Promise.race([{promise}, {timer}])")


_RUN_IN_KERNEL = """(async () => {
  const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  let text = '', problem = null;
  const future = kernel.requestExecute({code: %s, store_history: false});
  future.onIOPub = (message) => {
    if (message.header.msg_type === 'stream' && message.content.name === 'stdout') text += message.content.text;
    if (message.header.msg_type === 'error') problem = message.content.evalue;
  };
  await future.done;
  if (problem !== null) throw new Error(problem);
  return text;
})()"""


@pytest.fixture
def notebook(page, lab, work, request):
    """A function that writes a notebook of some cells, opens it in Lab and runs it."""

    def open_notebook(*cells: str) -> Notebook:
        path = work / f"{request.node.name.split('[')[0]}.ipynb"
        write_notebook(path, *cells)
        return Notebook(page, lab, path)

    return open_notebook


def axe_violations(page: Page, root: str = ".nbw") -> list[str]:
    """Run axe on the part of a page that is ours and name what it finds."""
    page.evaluate(AXE.read_text())
    result = page.evaluate("root => axe.run(root)", root)
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:200]} {v['nodes'][0]['failureSummary'][:300]}"
        for v in result["violations"]
    ]
