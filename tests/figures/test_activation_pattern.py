"""The activation pattern as a PDF and as pictures: which pages, which words, and which colour at which unit."""

import re
import zlib
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from models import ZOO
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn._themes import THEMES
from nbwidgets_nn.color_range import NOT_A_NUMBER
from nbwidgets_nn.figures._pattern_page import cell_colors
from nbwidgets_nn.figures.activation_pattern import Visualizer
from nbwidgets_nn.widgets.layer_pattern import patterns_of


def pages(path):
    """The words of each page, read back from the file: each piece of text with its font's table of characters."""
    data = path.read_bytes()
    assert data.startswith(b"%PDF")
    assert b"%%EOF" in data[-10:]
    found = re.findall(rb"(\d+) 0 obj\n(.*?)\nendobj", data, re.DOTALL)
    objects = {int(number): body for number, body in found}
    [fonts] = (
        {name: _characters(objects, int(number)) for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", body)}
        for body in objects.values()
        if re.fullmatch(rb"<<( /F\d+ \d+ 0 R)+ >>", body)
    )
    sheets = [body for body in objects.values() if re.search(rb"/Type /Page\b", body)]
    contents = [int(re.search(rb"/Contents (\d+) 0 R", sheet)[1]) for sheet in sheets]
    return [_words(_inflated(objects[number]), fonts) for number in contents]


def _inflated(stream):
    return zlib.decompress(re.search(rb"stream\r?\n(.*?)\nendstream", stream, re.DOTALL)[1])


def _characters(objects, font):
    table = _inflated(objects[int(re.search(rb"/ToUnicode (\d+) 0 R", objects[font])[1])])
    ranges = re.findall(rb"<(\w{4})> <\w{4}> \[(.*?)\]", table)
    return {
        int(first, 16) + k: bytes.fromhex(code.decode()).decode("utf-16-be")
        for first, codes in ranges
        for k, code in enumerate(re.findall(rb"<(\w+)>", codes))
    }


def _words(drawn, fonts):
    lines = []
    for block in re.findall(rb"BT\n(.*?)\nET", drawn, re.DOTALL):
        line, characters = "", {}
        for font, piece in re.findall(rb"/(F\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\)", block, re.DOTALL):
            if font:
                characters = fonts[font]
            plain = re.sub(rb"\\([()\\])", rb"\1", piece)
            codes = [256 * high + low for high, low in zip(plain[::2], plain[1::2], strict=True)]
            line += "".join(characters[code] for code in codes)
        lines.append(line)
    return "\n".join(lines)


@pytest.fixture(scope="module")
def recording():
    torch.manual_seed(0)
    net = nn.Sequential()
    for name, layer in (("conv", nn.Conv2d(1, 6, 3)), ("flat", nn.Flatten()), ("fc", nn.Linear(216, 5))):
        net.add_module(name, layer)
    return nw.Activations(net, torch.randn(4, 1, 8, 8))


def drawn(monkeypatch):
    """Collect the figures that are saved."""
    figures, save = [], Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (save(self, *a, **k), figures.append(self))[0]
    )
    return figures


def test_a_page_a_layer_says_which_layer_it_is(recording, tmp_path):
    path = tmp_path / "pattern.pdf"
    assert Visualizer.visualize_pattern(recording, path) is None
    words = pages(path)
    assert len(words) == len(recording)
    assert all(name in page.split("\n") for name, page in zip(recording, words, strict=True))
    assert "Conv2d · 6 × 6 × 6" in words[1]
    assert "layerscale: one scale a layer" in words[1]
    assert "sample 0 of 4 · 6 maps of 6 × 6" in words[1]
    assert "216 units" in words[2]


def test_coefficients_of_frequencies_are_not_said_to_be_of_the_layer(recording, tmp_path):
    spectrum = nw.NNGraph(recording).transform(recording, "laplacian")
    Visualizer.visualize_pattern(spectrum, tmp_path / "a.pdf")
    words = pages(tmp_path / "a.pdf")
    lines = words[1].split("\n")
    assert "Coefficients 64 to 279 in order of frequency" in lines
    assert "in the places of conv · 6 × 6 × 6" in lines
    assert "conv" not in lines
    assert Visualizer.to_svg(spectrum, layer="conv")  # its name still finds it


def test_a_layer_of_zeros_says_so(tmp_path):
    recording = nw.Activations(nn.ReLU(), -torch.ones(1, 3))
    Visualizer.visualize_pattern(recording, tmp_path / "a.pdf")
    words = pages(tmp_path / "a.pdf")
    assert ["all values are 0" in page for page in words] == [False, True]


