"""The widget's traits, messages and fallbacks, without a browser."""

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from nbwidgets_nn import LinkedHeatmaps
from nbwidgets_nn.widgets._array_trait import pack
from nbwidgets_nn.widgets.heatmap_content import Columns, HeatmapContent, MatrixPanel


@pytest.fixture
def heatmaps(content):
    return LinkedHeatmaps(content)


@pytest.fixture
def layered():
    columns = Columns("units of out", ["0", "4", "7"], layer="out")
    panel = MatrixPanel("ei", "EI", np.eye(3), unit="bits", columns=columns, marginals=True)
    return LinkedHeatmaps(HeatmapContent("fc", (panel,)))


@pytest.fixture
def sent(heatmaps, monkeypatch):
    messages = []
    monkeypatch.setattr(LinkedHeatmaps, "send", lambda self, message, buffers=None: messages.append(message))
    return messages


def test_selection_may_be_set_by_index_and_is_read_by_name(heatmaps):
    heatmaps.selection = [4, 1]
    assert heatmaps.selection.units == ("features.0:4", "features.0:1")
    assert heatmaps.get_state("selection")["selection"]["units"] == ["features.0:4", "features.0:1"]


def test_selection_from_the_browser_arrives(heatmaps):
    seen = []
    heatmaps.observe(lambda change: seen.append(change.new), "selection")
    heatmaps.set_state(
        {"selection": {"layer": "features.0", "units": ["features.0:2"], "kind": "units", "source": "v1"}}
    )
    assert seen[-1].indices == (2,)
    assert seen[-1].source == "v1"


def test_unit_that_is_not_there_is_named(heatmaps):
    with pytest.raises(ValueError, match=r"shows 6 units; \['features.0:77'\] are not among them"):
        heatmaps.selection = [77]


def test_units_of_a_panels_columns_are_selected_by_name(layered):
    layered.selection = ["out:4", "out:7"]
    assert layered.selection.layer == "out"
    assert layered.selection.indices == (4, 7)
    layered.selection = ["elsewhere:99"]  # neither rows nor columns: another view may show it
    assert layered.selection.layer == "elsewhere"


def test_unit_that_the_columns_do_not_have_is_named(layered):
    with pytest.raises(ValueError, match=r"layer 'out' shows 3 units; \['out:5'\] are not among them"):
        layered.selection = ["out:4", "out:5"]


def test_a_layer_in_rows_and_columns_has_the_units_of_both(layered):
    columns = Columns("units of fc", ["7", "8"], layer="fc")
    panel = MatrixPanel("w", "w", np.zeros((2, 2)), columns=columns)
    layered.content = HeatmapContent("fc", (panel,))
    layered.selection = [0, 1, 7, 8]
    with pytest.raises(ValueError, match=r"shows 4 units; \['fc:2'\]"):
        layered.selection = [2]


def test_views_may_keep_units_of_an_earlier_content(layered):
    layered.set_state({"selection": {"layer": "out", "units": ["out:4", "out:5"], "source": "view-1"}})
    assert layered.selection.indices == (4, 5)


@pytest.mark.parametrize("cut", [-0.1, 1.1, float("nan"), float("inf")])
def test_cut_must_be_a_finite_height(heatmaps, cut):
    with pytest.raises(ValueError, match=r"cut must be a height in \[0, 1\]"):
        heatmaps.cut = cut


def test_cut_dragged_beyond_the_distance_stops_at_its_end(heatmaps):
    heatmaps.set_state({"cut": 1.4})
    assert heatmaps.cut == 1.0


def test_view_gets_exact_values(heatmaps, sent):
    heatmaps._receive(
        heatmaps, {"type": "exact", "request": 5, "matrix": "correlation", "row": 0, "column": 1}, []
    )
    assert sent == [{"type": "exact", "request": 5, "value": heatmaps.content.exact("correlation", 0, 1)}]


def test_non_finite_answers_are_json(heatmaps, sent):
    row = int(np.flatnonzero(heatmaps.content.order == 0)[0])
    heatmaps._receive(
        heatmaps, {"type": "exact", "request": 5, "matrix": "marks", "row": row, "column": 2}, []
    )
    assert json.loads(json.dumps(sent, allow_nan=False))[0]["value"] == "nan"


@pytest.mark.parametrize(
    "question",
    [{"matrix": "nope", "row": 0, "column": 0}, {"matrix": "correlation", "row": 99, "column": 0}, {}],
)
def test_bad_question_gets_an_error_for_an_answer(heatmaps, sent, question):
    heatmaps._receive(heatmaps, {"type": "exact", "request": 6, **question}, [])
    assert [(m["type"], m["request"]) for m in sent] == [("error", 6)]


