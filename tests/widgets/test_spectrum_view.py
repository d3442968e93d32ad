"""The spectrum: what a click picks, what is shown of it, and how selection and choices lead from one part to the others."""

import re
from io import BytesIO
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import traitlets
from PIL import Image

from nbwidgets_nn import Selection, SpectrumContent, SpectrumView
from nbwidgets_nn._themes import THEMES
from nbwidgets_nn.color_range import SCALES, choose_range, encode
from nbwidgets_nn.colormaps import color_table
from nbwidgets_nn.widgets._panel_style import ACCENT, INK, SUM
from nbwidgets_nn.widgets._pattern_panel import round_ticks
from nbwidgets_nn.widgets._spectrum_style import STYLE
from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumLayer

LAYERS = (
    SpectrumLayer("input", "input", (1, 3, 3), 0),
    SpectrumLayer("conv", "Conv2d", (4, 2, 2), 0),
    SpectrumLayer("fc", "Linear", (5,), 0),
    SpectrumLayer("out", "Linear", (1,), 0),
)
SIZE = 9 + 16 + 5 + 1
RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(2, SIZE))
STANDARD, WEIGHTED, WAVES = (RNG.normal(size=(2, SIZE)) for _ in range(3))
FREQUENCIES = np.repeat([0.0, 2.0, 5.0], [1, 20, 10])


@pytest.fixture
def content():
    spectra = (
        Spectrum("standard", STANDARD, "sums of coefficients", ("everything was assumed",)),
        Spectrum("weighted", WEIGHTED),
        Spectrum("laplacian", WAVES, frequencies=FREQUENCIES, spaces=np.repeat([0, 1, 2], [1, 20, 10])),
    )
    return SpectrumContent(LAYERS, VALUES, spectra, ("sample 7", "sample 9"), "12 edges")


def touch(type_, k, sample):
    """Stands for the graph: the unit and all units of later layers; weighted, some numbers."""
    if type_ == "laplacian":
        return VALUES[sample] * (k + 1)
    ends = np.cumsum([layer.size for layer in LAYERS])
    pattern = np.zeros(SIZE)
    pattern[ends[np.searchsorted(ends, k, side="right")] :] = 1
    pattern[k] = 1
    return pattern if type_ == "standard" else -0.5 * pattern


@pytest.fixture
def view(content):
    return SpectrumView(content, touch=touch)


def click(mark, x, y=0.0):
    """What the browser sends when a picture is clicked."""
    mark._handle_custom_msgs(mark, {"event": "element_click", "data": {"click_x": x, "click_y": y}})


def click_unit(panel, layer, index):
    left, top, right, bottom = layer.layout.box(index)
    click(panel._cells._pictures["dark"], (left + right) / 2, (top + bottom) / 2)


def status(view):
    return re.sub("<[^>]+>", "", view._parts.status.value)


def outlines(panel):
    mark = panel._cells._outline
    return np.atleast_2d(mark.x).shape[0] if mark.visible else 0


def shown(panel, theme="light"):
    """The colours of the picture that is shown."""
    return np.array(Image.open(BytesIO(panel._cells._pictures[theme].image.value)).convert("RGBA"))


# ---- picking


@pytest.mark.parametrize("index", [0, 6, 15])
def test_a_click_on_a_cell_picks_its_coefficient_and_selects_its_channel(view, index):
    view.layer = "conv"
    click_unit(view._parts.coefficients, LAYERS[1], index)
    assert view.picked == 9 + index
    assert view.selection.units == (f"conv:{index // 4}",)
    place = ", ".join(map(str, np.unravel_index(index, (4, 2, 2))))
    assert status(view).startswith(f"● conv[{place}]: activation ")
    assert "touches 7 units in 3 layers" in status(view)


def test_a_click_between_channels_picks_nothing(view):
    view.layer = "conv"
    _, _, right, bottom = LAYERS[1].layout.box(3)
    click(view._parts.activations._cells._pictures["light"], right + 0.5, bottom - 0.5)
    assert view.picked is None


