"""Heatmaps in JupyterLab: from the Python assignment to pixels, bytes on the wire, frames.

Every widget is measured the same way in the same Lab: a cell makes it, a second cell assigns new values and notes the
time; the page notes when a probe pixel of the picture has changed. Software rendering: times are not a user's.
"""

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "browser"))

from jupyter_pages import CHROMIUM_FLAGS, LAB, Notebook, server, write_notebook
from playwright.sync_api import sync_playwright

# Lab caps what a cell may send; the peers need more than that.
UNCAPPED = "--ServerApp.iopub_data_rate_limit=1e12"

# Counts what really came over the socket, before any page code can.
COUNT_BYTES = """
window.__wire = 0;
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...all) {
    super(...all);
    this.addEventListener('message', (e) => { window.__wire += e.data.byteLength ?? e.data.size ?? e.data.length; });
  }
};
"""

MAKE = {
    "ours": """
import numpy as np, time, nbwidgets_nn as nw
from nbwidgets_nn.color_range import ColorRange
SIZE = {size}
def content(seed):
    values = np.random.default_rng(seed).uniform(-1, 1, (SIZE, SIZE)).astype(np.float32)
    values[:] = np.sign(seed - 1.5) * np.abs(values)
    return values
def panel(values):
    return nw.HeatmapContent("fc", (nw.MatrixPanel("m", "m", values, quantity="r", span=ColorRange(-1.0, 1.0, True)),))
w = nw.LinkedHeatmaps(panel(content(1)))
new = content(2)
def assign():
    start = time.time(); w.content = panel(new); return start
w
""",
    "plotly": """
import numpy as np, time, plotly.graph_objects as go
SIZE = {size}
def content(seed):
    values = np.random.default_rng(seed).uniform(-1, 1, (SIZE, SIZE)).astype(np.float32)
    return (np.sign(seed - 1.5) * np.abs(values)).astype(np.float32)
w = go.FigureWidget(go.Heatmap(z=content(1), zmin=-1, zmax=1, colorscale="RdBu"))
w.update_layout(width=600, height=600)
new = content(2)
def assign():
    start = time.time(); w.data[0].z = new; return start
w
""",
    "bqplot": """
import numpy as np, time, bqplot
SIZE = {size}
def content(seed):
    values = np.random.default_rng(seed).uniform(-1, 1, (SIZE, SIZE)).astype(np.float32)
    return (np.sign(seed - 1.5) * np.abs(values)).astype(np.float32)
scales = dict(x=bqplot.LinearScale(), y=bqplot.LinearScale(), color=bqplot.ColorScale(min=-1, max=1, scheme="RdBu"))
mark = bqplot.HeatMap(color=content(1), x=np.arange(SIZE), y=np.arange(SIZE), scales=scales)
w = bqplot.Figure(marks=[mark], animation_duration=0)
w.layout.width = w.layout.height = "600px"
new = content(2)
def assign():
    start = time.time(); mark.color = new; return start
w
""",
}

# What tells that a widget has drawn: a picture's source, or the pixels of its canvas.
PROBE = """
() => {
  const out = document.querySelector('.nbw-cells, .heatmaplayer image, .bqplot image');
  if (!out) return null;
  if (out instanceof HTMLCanvasElement) {
    const two = out.getContext('2d');
    if (two) return String([...two.getImageData(out.width / 2, out.height / 2, 1, 1).data]);
    const copy = document.createElement('canvas'); copy.width = copy.height = 1;
    copy.getContext('2d').drawImage(out, out.width / 2, out.height / 2, 1, 1, 0, 0, 1, 1);
    return String([...copy.getContext('2d').getImageData(0, 0, 1, 1).data]);
  }
  const source = out.getAttribute('href') ?? out.getAttributeNS('http://www.w3.org/1999/xlink', 'href') ?? '';
  return source.length + source.slice(-40);
}
"""

WATCH = f"""
() => {{
  const look = {PROBE}, before = look();
  window.__changed = null;
  const shown = () => {{ window.__changed = Date.now() / 1000; }};
  const tick = () => {{
    const now = look();
    // Two more frames: what was drawn has then been shown.
    if (now !== before && now !== null) requestAnimationFrame(() => requestAnimationFrame(shown));
    else requestAnimationFrame(tick);
  }};
  requestAnimationFrame(tick);
}}
"""


@contextlib.contextmanager
def lab():
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=system, args=CHROMIUM_FLAGS)
        with server(
            [*LAB, UNCAPPED, f"--ServerApp.root_dir={folder}"], Path(folder), alive="/api/status"
        ) as address:
            yield browser, address, Path(folder)
        browser.close()