def test_repr_is_short_and_holds_no_data(heatmaps):
    assert repr(heatmaps) == "LinkedHeatmaps(layer='features.0', correlation (6, 6), marks (6, 3))"


def test_unknown_keyword_is_refused(content):
    with pytest.raises(TypeError, match="colour"):
        LinkedHeatmaps(content, colour="red")


def test_mimebundle_has_a_still_picture_beside_the_widget(heatmaps):
    data = heatmaps._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"].count("data:image/png;base64,") == 2


def test_state_goes_through_the_widget_protocol_as_bytes(heatmaps):
    state = heatmaps.get_state("content")["content"]
    assert isinstance(state["matrices"][0]["values"]["data"], bytes)
    assert state["matrices"][0]["values"]["shape"] == [6, 6]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_png_and_svg_are_pictures_of_the_content(heatmaps, tmp_path, theme):
    png = heatmaps.to_png(theme=theme)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    path = heatmaps.to_png(tmp_path / "a.png", theme=theme)  # not the bytes: a notebook would print them
    assert path == tmp_path / "a.png"
    assert path.read_bytes() == png
    text = heatmaps.to_svg(theme=theme)
    assert ET.fromstring(text).tag.endswith("svg")


def test_picture_changes_with_cut_and_selection(heatmaps):
    plain = heatmaps.to_png()
    heatmaps.selection = [2]
    chosen = heatmaps.to_png()
    heatmaps.cut = 0.05
    assert len({plain, chosen, heatmaps.to_png()}) == 3


def test_unknown_theme_and_empty_content_are_refused(heatmaps):
    with pytest.raises(ValueError, match='theme must be "light" or "dark", but \'blue\' came'):
        heatmaps.to_png(theme="blue")
    with pytest.raises(ValueError, match="nothing to draw for layer 'x': why"):
        LinkedHeatmaps(HeatmapContent("x", message="why")).to_png()


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.eye(2, dtype=complex), TypeError, "must be real numbers, but an array of complex128"),
        (np.full((2, 2), 2**60), ValueError, r"int64 beyond 2\^53 would be rounded"),
    ],
)
def test_values_a_browser_cannot_hold_are_refused(values, error, message):
    with pytest.raises(error, match=message):
        pack({"values": values})


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint16", "bool"])
def test_no_dtype_changes_a_value_on_the_way(dtype):
    largest = {"int64": 2**53 - 1, "uint16": 2**16 - 1, "float64": 1 + 2**-52}.get(dtype, 1)
    values = np.array([[0, largest], [1, 0]], dtype)
    packed = pack(values)
    back = np.frombuffer(packed["data"], packed["dtype"]).reshape(packed["shape"])
    assert np.array_equal(back, values)


def test_a_job_has_every_field_and_goes_out_alone(heatmaps):
    heatmaps.job = {"title": "EI", "state": "running", "done": np.int64(3), "total": 12}
    assert heatmaps.job == {"title": "EI", "state": "running", "text": "", "done": 3, "total": 12}
    assert json.loads(json.dumps(heatmaps.get_state("job")["job"])) == heatmaps.job
    heatmaps.job = None
    assert heatmaps.get_state("job") == {"job": None}


@pytest.mark.parametrize(
    ("job", "error", "message"),
    [
        (
            {"state": "done"},
            ValueError,
            "state must be one of offered, running, cancelled, failed, but 'done'",
        ),
        (
            {"progress": 3},
            ValueError,
            r"job may hold title, state, text, done, total, but \['progress'\] came",
        ),
        ({"done": 5, "total": 3}, ValueError, "done between 0 and total, but done=5 and total=3 came"),
        ({"done": -1}, ValueError, "done between 0 and total"),
        ({"done": 0.5, "total": 1}, TypeError, "float"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(heatmaps, job, error, message):
    with pytest.raises(error, match=message):
        heatmaps.job = job


def test_a_job_of_unknown_length_may_count_its_steps(heatmaps):
    heatmaps.job = {"title": "EI", "state": "running", "done": 7}
    assert (heatmaps.job["done"], heatmaps.job["total"]) == (7, 0)


def test_the_button_of_a_job_calls_back_until_let_go(heatmaps):
    asked = []
    heatmaps.on_job(asked.append)
    for action in ("start", "cancel", "explode"):
        heatmaps._handle_custom_msg({"type": "job", "action": action}, [])
    assert asked == ["start", "cancel"]
    heatmaps.on_job(asked.append, remove=True)
    heatmaps._handle_custom_msg({"type": "job", "action": "start"}, [])
    assert asked == ["start", "cancel"]


def test_a_message_of_another_kind_is_left_alone(heatmaps, sent):
    heatmaps._handle_custom_msg({"type": "anything"}, [])
    assert sent == []