@pytest.mark.parametrize(("x", "unit"), [(-0.4, 0), (1.49, 1), (3.2, 3)])
def test_a_click_above_a_bar_picks_its_unit(view, x, unit):
    view.layer = "fc"
    click(view._parts.activations._bars._cover, x, 0.9)
    assert view.picked == 25 + unit
    assert view.selection == Selection("fc", (f"fc:{unit}",), source=view.selection.source)
    assert view._parts.activations._bars._bars.colors == [ACCENT if k == unit else SUM for k in range(5)]


def test_of_units_that_share_a_pixel_the_strongest_is_picked():
    layer = SpectrumLayer("wide", "Linear", (1, 3000, 3000), None)
    values = np.zeros((1, 9_000_000))
    values[0, 3001] = -9.0
    spectrum = Spectrum("standard", values)
    view = SpectrumView(SpectrumContent((layer,), values, (spectrum,)))
    click(view._parts.coefficients._cells._pictures["light"], 0.5, 0.5)
    assert view.picked == 3001


def test_the_list_holds_the_largest_coefficients_and_picks(view):
    view.layer = "conv"
    nodes = [node for _, node in view._parts.picks.largest.options]
    order = 9 + np.argsort(-np.abs(STANDARD[0, 9:25]))
    assert nodes == order.tolist()
    view._parts.picks.largest.value = nodes[3]
    assert view.picked == nodes[3]
    view._parts.picks.unit.value = 5  # arrow keys in a field of numbers
    assert view.picked == 14
    assert view._parts.picks.largest.value == 14
    view._parts.picks.rank.value = 2
    assert view.picked == nodes[1]
    view._parts.picks.rank.value = 0
    assert view.picked is None


def test_a_click_above_a_layer_shows_it(view):
    click(view._parts.overview._cover, 2.3)
    assert view.layer == "fc"
    assert view._parts.overview._labels.colors == [INK, INK, ACCENT, INK]
    click(view._parts.overview._cover, 99)
    assert view.layer == "out"
    assert view._parts.choices.lists["layer"].value == "out"


# ---- what a coefficient touches


def test_what_is_touched_is_shown_in_every_layer(view):
    view.picked = 9 + 2
    view.layer = "fc"
    np.testing.assert_array_equal(view.pattern, touch("standard", 11, 0))
    assert view._parts.touched.layout.display == ""
    assert view._parts.touched._bars._bars.colors == [ACCENT] * 5
    strip = re.sub("<[^>]+>", " ", view._parts.foot.value)
    assert re.search(r"conv\s+1 of 16 units", strip)
    assert re.search(r"fc\s+5 of 5 units", strip)
    assert "not touched: input" in strip
    assert view._parts.foot.value.count("<figure") == 3
    assert view._parts.foot.value.count('class="nbw-here"') == 1


def test_the_touched_units_of_a_layer_can_be_selected(view):
    view.picked, view.layer = 9 + 2, "fc"
    view._select_touched()
    assert view.selection.units == tuple(f"fc:{k}" for k in range(5))
    assert view.picked == 11  # still what touches them
    assert view._parts.picks.touched.description == "Select the 5 values it touches in fc"
    view.layer = "input"
    assert view._parts.picks.touched.layout.display == "none"


def test_the_scale_of_the_energy_is_the_one_that_its_ticks_name(content):
    view = SpectrumView(content)
    overview = view._parts.overview
    assert overview._ticks.text.tolist()[:2] == ["0 %", "25 %"]
    assert overview._ticks.y.tolist() == overview._axis.tick_values.tolist()
    assert "log scale" not in view._parts.key.value
    small = VALUES.copy()
    small[:, 25:] *= 1e-4
    view = SpectrumView(SpectrumContent(LAYERS, small, content.spectra))
    assert "sum of squares, log scale" in view._parts.key.value
    assert view._parts.overview._ticks.text.tolist()[-1] == "10⁻¹"
    assert (view._parts.overview._bars.y[:, :4] > 0).all()
    assert b"10" in view.to_svg().encode()


def test_without_a_pick_nothing_is_said_to_be_touched(view):
    assert view.pattern is None
    assert view._parts.touched.layout.display == "none"
    assert view._parts.foot.value == ""
    assert "Click a coefficient" in status(view)


