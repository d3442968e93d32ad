"""Golden payloads: the synced state as Python makes it, which the TypeScript tests decode.

A change here is a change of the protocol between the twins: renew with ``pytest tests/widgets --renew-payloads`` and
change the TypeScript side in the same commit.
"""

import itertools
import json
from base64 import b64encode
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from nbwidgets_nn import (
    EdgeBundle,
    EdgeGraph,
    EdgeGraphContent,
    LayerPicker,
    LayerRow,
    LinkedHeatmaps,
    UnitColumn,
)
from nbwidgets_nn.results import Dendrogram
from nbwidgets_nn.widgets import selection
from nbwidgets_nn.widgets.heatmap_content import Columns, Fact, HeatmapContent, MatrixPanel
from nbwidgets_nn.widgets.saved_page import widget_state

PAYLOADS = Path(__file__).parent.parent / "payloads"


def layer_picker():
    rows = [
        LayerRow("input", "input", (1, 8, 8)),
        LayerRow("features.0", "Conv2d", (16, 8, 8), 160, 0.5),
        LayerRow("head", "Linear", (10,), 650, None, "ran twice"),
    ]
    return LayerPicker(
        rows, "features.0", title="Net", subtitle="3 samples", redundancy_title="share of the units"
    )


def linked_heatmaps():
    """Three units, the last one constant, written out by hand so that no BLAS can change a bit of it."""
    correlation = np.array([[1.0, 0.75, np.nan], [0.75, 1.0, np.nan], [np.nan, np.nan, np.nan]], np.float32)
    marks = np.ma.array(
        [[0.0, 0.5, np.inf], [-np.inf, np.nan, 7.0], [1.0, 2.0, -7.0]], mask=np.eye(3, dtype=bool)[:, ::-1]
    )
    tree = Dendrogram(
        linkage=np.array([[0.0, 1.0, 0.25, 2.0]]),
        order=np.array([1, 0, 2]),
        constant=np.array([2]),
        method="average",
        use_abs_correlation=True,
        samples=20,
    )
    panels = (
        MatrixPanel(
            "correlation",
            "Correlation of units",
            correlation,
            how="average linkage",
            quantity="r",
            samples=20,
        ),
        MatrixPanel(
            "marks",
            "Every mark",
            marks,
            unit="bits",
            columns=Columns("classes", ["a", "b", "c"]),
            note="3 of 9",
        ),
        MatrixPanel(
            "information",
            "Effective information",
            np.ma.array([[0.25, 0.5], [1.5, 0.75], [3.0, 2.0]], mask=[[0, 0], [0, 0], [1, 0]]),
            how="exact",
            unit="bits",
            columns=Columns("units of out", ["0", "4"], layer="out"),
            marginals=True,
        ),
    )
    widget = LinkedHeatmaps(
        HeatmapContent("fc", panels, tree, (Fact("rank", "1.2", "of 3", "why"),)), cut=0.5
    )
    widget.selection = [1]
    widget.job = {"title": "EI, fc → out", "state": "running", "text": "6 pairs", "done": 2, "total": 6}
    return widget


def empty_heatmaps():
    return LinkedHeatmaps(HeatmapContent("flatten", message="The layer returned no tensor."))


def edge_graph():
    """An image, two channels, two classes; a value of every kind, written out by hand."""
    image = np.array([[[[0.0, 1.0], [0.5, 0.25]]], [[[1.0, 1.0], [0.0, 0.0]]]])
    channels = np.array([[[[1.5]], [[-2.0]]], [[[np.nan]], [[np.inf]]]])
    values = channels[:, :, 0, 0]
    out = np.array([[2.5, -0.5], [np.nan, -np.inf]])
    columns = (
        UnitColumn("input", [[0.4375], [0.5]], kind="2 × 2 image", maps=image),
        UnitColumn(
            "relu", values, aliases=("conv", "relu"), kind="Conv2d, ReLU", maps=channels, order=[1, 0]
        ),
        UnitColumn("fc", out, kind="Linear", labels=["cat", "dog"]),
    )
    bundles = (
        EdgeBundle(
            "conv",
            0,
            1,
            [[3.0], [-1.0]],
            [[1.75], [2.0]],
            values,
            kind="Conv2d",
            contribution=[[[1.0], [-2.0]], [[np.nan], [np.inf]]],
            bias=[0.5, 0.0],
            weight_is="kernel sum",
        ),
        EdgeBundle(
            "fc",
            1,
            2,
            [2.0, 0.25, -1.0],
            values,
            out,
            kind="Linear",
            ends=[[0, 0], [1, 0], [0, 1]],
            total=4,
            note="3 of 4 edges: largest |weight|",
        ),
        EdgeBundle("skip", 0, 2, [1.0], [[0.4375], [0.5]], out, kind="addition", ends=[[0, 1]]),
    )
    content = EdgeGraphContent(
        columns, bundles, ("sample 3 · cat", "sample 8 · dog"), how="2 of 1,797 samples"
    )
    widget = EdgeGraph(content, sample=1, shown=4)
    widget.selection = ["conv:1"]
    widget.layer = "conv"
    widget.clusters = {"layer": "relu", "labels": [1, 1]}
    return widget


def empty_graph():
    return EdgeGraph(EdgeGraphContent(message="The network has no layer that mixes units."))


@pytest.mark.parametrize(
    "make", [layer_picker, linked_heatmaps, empty_heatmaps, edge_graph, empty_graph], ids=lambda f: f.__name__
)
def test_payload_is_what_the_other_side_decodes(make, renew_payloads, monkeypatch):
    monkeypatch.setattr(
        selection, "_WRITES", itertools.count(1)
    )  # what was selected in other tests counts too
    path = PAYLOADS / f"{make.__name__}.json"
    text = (
        json.dumps(bytes_as_text(widget_state(make())), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    )
    if renew_payloads:
        path.write_text(text)
    assert path.read_text() == text


def test_still_picture_says_what_the_golden_picture_says(renew_payloads):
    """The browser's picture of the same payload is compared with the same list: js/tests/core/picture.test.ts."""
    with mpl.rc_context({"svg.fonttype": "none"}):
        svg = ET.fromstring(linked_heatmaps().to_svg())
    words = sorted(
        text for node in svg.iter("{http://www.w3.org/2000/svg}text") if (text := "".join(node.itertext()))
    )
    path = PAYLOADS / "words" / "linked_heatmaps.json"
    if renew_payloads:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(words, indent=1, ensure_ascii=False) + "\n")
    assert words == json.loads(path.read_text())


def bytes_as_text(state):
    if isinstance(state, dict):
        if isinstance(state.get("data"), bytes):
            return {
                **{k: v for k, v in state.items() if k != "data"},
                "base64": b64encode(state["data"]).decode(),
            }
        return {key: bytes_as_text(value) for key, value in state.items()}
    return [bytes_as_text(value) for value in state] if isinstance(state, list | tuple) else state
