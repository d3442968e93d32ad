"""Jupyter servers of our own, and notebooks open in a real browser."""

import json
import os
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
from playwright.sync_api import Page

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

LAB = [
    "jupyterlab",
    "--no-browser",
    "--IdentityProvider.token=",
    "--ServerApp.disable_check_xsrf=True",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.extension_manager=readonly",
    "--LabApp.news_url=None",
    "--ServerApp.port_retries=0",
]


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
        except urllib.error.HTTPError:
            return  # it answers; what it says of this very address does not matter
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


def show_theme(page: Page, name: str) -> None:
    """Turn JupyterLab "Light" or "Dark"."""
    page.evaluate(
        "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})",
        f"JupyterLab {name}",
    )
    page.wait_for_function("dark => document.body.dataset.jpThemeLight === String(!dark)", arg=name == "Dark")


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
