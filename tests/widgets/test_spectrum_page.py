"""The spectrum on a saved page: a picture of every layer for light and dark pages, and each unit's place in it."""

import gzip
import json
import re
from base64 import b64decode
from io import BytesIO
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from nbwidgets_nn import SpectrumContent, SpectrumView
from nbwidgets_nn._themes import THEMES
from nbwidgets_nn.figures import spectrum_page as figures
from nbwidgets_nn.figures.spectrum_page import overview_picture, panel_pictures
from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumLayer
from nbwidgets_nn.widgets.spectrum_page import page_contents, unit_words

LAYERS = (
    SpectrumLayer("input", "input", (1, 3, 3), 0),
    SpectrumLayer("conv", "Conv2d", (4, 2, 2), 0),
    SpectrumLayer("fc", "Linear", (5,), 0),
)
VALUES = np.random.default_rng(0).normal(size=(1, 30))
WAVES = Spectrum("laplacian", VALUES, frequencies=np.arange(30.0))


@pytest.fixture
def view():
    spectra = (Spectrum("standard", 2 * VALUES, "what a <b> is", ("take care",)), WAVES)
    view = SpectrumView(SpectrumContent(LAYERS, VALUES, spectra), touch=lambda *_: np.ones(30))
    yield view
    view.close()


def read(packed):
    values = np.frombuffer(gzip.decompress(b64decode(packed["gzip"])), packed["dtype"])
    return values.reshape(packed["shape"])


def state_of(path):
    found = re.search(r'id="nbw-state">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    return json.loads(found.group(1))


def test_the_page_holds_every_layer_in_both_themes(view, tmp_path):
    view.selection = ["fc:1", "fc:2"]
    path = view.save_html(tmp_path / "page.html", title="mine")
    state = state_of(path)
    assert state["title"] == "mine"
    answers = state["answers"]["spectrum.layer"]
    assert list(answers) == ["input", "conv", "fc"]
    for layer in LAYERS:
        content = answers[layer.name]["spectrum"]["content"]
        assert [panel["title"] for panel in content["panels"]] == ["Activations", "Coefficients"]
        assert len(content["units"]) == layer.units
        for panel in content["panels"]:
            assert read(panel["boxes"]).shape == (layer.units, 4)
            for theme, file in panel["files"].items():
                text = read(file).tobytes().decode()
                assert ET.fromstring(text).tag.endswith("svg")
                assert THEMES[theme].paper in text
                assert THEMES[theme].accent not in text  # marks are made on the page
    (widget,) = state["widgets"]
    assert widget["state"]["selection"]["units"] == ["fc:1", "fc:2"]
    assert widget["state"]["layer"] == view.layer
    assert widget["state"]["head"]["words"][1:] == ["what a <b> is", "take care"]
    assert "<b> is" not in path.read_text("utf-8")


@pytest.mark.parametrize(("layer", "first", "second"), [("conv", 8, 3), ("input", 4, 0), ("fc", 3, 1)])
def test_each_box_is_where_its_unit_is_drawn(monkeypatch, layer, first, second):
    monkeypatch.setattr(figures, "file_bytes", lambda figure, *_: _dots(figure))
    drawn = []
    for lit in (first, second):
        values = np.zeros((1, 30))
        content = SpectrumContent(LAYERS, values, (Spectrum("standard", values),))
        content.of_layer(values, layer)[0, lit] = 1.0
        picture = panel_pictures(SpectrumView(content, layer=layer, scale="layerscale").state())[0]
        drawn.append(np.array(Image.open(BytesIO(picture["files"]["light"].tobytes())).convert("RGB"), int))
    rows, columns = np.nonzero((drawn[0] != drawn[1]).any(axis=2))
    down, across = (rows + 0.5) / len(drawn[0]), (columns + 0.5) / drawn[0].shape[1]
    x, y = 2 / drawn[0].shape[1], 2 / len(drawn[0])  # a line around a bar
    inside = []
    for lit in (first, second):
        left, top, right, bottom = picture["boxes"][content.layer(layer).unit_of(lit)]
        beside, level = (left - x < across) & (across < right + x), (top - y < down) & (down < bottom + y)
        inside.append(beside & level)
    assert (inside[0] | inside[1]).all()
    assert (inside[0] & ~inside[1]).any()
    assert (inside[1] & ~inside[0]).any()


def _dots(figure):
    file = BytesIO()
    figure.savefig(file, format="png", dpi=96)
    return file.getvalue()


def test_the_boxes_of_the_overview_stand_side_by_side_above_the_names(view):
    picture = overview_picture(view.state())
    boxes = picture["boxes"]
    assert boxes.shape == (3, 4)
    np.testing.assert_allclose(boxes[1:, 0], boxes[:-1, 2], atol=1e-6)
    assert (boxes[:, 1] < boxes[:, 3]).all()
    assert "conv" in picture["alt"]


def test_a_unit_is_read_with_its_numbers(view):
    view.layer = "fc"
    assert unit_words(view.state())[
        2
    ] == f"activation {VALUES[0, 27]:.3g} · coefficient {2 * VALUES[0, 27]:.3g}".replace("-", "−")
    view.layer = "conv"
    low, high = VALUES[0, 13:17].min(), VALUES[0, 13:17].max()
    said = unit_words(view.state())[1].replace("−", "-")
    assert said.startswith("4 numbers · activations ")
    assert [float(word) for word in re.findall(r"-?\d+\.\d+", said)] == pytest.approx(
        [low, high, 2 * low, 2 * high], rel=1e-2
    )


def test_frequencies_have_no_boxes_and_the_part_at_one_has(view):
    view.type, view.layer = "laplacian", "fc"
    view.picked = 4
    activations, spectrum, part = panel_pictures(view.state())
    assert (len(activations["boxes"]), len(spectrum["boxes"]), len(part["boxes"])) == (5, 0, 5)
    assert unit_words(view.state())[0].endswith("part at this frequency 1")
    assert [name for name, _ in page_contents(view.state())] == ["input", "conv", "fc"]


def test_an_unwritable_path_leaves_nothing(view, tmp_path):
    with pytest.raises(OSError, match="cannot be written"):
        view.save_html(tmp_path / "no" / "page.html")
    assert list(tmp_path.iterdir()) == []
