"""The causal plane: which points it shows, which layer is selected, and what it says about the rest."""

import doctest
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import traitlets

from nbwidgets_nn import CausalPlane
from nbwidgets_nn._themes import THEMES
from nbwidgets_nn.information_results import Bits, EIReport, LayerInformation
from nbwidgets_nn.widgets import causal_plane
from nbwidgets_nn.widgets._causal_style import STYLE
from nbwidgets_nn.widgets._panel_style import ACCENT, BRANCH, INK

NAN = float("nan")


def row(layer, sensitivity, parts, error=0.0, note=""):
    s, p, ei = Bits(sensitivity), Bits(parts, error), Bits(parts + 0.5, error)
    return LayerInformation(layer, 4, 5, s, ei, p, s - p, ei - p, note)


def report(*rows, bins=8, skipped=()):
    return EIReport(rows, bins, bins, 0, skipped)


@pytest.fixture
def trained():
    """Three checkpoints of two layers; fc2 has no number at the second, and starts with a negative degeneracy."""
    return [
        ("epoch 0", report(row("fc1", 1.0, 0.75), row("fc2", 0.0, 2.0))),
        ("epoch 8", report(row("fc1", 4.0, 1.0, 0.1), row("fc2", NAN, 1.5))),
        ("epoch 64", report(row("fc1", 20.0, 2.0, 0.3), row("fc2", 10.0, 1.0))),
    ]


@pytest.fixture
def plane(trained):
    return CausalPlane(trained)


def scatters(plane):
    """The scatters as the names of their points with x and y: later points, first ones, last ones."""
    return [
        dict(zip(mark.names.tolist(), zip(mark.x.tolist(), mark.y.tolist(), strict=True), strict=True))
        for mark, _ in plane._marks.points
    ]


def selected(plane):
    return {
        layers[i]
        for mark, layers in plane._marks.points
        for i in (() if mark.selected is None else mark.selected)
    }


def click(plane, scatter, index):
    """What the browser sends when a point is clicked."""
    mark, _ = plane._marks.points[scatter]
    mark._handle_custom_msgs(mark, {"event": "element_click", "data": {"index": index}})


def test_points_stand_at_sensitivity_and_degeneracy(plane):
    later, first, last = scatters(plane)
    assert first == {"fc1 · epoch 0": (1.0, 0.25), "fc2 · epoch 0": (0.0, -2.0)}
    assert later == {"fc1 · epoch 8": (4.0, 3.0)}
    assert last == {"fc1 · epoch 64": (20.0, 18.0), "fc2 · epoch 64": (10.0, 9.0)}


def test_a_line_joins_a_layers_checkpoints_in_their_order(plane):
    np.testing.assert_array_equal(plane._marks.lines["fc1"].x, [1, 4, 20])
    np.testing.assert_array_equal(
        plane._marks.lines["fc2"].y, [-2, 9]
    )  # over the checkpoint without a number


def test_one_report_gives_one_mark_a_layer_and_no_path():
    plane = CausalPlane(report(row("fc1", 20.0, 2.0), row("fc2", 10.0, 1.0)))
    assert scatters(plane) == [{"fc1": (20.0, 18.0), "fc2": (10.0, 9.0)}]
    assert plane._marks.lines == {}


@pytest.mark.parametrize(("of", "y"), [("degeneracy", 18.0), ("ei_parts", 2.0), ("ei", 2.5), ("phi", 0.5)])
def test_the_vertical_axis_shows_the_quantity_asked_for(of, y):
    plane = CausalPlane(report(row("fc1", 20.0, 2.0)), of=of)
    assert scatters(plane) == [{"fc1": (20.0, y)}]
    across, up = (axis.label for axis in plane.figure.axes)
    assert across == "sensitivity (bits)"
    assert up.lower().startswith(of.lower())
    assert up.endswith("(bits)")
    assert (plane.content.diagonal() is not None) == (of == "degeneracy")


def test_dict_and_list_of_checkpoints_are_the_same(trained):
    assert scatters(CausalPlane(dict(trained))) == scatters(CausalPlane(trained))


def test_checkpoints_may_be_numbers(trained):
    numbered = CausalPlane([(k, report) for k, (_, report) in enumerate(trained)])
    assert "fc1 · 2" in scatters(numbered)[-1]
    assert any("○ 0 → ● 2" in line for line in numbered.content.caption())


def test_equal_labels_keep_all_points(trained):
    same = CausalPlane([("x", report) for _, report in trained])
    assert sum(len(mark.x) for mark, _ in same._marks.points) == 5
    assert not any(mark.names_unique for mark, _ in same._marks.points)