def test_signed_patterns_have_colours_about_zero(view):
    view.type = "weighted"
    view.layer, view.picked = "conv", 12
    span = choose_range(touch("weighted", 12, 0)[9:25], diverging=True)
    table = color_table(diverging=True, theme="light")
    left, top, *_ = LAYERS[1].layout.box(3)
    assert "up to ±0.500" in view._parts.foot.value
    code = encode(np.array([[-0.5]]), span)[0, 0]
    assert shown(view._parts.touched)[int(top), int(left), :3].tolist() == table[code].tolist()


def test_what_rounding_left_of_a_pattern_has_the_colour_of_0(content):
    pattern = np.concatenate([np.full(9, 2.0), np.full(16, -3e-16), np.full(6, 1e-3)])
    view = SpectrumView(content, touch=lambda *_: pattern, type="weighted", layer="conv")
    view.picked = 12
    zero = encode(np.zeros((1, 1)), view.state().span_of_pattern)[0, 0]
    color = color_table(diverging=True, theme="light")[zero]
    left, top, *_ = LAYERS[1].layout.box(0)
    assert shown(view._parts.touched)[int(top), int(left), :3] == pytest.approx(color, abs=1)
    assert "up to ±3.00e−16" in view._parts.foot.value  # the number is still said
    view.layer = "fc"
    assert view.state().span_of_pattern.high == pytest.approx(1e-3)


def test_a_pattern_that_cannot_be_computed_is_said_and_breaks_nothing(content):
    def fails(*_):
        raise MemoryError("too <large>")

    view = SpectrumView(content, touch=fails)
    view.picked = 3
    assert "MemoryError: too &lt;large&gt;" in view._parts.status.value
    assert view.selection.units == ("input:3",)
    assert view.pattern is None


# ---- selection


def test_a_unit_selected_elsewhere_is_picked_if_it_is_one_number(view):
    view.selection = Selection("fc", ("fc:3",), source="graph-1")
    assert view.picked == 28
    assert view.layer == "conv"  # who selects elsewhere need not lose what is looked at
    view.selection = Selection("conv", ("conv:2",), source="graph-1")
    assert view.picked is None
    assert "selected: conv:2" in status(view)
    assert outlines(view._parts.activations) == outlines(view._parts.coefficients) == 1
    view.selection = ["conv:0", "conv:3"]
    assert outlines(view._parts.activations) == 2
    view.selection = None
    assert outlines(view._parts.activations) == 0


def test_the_outline_of_a_channel_is_around_its_map(view):
    view.selection = "conv:1"
    xs, ys = view._parts.activations._cells._outline.x, view._parts.activations._cells._outline.y
    boxes = np.array([LAYERS[1].layout.box(k) for k in range(4, 8)])
    assert [xs.min(), ys.min(), xs.max(), ys.max()] == [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]


def test_a_selection_of_a_layer_that_is_not_there_is_kept_and_shows_nothing(view):
    view.picked = 10
    view.selection = Selection("attention", ("attention:2",), source="graph-4")
    assert view.selection.units == ("attention:2",)
    assert view.picked is None
    view.selection = Selection("fc", ("fc:77",), source="graph-4")
    assert view.picked is None


def accents(panel):
    """Which bars wear the accent."""
    return [k for k, color in enumerate(panel._bars._bars.colors) if color == ACCENT]


def test_several_selected_units_are_several_marks(view):
    view.layer = "fc"
    view.selection = Selection("fc", ("fc:1", "fc:4"), source="heatmaps-1")
    assert view.picked is None
    assert accents(view._parts.activations) == accents(view._parts.coefficients) == [1, 4]
    assert status(view) == "● selected: fc:1, fc:4"
    view.selection = Selection("conv", ("conv:0", "conv:3"), source="heatmaps-1")
    assert view.layer == "fc"
    assert accents(view._parts.activations) == []
    view.layer = "conv"
    assert outlines(view._parts.activations) == outlines(view._parts.coefficients) == 2