def test_the_seeds_call_and_defaults(recording, tmp_path):
    single = nw.Activations(recording.network, torch.randn(1, 1, 8, 8))
    Visualizer.visualize_pattern(
        activations=single, pdf_filepath=str(tmp_path / "a.pdf"), scale="globalnorm", cmap_style="seismic"
    )
    words = pages(tmp_path / "a.pdf")
    assert "globalnorm: one scale for all layers, centred at 0" in words[0]
    assert "sample" not in words[0]


def test_colour_bars_give_the_ends_of_the_scale(recording, tmp_path):
    values = [layer[2].double().numpy() for layer in recording.layeractivations]
    low, high = min(map(np.min, values)), max(map(np.max, values))
    from nbwidgets_nn._words import format_number

    Visualizer.visualize_pattern(recording, tmp_path / "a.pdf", "layerscale", sample=2)
    for page, layer in zip(pages(tmp_path / "a.pdf"), values, strict=True):
        assert {format_number(layer.min()), format_number(layer.max())} <= set(page.split("\n"))
    Visualizer.visualize_pattern(recording, tmp_path / "a.pdf", "globalscale", sample=2)
    for page in pages(tmp_path / "a.pdf"):
        assert {format_number(low), format_number(high)} <= set(page.split("\n"))
    Visualizer.visualize_pattern(recording, tmp_path / "a.pdf", "globalnorm", sample=-2)
    reach = format_number(max(-low, high))
    for page in pages(tmp_path / "a.pdf"):
        assert {f"−{reach}", "0", reach} <= set(page.split("\n"))


def test_the_same_pattern_is_the_same_file(recording, tmp_path):
    for name in "ab":
        Visualizer.visualize_pattern(recording, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_each_cell_has_the_colour_of_its_value(recording, monkeypatch):
    figures = drawn(monkeypatch)
    Visualizer.to_png(recording, layer="conv", cmap_style="plasma", dpi=20)
    picture = figures[0].axes[0].images[0].get_array()
    values = recording["conv"].output[0].numpy()
    table = mpl.colormaps["plasma"](np.linspace(0, 1, 250), bytes=True)
    codes = np.floor((values - values.min()) / np.ptp(values) * 249 + 0.5).astype(int)
    side = 6 * 4  # pixels of a map of 6 × 6, then a gap
    gap = picture.shape[1] // 3 - side + 1
    for channel in range(6):
        row, column = divmod(channel, 3)
        top, left = row * (side + gap) + 2, column * (side + gap) + 2
        block = np.asarray(picture)[top : top + side : 4, left : left + side : 4][:6, :6]
        assert np.abs(block.astype(int) - table[codes[channel]].astype(int)).max() <= 3


@pytest.mark.parametrize("name", [None, "fc"])
def test_bars_are_as_high_as_the_values(recording, monkeypatch, name):
    figures = drawn(monkeypatch)
    Visualizer.to_png(recording, layer=name, sample=1, dpi=20)
    bars = [axes.collections[0] for axes in figures[0].axes if axes.collections][-1]
    heights = np.array([path.vertices[1, 1] for path in bars.get_paths()])
    np.testing.assert_allclose(heights, recording["fc"].output[1])


def test_what_is_not_a_number_is_marked_and_counted(tmp_path, monkeypatch):
    values = torch.randn(1, 600)
    values[0, 7], values[0, 8], values[0, 9] = float("nan"), float("inf"), -float("inf")
    for width in (600, 30):
        recording = nw.Activations(nn.Identity(), values[:, :width])
        Visualizer.visualize_pattern(recording, tmp_path / "a.pdf")
        assert all(
            word in pages(tmp_path / "a.pdf")[0]
            for word in ("not defined: 1 unit", "+∞: 1 unit", "−∞: 1 unit")
        )
    figures = drawn(monkeypatch)
    Visualizer.to_png(recording, layer="input", dpi=20)
    colors = figures[0].axes[0].collections[0].get_facecolor()
    nan = THEMES["light"].marks[NOT_A_NUMBER - 250]
    assert mpl.colors.to_hex(colors[7]) == nan


def test_dollars_and_odd_names_are_written_as_they_are(tmp_path):
    net = nn.Sequential()
    net.add_module("a$b$_{c}", nn.Linear(3, 2))
    Visualizer.visualize_pattern(nw.Activations(net, torch.randn(1, 3)), tmp_path / "a.pdf")
    assert "a$b$_{c}" in pages(tmp_path / "a.pdf")[1].split("\n")


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_every_model_of_the_zoo_can_be_drawn(case, tmp_path):
    recording = nw.Activations(case.make(), case.make_input())
    Visualizer.visualize_pattern(recording, tmp_path / "a.pdf", "globalnorm", "RdBu_r", sample=-1)
    words = pages(tmp_path / "a.pdf")
    assert len(words) == len(recording)
    for name, page in zip(recording, words, strict=True):
        layer = recording[name]
        if layer.output is None:
            assert layer.note in page
        elif layer.output.is_complex():
            assert "complex" in page


def test_a_layer_whose_first_axis_is_not_the_samples_is_shown_whole(tmp_path):
    class TimeFirst(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = nn.Identity(), nn.Linear(3, 2)

        def forward(self, x):
            return self.out(self.rnn(x.transpose(0, 1)))

    Visualizer.visualize_pattern(
        nw.Activations(TimeFirst(), torch.randn(4, 5, 3)), tmp_path / "a.pdf", sample=3
    )
    first, *rest = pages(tmp_path / "a.pdf")
    assert "sample 3 of 4" in first
    for page in rest:
        assert "all of the output is shown: its first dimension does not count the samples" in page
        assert "sample 3" not in page


def test_a_huge_layer_is_thinned_and_says_so(tmp_path):
    recording = nw.Activations(nn.Identity(), torch.randn(1, 64, 200, 200))
    Visualizer.visualize_pattern(recording, tmp_path / "a.pdf")
    assert "each pixel: the strongest of 2 × 2 values" in pages(tmp_path / "a.pdf")[0]
    assert (tmp_path / "a.pdf").stat().st_size < 4_000_000


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"scale": "layer"}, ValueError, "scale: expected one of 'layerscale', .*, got 'layer'"),
        ({"cmap_style": "virids"}, ValueError, "cmap_style: expected .* got 'virids'. Try: viridis"),
        ({"cmap_style": 3}, TypeError, "cmap_style: expected the name of a colour map"),
        ({"sample": 4}, IndexError, "sample: expected a number below 4"),
        ({"sample": 1.5}, TypeError, "sample: expected the number of a sample, got float"),
    ],
)
def test_bad_options_are_refused_and_nothing_is_written(recording, tmp_path, options, error, says):
    with pytest.raises(error, match=says):
        Visualizer.visualize_pattern(recording, tmp_path / "a.pdf", **options)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_recording_is_refused(tmp_path, recording):
    with pytest.raises(TypeError, match=r"activations: expected a recording, got Linear. Try: Activations\("):
        Visualizer.visualize_pattern(nn.Linear(2, 3), tmp_path / "a.pdf")
    shapes = nw.Activations(recording.network, torch.randn(1, 1, 8, 8), shapes_only=True)
    with pytest.raises(ValueError, match="expected a recording with values, got one of shapes_only=True"):
        Visualizer.visualize_pattern(shapes, tmp_path / "a.pdf")
    with pytest.raises(OSError, match=r"folder .* does not exist"):
        Visualizer.visualize_pattern(recording, tmp_path / "no" / "a.pdf")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_of_one_layer_and_of_all(recording, tmp_path, theme):
    path = tmp_path / "a.png"
    assert Visualizer.to_png(recording, path, layer="conv", theme=theme, dpi=40) == path
    assert path.read_bytes().startswith(b"\x89PNG")
    svg = Visualizer.to_svg(recording, theme=theme)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert THEMES[theme].paper in svg
    assert Visualizer.to_svg(recording, tmp_path / "a.svg", layer="conv") == tmp_path / "a.svg"
    with pytest.raises(KeyError, match="no layer '7'"):
        Visualizer.to_png(recording, layer="7")
    with pytest.raises(ValueError, match='theme must be "light" or "dark"'):
        Visualizer.to_png(recording, theme="sepia")