def test_tooltips_hold_the_checkpoint_and_ei_parts(plane):
    later, layers = plane._marks.points[0]
    assert (later.names.tolist(), later.size.tolist(), layers) == (["fc1 · epoch 8"], [1.0], ["fc1"])
    assert later.tooltip.labels[-1] == "EI_parts, bits"
    assert "size" not in later.scales  # it travels only


def test_no_tooltip_says_a_number_twice(trained):
    labels = CausalPlane(trained, of="ei_parts")._marks.tooltip.labels
    assert labels == ["", "sensitivity, bits", "EI_parts, bits"]


@pytest.mark.parametrize(("scatter", "index", "layer"), [(0, 0, "fc1"), (1, 1, "fc2"), (2, 0, "fc1")])
def test_a_click_on_any_point_selects_its_layer(plane, scatter, index, layer):
    seen = []
    plane.observe(lambda change: seen.append(change.new), "layer")
    click(plane, scatter, index)
    assert seen == [layer]
    assert selected(plane) == {layer}


def test_the_selected_layer_alone_wears_the_accent(plane):
    plane.layer = "fc2"
    lines = {layer: line.colors for layer, line in plane._marks.lines.items()}
    assert lines == {"fc1": [BRANCH], "fc2": [ACCENT]}
    names = {
        name: color for mark in plane._marks.names for name, color in zip(mark.text, mark.colors, strict=True)
    }
    assert names == {"fc1": INK, "fc2": ACCENT}
    assert selected(plane) == {"fc2"}
    assert plane._marks.drop.visible
    np.testing.assert_array_equal([plane._marks.drop.x, plane._marks.drop.y], [[10, 10], [9, 10]])
    assert (
        "fc2 at epoch 64: sensitivity 10.0000 · degeneracy 9.0000 · EI_parts 1.0000 bits" in plane._head.value
    )


@pytest.mark.parametrize("layer", ["relu1", ""])
def test_a_layer_that_is_not_on_the_plane_leaves_none_selected(plane, layer):
    plane.layer = "fc1"
    plane.layer = layer
    assert selected(plane) == set()
    assert not plane._marks.drop.visible
    assert {line.colors[0] for line in plane._marks.lines.values()} == {BRANCH}
    assert ("relu1 is not on the plane" in plane._head.value) == (layer == "relu1")


def test_the_layer_given_is_selected_first(trained):
    assert selected(CausalPlane(trained, selected="fc2")) == {"fc2"}


class Explorer(traitlets.HasTraits):
    """Stands for the explorer, which refuses what is not a layer."""

    layer = traitlets.Enum(["fc1", "relu1", "fc2"], "relu1")


def test_linked_to_an_explorer_both_lead(plane):
    explorer = Explorer()
    traitlets.link((explorer, "layer"), (plane, "layer"))
    assert plane.layer == "relu1"
    click(plane, 2, 1)
    assert explorer.layer == "fc2"
    explorer.layer = "relu1"
    assert selected(plane) == set()


def test_error_bars_only_where_there_is_an_error(plane):
    bars = plane.content.error_bars()
    assert bars.shape == (2, 2, 2)  # fc1 at the second and third checkpoint; its sensitivity is exact
    np.testing.assert_allclose(np.ptp(bars, axis=1), [[0, 0.2], [0, 0.6]])
    assert any("± 1 standard error, at most 0.3 bits" in line for line in plane.content.caption())
    exact = CausalPlane(report(row("fc1", 20.0, 2.0)))
    assert len(exact.content.error_bars()) == 0
    assert not any("standard error" in line for line in exact.content.caption())


@pytest.mark.parametrize(
    ("of", "parts", "error", "said"),
    [
        ("degeneracy", 2.0, 0.0, True),
        ("degeneracy", 2.0, 0.3, True),
        ("degeneracy", 2.0, 0.5, False),  # within chance
        ("degeneracy", 1.0, 0.0, False),
        ("phi", 2.0, 0.0, False),
    ],
)
def test_a_negative_degeneracy_is_explained(of, parts, error, said):
    plane = CausalPlane(report(row("fc1", 1.0, parts, error)), of=of)
    assert ("EI_parts exceeds the sensitivity" in plane.children[-1].value) == said


def test_what_is_left_out_is_said(trained):
    none = row("pool", NAN, NAN, note="inputs of a maximum depend on each other")
    reports = [
        (label, report(*old.rows, none, skipped=(("embed", "integer inputs"),))) for label, old in trained
    ]
    plane = CausalPlane(reports)
    assert plane.content.path("pool") is None
    assert plane.content.left_out == (
        "fc2: 1 of 3 checkpoints without numbers",
        "pool: inputs of a maximum depend on each other",
        "embed: integer inputs",
    )
    assert "not on the plane: fc2: 1 of 3" in plane.children[-1].value