def test_a_pick_that_stays_among_several_selected_units_stays(view):
    view.picked = 28
    view.selection = Selection("fc", ("fc:3", "fc:0"), source="graph-1")
    assert view.picked == 28
    assert accents(view._parts.coefficients) == [0, 3]
    assert status(view).startswith("● fc[3]: activation ")
    assert status(view).endswith("selected: fc:3, fc:0")
    view.selection = Selection("fc", ("fc:2", "fc:0"), source="graph-1")
    assert view.picked is None
    assert view.pattern is None


def test_units_selected_elsewhere_take_the_place_of_a_pick_that_touches_them(view):
    view.picked = 9
    view.selection = Selection("fc", ("fc:1", "fc:2"), source="heatmaps-1")
    assert view.picked is None
    assert view.selection.units == ("fc:1", "fc:2")


def test_a_pick_shows_its_layer_and_replaces_several_selected_units(view):
    view.selection = ["fc:0", "fc:1"]
    view.picked = 28
    assert view.layer == "fc"
    assert view.selection.units == ("fc:3",)
    view.picked = 11
    assert (view.layer, view.selection.units) == ("conv", ("conv:0",))


@pytest.mark.parametrize("type_", ["standard", "laplacian"])
def test_picking_nothing_selects_nothing(view, type_):
    view.type, view.picked = type_, 28
    view.selection = "fc:3"
    view.picked = None
    assert view.selection.units == ()
    assert accents(view._parts.activations) == []
    assert "Click a " in status(view)


def test_a_frequency_is_no_unit_and_units_are_read_within_it(view):
    view.selection = ["fc:0", "fc:1"]
    view.type, view.layer = "laplacian", "fc"
    assert (view.picked, view.selection.units) == (None, ("fc:0", "fc:1"))
    click(view._parts.frequencies._cover, 4.8)
    assert (view.picked, view.selection.units) == (21, ())
    assert accents(view._parts.activations) == []
    view.selection = Selection("fc", ("fc:0", "fc:4"), source="graph-2")
    assert (view.picked, view.selection.units) == (21, ("fc:0", "fc:4"))
    assert accents(view._parts.touched) == [0, 4]
    assert status(view).startswith("● frequency 5: ")
    assert status(view).endswith("selected: fc:0, fc:4")


def test_between_units_and_frequencies_the_selected_unit_stays(view):
    view.picked = 28
    view.type = "laplacian"
    assert (view.picked, view.pattern, view.selection.units) == (None, None, ("fc:3",))
    view.type = "weighted"
    assert view.picked == 28
    view.type = "laplacian"
    view.picked = 28  # a frequency of the same number
    assert view.selection.units == ()
    view.selection = ["fc:3", "fc:0"]
    view.type = "standard"
    assert view.picked is None  # the frequency was 28, and so is one of these units


def test_one_pick_draws_once(view, monkeypatch):
    drawn = []
    show = view._parts.show
    monkeypatch.setattr(view._parts, "show", lambda *state: (drawn.append(1), show(*state)))
    view.picked = 28  # another layer, another selection
    view.selection = ["conv:1"]
    view.type = "laplacian"
    assert len(drawn) == 3


@pytest.mark.parametrize(("units", "layer", "there"), [("fc:5", "fc", 5), ("conv:4", "conv", 4)])
def test_units_that_their_layer_does_not_have_are_refused(view, units, layer, there):
    says = rf"selection: expected units of layer '{layer}', which has {there}, got \['{units}'\]"
    with pytest.raises(ValueError, match=says):
        view.selection = units


class Explorer(traitlets.HasTraits):
    """Stands for the explorer."""

    selection = traitlets.Any()


def test_linked_views_lead_each_other_and_settle(view):
    explorer = Explorer(selection=Selection("conv"))
    traitlets.link((explorer, "selection"), (view, "selection"))
    seen = []
    explorer.observe(lambda change: seen.append(change.new.units), "selection")
    view.layer = "fc"
    click(view._parts.activations._bars._cover, 2)
    assert seen == [("fc:2",)]
    explorer.selection = Selection("conv", ("conv:1",), source="heatmaps-2")
    assert (view.picked, view.selection.source) == (None, "heatmaps-2")
    assert len(seen) == 2  # nothing comes back