def test_all_colour_maps_of_matplotlib_are_taken(recording):
    for name in mpl.colormaps:
        assert cell_colors(name, THEMES["light"]).shape == (257, 4)
    own = mpl.colors.ListedColormap(["#000000", "#ff0000"])
    assert Visualizer.to_png(recording, layer="fc", cmap_style=own, dpi=20)


def small_recording():
    torch.manual_seed(0)
    return nw.Activations(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.rand(5, 3))


def test_a_spectrum_is_not_taken_for_activations():
    recording = small_recording()
    graph = nw.NNGraph(recording)
    assert "Fourier" not in nw.Visualizer.to_svg(recording)
    for kind in ("standard", "laplacian"):
        notes = [pattern.note for pattern in patterns_of(graph.transform(recording, kind))]
        assert all(f"Fourier coefficients, type '{kind}'" in note for note in notes)
        assert all(("frequencies" in note) == (kind == "laplacian") for note in notes)


def test_a_name_that_says_another_format_is_refused(tmp_path):
    recording = small_recording()
    with pytest.raises(ValueError, match=r"^pdf_filepath: expected a name that ends in \.pdf"):
        nw.Visualizer.visualize_pattern(recording, tmp_path / "p.png")
    with pytest.raises(ValueError, match=r"path: expected a name that ends in \.png"):
        nw.Visualizer.to_png(recording, tmp_path / "p.svg")
    with pytest.raises(ValueError, match=r"path: expected a name that ends in \.svg"):
        nw.Visualizer.to_svg(recording, tmp_path / "p.png")
    assert not list(tmp_path.iterdir())