def test_a_report_without_numbers_shows_an_empty_plane_that_says_why():
    plane = CausalPlane(report(row("pool", NAN, NAN, note="no numbers here")))
    assert plane._marks.points == []
    assert "no numbers here" in plane.children[-1].value
    assert plane.to_png()


@pytest.mark.parametrize("of", ["degeneracy", "phi"])
def test_both_axes_hold_zero_and_every_point_with_its_bar(trained, of):
    content = CausalPlane(trained, of=of).content
    (left, right), (bottom, top) = content.limits()
    points = np.concatenate(
        [np.zeros((1, 2)), *(path.points for path in content.paths), *content.error_bars()]
    )
    assert ((points > [left, bottom]) & (points < [right, top])).all()
    if of == "degeneracy":
        assert right == pytest.approx(top, rel=0.02)


@pytest.mark.parametrize(
    ("reports", "error", "says"),
    [
        (None, TypeError, "reports: expected an EIReport, or a dict or list of .*, got NoneType"),
        ("model", TypeError, "got str. Try: ei_report"),
        ([], ValueError, "at least one EIReport, got an empty list"),
        ({}, ValueError, "at least one EIReport"),
        ([report(row("fc", 1, 1))], TypeError, r"without labels. Try: list\(enumerate\(reports\)\)"),
        ([("epoch 0", 3)], TypeError, r"got \('epoch 0', 3\) among them"),
        ([(0, report(bins=8)), (1, report(bins=64))], ValueError, "same bins, got 8 × 8 and 64 × 64"),
    ],
)
def test_bad_reports_are_refused_with_advice(reports, error, says):
    with pytest.raises(error, match=says):
        CausalPlane(reports)


def test_unknown_quantity_is_refused_with_those_there_are(trained):
    with pytest.raises(
        ValueError, match="of: expected 'degeneracy' or 'ei_parts' or 'ei' or 'phi', got 'entropy'"
    ):
        CausalPlane(trained, of="entropy")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_are_png_and_svg_in_both_themes(plane, tmp_path, theme):
    plane.layer = "fc1"
    path = tmp_path / "plane.png"
    assert plane.to_png(path, theme=theme, dpi=50) == path
    assert path.read_bytes().startswith(b"\x89PNG")
    svg = plane.to_svg(theme=theme)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert THEMES[theme].accent in svg
    plane.layer = ""
    assert THEMES[theme].accent not in plane.to_svg(theme=theme)


def test_unknown_theme_is_refused(plane):
    with pytest.raises(ValueError, match='theme must be "light" or "dark"'):
        plane.to_png(theme="sepia")


def test_still_picture_stands_beside_the_widget(plane):
    shown = plane._repr_mimebundle_()
    data = shown[0] if isinstance(shown, tuple) else shown
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"].startswith("<img")
    assert 'alt="Causal plane: fc1, fc2"' in data["text/html"]


def test_names_are_escaped(trained):
    plane = CausalPlane(trained, title="<b>net</b>", selected="<script>")
    assert "&lt;b&gt;net" in plane._head.value
    assert "&lt;script&gt; is not on the plane" in plane._head.value
    assert "<script>" not in plane._head.value + plane.static_html()


def test_colours_are_those_of_all_views():
    for theme in THEMES.values():
        for token in ("paper", "ink", "muted", "branch", "faint", "accent"):
            assert f"--nbw-{token}:{getattr(theme, token)}" in STYLE


def test_style_reaches_nothing_else():
    rules = re.sub(r"</?style>|@media[^{]*\{|:not\([^)]*\)", "", STYLE)
    selectors = [one for part in re.findall(r"([^{}]+)\{", rules) for one in part.split(",")]
    assert len(selectors) > 10
    assert all(".nbw-causal-plane" in selector for selector in selectors)


def test_closing_closes_the_parts(plane):
    parts = [plane, plane.figure, *plane._marks.all, *plane.figure.axes, *plane._marks.scales.values()]
    plane.close()
    assert {part.comm for part in parts} == {None}
    plane.close()  # closing again does nothing


def test_repr_is_short(plane):
    assert repr(plane) == "CausalPlane(2 layers, 3 checkpoints, layer='')"


def test_unknown_keyword_is_refused(trained):
    with pytest.raises(TypeError, match="colour"):
        CausalPlane(trained, colour="red")


def test_the_example_runs():
    assert doctest.testmod(causal_plane) == (0, 3)