def test_what_a_pick_selects_is_a_write_of_python(view):
    view.picked = 10
    first = view.selection.write
    view.picked = 20
    assert view.selection.write > first > 0  # so a late echo of the first is known as such


# ---- choices


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_have_the_colours_of_the_scale(content, scale, theme):
    view = SpectrumView(content, layer="conv", scale=scale, sample=1)
    for panel, flat in ((view._parts.activations, VALUES[1]), (view._parts.coefficients, STANDARD[1])):
        values = flat if scale.startswith("global") else flat[9:25]
        span = choose_range(values, diverging=scale.endswith("norm"))
        table = color_table(diverging=span.diverging, theme=theme)
        picture = shown(panel, theme)
        for index in (0, 7, 13):
            left, top, *_ = LAYERS[1].layout.box(index)
            code = encode(flat[None, 9 + index : 10 + index], span)[0, 0]
            assert picture[int(top), int(left)].tolist() == [*table[code].tolist(), 255]
    assert (picture[..., 3] == 0).any()  # gaps show the page


def test_another_sample_shows_its_numbers(view):
    view.layer, view.picked = "fc", 26
    view.sample = 1
    np.testing.assert_allclose(view._parts.activations._bars._bars.y[:5], VALUES[1, 25:30])
    np.testing.assert_allclose(view._parts.coefficients._bars._bars.y[:5], STANDARD[1, 25:30])
    assert view._parts.choices.lists["sample"].value == 1


def test_another_type_shows_its_coefficients_of_the_same_unit(view):
    view.picked = 26
    view.type = "weighted"
    assert (view.picked, view.layer) == (26, "fc")
    np.testing.assert_array_equal(view.pattern, touch("weighted", 26, 0))
    np.testing.assert_allclose(view._parts.coefficients._bars._bars.y[:5], WEIGHTED[0, 25:30])
    assert "everything was assumed" not in view._parts.head.value


def test_notes_and_facts_stand_in_the_head(view):
    said = re.sub("<style>.*</style>|<[^>]+>", " ", view._parts.head.value, flags=re.DOTALL)
    assert all(
        words in said
        for words in ("31 units in 4 layers · 12 edges", "sums of coefficients", "everything was assumed")
    )


def test_controls_without_a_choice_are_hidden():
    one = SpectrumContent(LAYERS, VALUES[:1], (Spectrum("standard", STANDARD[:1]),))
    view = SpectrumView(one)
    lists = view._parts.choices.lists
    assert lists["type"].layout.display == lists["sample"].layout.display == "none"
    assert lists["layer"].layout.display == ""


def test_bars_of_what_is_not_finite_are_counted(content):
    values = VALUES.copy()
    values[0, 25:28] = np.nan, np.inf, -np.inf
    view = SpectrumView(SpectrumContent(LAYERS, values, content.spectra), layer="fc")
    foot = view._parts.activations._foot.value
    assert all(words in foot for words in ("1 not defined", "1 +∞", "1 −∞"))
    assert np.isfinite(view._parts.activations._bars._bars.y).all()
    view.picked = 25
    assert "activation not defined" in status(view)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("layer", "conv2", "layer: expected one of input, conv, fc, out, got 'conv2'"),
        ("type", "fourier", "type: expected one of 'standard', 'weighted', 'laplacian', got 'fourier'"),
        ("sample", 2, "sample: expected a number below 2"),
        ("picked", SIZE, f"picked: expected a number below {SIZE}, or None"),
        ("scale", "log", "log"),
    ],
)
def test_choices_that_there_are_not_are_refused(view, name, value, says):
    with pytest.raises((KeyError, ValueError, traitlets.TraitError), match=says):
        setattr(view, name, value)


def test_what_is_no_content_is_refused():
    with pytest.raises(TypeError, match="content: expected a SpectrumContent, got ndarray"):
        SpectrumView(VALUES)


# ---- frequencies


