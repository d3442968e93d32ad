"""The page is written whole or not at all, and nothing in a name can break out of it."""

import gzip
import json
import os
import re
from base64 import b64decode
from pathlib import Path

import pytest
from graph_cases import small

from nbwidgets_nn import EdgeGraph, HeatmapContent, LinkedHeatmaps, MatrixPanel
from nbwidgets_nn.widgets._array_trait import pack
from nbwidgets_nn.widgets.saved_page import widget_state, write_page

HOSTILE = "</script><script>alert(1)</script><!--"


def state_of(path):
    text = path.read_text("utf-8")
    found = re.search(r'<script type="application/json" id="nbw-state">(.*?)</script>', text, re.DOTALL)
    return json.loads(found.group(1))


def test_state_round_trips_with_arrays_compressed(tmp_path):
    import numpy as np

    values = np.arange(1000, dtype=np.float32)
    widgets = [{"name": "w", "kind": "k", "state": pack({"values": values})}]
    path = write_page(tmp_path / "a.html", title="t", widgets=widgets, answers={})
    stored = state_of(path)["widgets"][0]["state"]["values"]
    assert np.array_equal(np.frombuffer(gzip.decompress(b64decode(stored["gzip"])), stored["dtype"]), values)
    assert stored["shape"] == [1000]


def test_hostile_names_stay_text(tmp_path):
    path = write_page(tmp_path / "a.html", title=HOSTILE, widgets=[{"name": HOSTILE}], answers={})
    assert "<script>alert" not in path.read_text("utf-8")
    assert state_of(path)["title"] == HOSTILE


def test_page_names_no_address_outside_itself(tmp_path):
    text = write_page(tmp_path / "a.html", title="t", widgets=[], answers={}).read_text("utf-8")
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    fetched = re.findall(r"\s(?:src|href)=[\"']?(?!data:)[^\"' >]+", markup) + re.findall(
        r"url\((?!data:)|@import", style
    )
    assert fetched == []


@pytest.mark.parametrize(
    ("name", "why"), [("no/such/folder/a.html", "does not exist"), ("", "it is a folder")]
)
def test_unwritable_path_is_named(tmp_path, name, why):
    with pytest.raises(OSError, match=f"cannot be written: .*{why}"):
        write_page(tmp_path / name, title="t", widgets=[], answers={})


def test_a_device_or_pipe_is_never_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="it is not a regular file"):
        write_page(pipe, title="t", widgets=[], answers={})
    assert pipe.is_fifo()


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.html"
    path.write_text("old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_page(path, title="t", widgets=[], answers={})
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]
    assert path.read_text() == "old"


def heatmaps():
    return LinkedHeatmaps(HeatmapContent("fc", (MatrixPanel("r", "r", [[1.0, 0.5], [0.5, 1.0]]),)))


@pytest.mark.parametrize(
    ("make", "kind", "title"),
    [(lambda: EdgeGraph(small()), "edge_graph", "Edges"), (heatmaps, "linked_heatmaps", "fc")],
)
def test_a_widget_can_be_a_page_of_its_own(make, kind, title, tmp_path):
    widget = make()
    path = widget.save_html(tmp_path / "a.html")
    state = state_of(path)
    assert (path.name, state["title"], state["links"], state["answers"]) == ("a.html", title, [], {})
    (saved,) = state["widgets"]
    assert (saved["kind"], set(saved["state"])) == (kind, set(widget_state(widget)))
    assert kind in Path(__file__).parents[2].joinpath("js/src/widgets/saved_page.ts").read_text()
    assert state_of(widget.save_html(path, title="mine"))["title"] == "mine"