def open_widget(browser, address, folder, name, size):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(240_000)
    page = context.new_page()
    page.add_init_script(COUNT_BYTES)
    path = folder / f"{name}{size}.ipynb"
    write_notebook(path, MAKE[name].format(size=size))
    notebook = Notebook(page, address, path)
    page.wait_for_function(f"() => ({PROBE})() !== null")
    page.wait_for_timeout(2000)
    return page, notebook


def assign(page, notebook) -> tuple[float, int]:
    page.evaluate(WATCH)
    before = page.evaluate("window.__wire")
    start = notebook.python("assign()")
    page.wait_for_function("window.__changed !== null")
    return page.evaluate("window.__changed") - start, page.evaluate("window.__wire") - before


def main_thread_ms(page, steps: int, act: str) -> float:
    """Return the main thread's busy time a step, while `act(k)` runs once a frame."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def busy() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    before = busy()
    page.evaluate(
        f"""(steps) => new Promise((done) => {{
        const act = {act};
        let k = 0;
        const tick = () => {{ if (k === steps) return done(); act(k++); requestAnimationFrame(tick); }};
        requestAnimationFrame(tick);
        }})""",
        steps,
    )
    return (busy() - before) / steps * 1000


PAN = """(k) => {
  const plot = document.querySelector('.nbw-plot'), box = plot.getBoundingClientRect();
  const at = (type) => plot.dispatchEvent(new PointerEvent(type, {bubbles: true, shiftKey: true, pointerId: 1, isPrimary: true,
    buttons: 1, button: type === 'pointermove' ? -1 : 0, clientX: box.x + 150 + 3 * (k % 40), clientY: box.y + 150 + 2 * (k % 40)}));
  if (k === 0) at('pointerdown');
  at('pointermove');
}"""


def ours(browser, address, folder, size):
    page, notebook = open_widget(browser, address, folder, "ours", size)
    first, wire = assign(page, notebook)
    zoom = page.locator("[data-matrix=m]").get_by_role("button", name="zoom in").first
    for _ in range(3):
        zoom.click()
    pan = main_thread_ms(page, 60, PAN)
    frame = float(page.locator(".nbw-linked-heatmaps").get_attribute("data-frame-ms"))
    page.context.close()
    return first, wire, pan, frame


def cut_drag_ms(browser, address, folder) -> float:
    """Return the script time of the slowest paint while the cut of 4,096 units is dragged."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(240_000)
    page = context.new_page()
    write_notebook(
        folder / "cut.ipynb",
        "import numpy as np, nbwidgets_nn as nw\n"
        "rng = np.random.default_rng(0)\n"
        "X = rng.normal(size=(600, 200)) @ rng.normal(size=(200, 4096)) * 0.3 + rng.normal(size=(600, 4096))\n"
        "r = nw.correlate(X.astype(np.float32))\n"
        "nw.LinkedHeatmaps(nw.HeatmapContent('fc', (nw.MatrixPanel('m', 'm', r.matrix),), nw.cluster_units(r)))",
    )
    Notebook(page, address, folder / "cut.ipynb")
    page.wait_for_selector(".nbw-linked-heatmaps[data-seq]")
    slider = page.locator("[role=slider]")
    slider.focus()
    slowest = 0.0
    for _ in range(20):
        seq = page.locator(".nbw-linked-heatmaps").get_attribute("data-seq")
        slider.press("ArrowLeft")
        page.wait_for_function(
            "old => document.querySelector('.nbw-linked-heatmaps').dataset.seq !== old", arg=seq
        )
        slowest = max(slowest, float(page.locator(".nbw-linked-heatmaps").get_attribute("data-frame-ms")))
    context.close()
    return slowest


def main() -> None:
    with lab() as (browser, address, folder):
        first, wire, pan, frame = ours(browser, address, folder, 1024)
        print(
            f"1,024 x 1,024 float32: {first:.2f} s to pixels (bound 0.5), {wire / 1e6:.2f} MB (1.1), pan step {pan:.1f} ms (16)",
            flush=True,
        )
        for peer in ("plotly", "bqplot"):
            page, notebook = open_widget(browser, address, folder, peer, 1024)
            theirs, bytes_ = assign(page, notebook)
            page.context.close()
            print(
                f"  {peer}: {theirs:.1f} s, {bytes_ / 1e6:.1f} MB: {theirs / first:.0f} times ours",
                flush=True,
            )
        first, wire, pan, frame = ours(browser, address, folder, 4096)
        print(
            f"4,096 x 4,096 float32: {first:.2f} s to pixels (bound 1.5), {wire / 1e6:.1f} MB, pan step {pan:.1f} ms, script {frame:.1f} ms (16)",
            flush=True,
        )
        print(
            f"cut dragged on 4,096 units: slowest paint {cut_drag_ms(browser, address, folder):.1f} ms (bound 50)"
        )


if __name__ == "__main__":
    main()