def test_energies_of_eigenspaces_and_not_of_arbitrary_coefficients(view):
    view.type = "laplacian"
    squares = WAVES[0] ** 2 / np.sum(WAVES[0] ** 2)
    tops = view._parts.frequencies._comb.y[1::3]
    np.testing.assert_allclose(tops, [squares[:1].sum(), squares[1:21].sum(), squares[21:].sum()])
    np.testing.assert_allclose(view._parts.frequencies._comb.x[1::3], [0, 2, 5])
    assert view._parts.coefficients.layout.display == "none"


def test_a_click_near_a_frequency_picks_its_eigenspace(view):
    view.type = "laplacian"
    click(view._parts.frequencies._cover, 3.4)
    assert view.picked == 1
    assert "frequency 2: " in status(view)
    assert "an eigenspace of 20 dimensions" in status(view)
    assert view._parts.picks.touched.layout.display == "none"  # a frequency has no units of its own
    np.testing.assert_array_equal(view.pattern, VALUES[0] * 2)
    view.sample = 1
    np.testing.assert_array_equal(view.pattern, VALUES[1] * 2)
    click_unit(view._parts.activations, LAYERS[1], 5)
    assert view.selection.units == ("conv:1",)
    assert view.picked == 1


# ---- pictures, and the end


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("type_", ["standard", "weighted", "laplacian"])
def test_still_pictures(view, tmp_path, theme, type_):
    view.type = type_
    view.picked = 12
    path = tmp_path / "spectrum.png"
    assert view.to_png(path, theme=theme, dpi=40) == path
    svg = view.to_svg(theme=theme)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert THEMES[theme].accent in svg
    with pytest.raises(ValueError, match='theme must be "light" or "dark"'):
        view.to_png(theme="sepia")


def test_still_picture_stands_beside_the_widget(view):
    view.title = "<b>"
    shown = view._repr_mimebundle_()
    data = shown[0] if isinstance(shown, tuple) else shown
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"].startswith("<img")
    assert "<b>" not in data["text/html"]


def test_names_are_escaped():
    layers = (SpectrumLayer("<i>", "<u>", (2,)), SpectrumLayer("b", "Linear", (2,)))
    spectrum = Spectrum("standard", np.ones((1, 4)), "<how>", ("<note>",))
    view = SpectrumView(
        SpectrumContent(layers, np.ones((1, 4)), (spectrum,), how="<about>"), touch=lambda *_: np.ones(4)
    )
    view.picked = 0
    for part in (view._parts.head, view._parts.status, view._parts.foot, view._parts.activations._head):
        assert not set(re.findall("<(how|note|about|u)>", part.value))


def test_style_reaches_nothing_else_and_knows_both_themes():
    rules = re.sub(r"</?style>|@media[^{]*\{|:not\([^)]*\)", "", STYLE)
    selectors = [one for part in re.findall(r"([^{}]+)\{", rules) for one in part.split(",")]
    assert len(selectors) > 20
    assert all(".nbw-spectrum" in selector for selector in selectors)
    for theme in THEMES.values():
        assert f"--nbw-sum:{theme.sum}" in STYLE


def test_closing_closes_all_parts(view):
    view.picked = 3
    parts = list(view._parts._all)
    for panel in (
        view._parts.activations,
        view._parts.coefficients,
        view._parts.touched,
        view._parts.frequencies,
    ):
        parts += panel._parts
    view.close()
    assert {part.comm for part in parts} == {None}
    view.close()  # closing again does nothing


def test_no_picture_is_left_behind_by_choices(content):
    from ipywidgets.widgets.widget import _instances

    view = SpectrumView(content, touch=touch)
    view.picked = 10
    before = len(_instances)
    for k in range(9, 25):
        view.picked = k
    assert len(_instances) == before
    view.close()


@pytest.mark.parametrize(
    ("low", "high", "count", "whole", "ticks"),
    [
        (0, 0.71, 4, False, [0, 0.2, 0.4, 0.6]),
        (-3.5, 7.7, 4, False, [0, 5]),
        (0, 9, 6, True, [0, 2, 4, 6, 8]),
        (0, 2, 6, True, [0, 1, 2]),
        (0, 0, 6, True, [0]),
    ],
)
def test_ticks_are_round(low, high, count, whole, ticks):
    assert round_ticks(low, high, count, whole=whole).tolist() == pytest.approx(ticks)
