"""Who may import whom (CONTRIBUTING): read from the imports themselves."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nbwidgets_nn"

# room -> the rooms of ours that it may import; every Python file stands in exactly one room
VOCABULARY = {
    "results",
    "information_results",
    "spectrum_results",
    "color_range",
    "colormaps",
    "_themes",
    "_words",
    "_files",
    "_arrays",
}
MAY_IMPORT = {
    "results": set(),
    "information_results": set(),
    "spectrum_results": set(),
    "color_range": set(),
    "_themes": set(),
    "_words": set(),
    "_files": set(),
    "_arrays": set(),
    "colormaps": {"color_range"},
    "_progress": set(),
    "background": {"_progress"},
    "record": {"record", "_arrays", "_progress"},
    "kernels": {
        "kernels",
        "record",
        "results",
        "information_results",
        "spectrum_results",
        "_arrays",
        "_words",
        "_progress",
    },
    "widgets": {"widgets", "figures", *VOCABULARY},
    "figures": {"figures", "widgets", *VOCABULARY},
    "storage": {"storage", "record", "kernels", "_arrays", "_files"},
    "digits": {"_progress"},
}
FRONT = {
    "__init__",
    "__main__",
    "explorer",
    "fourier_view",
    "graph_view",
    "hidden_layer_size",
}
JS_LAYERS = ("core", "views", "widgets")


def room(path):
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def python_files():
    return sorted(path for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", python_files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_python_rooms_import_only_what_they_may(path):
    if room(path) in FRONT:
        return
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("nbwidgets_nn.")}
    assert ours <= MAY_IMPORT[room(path)], f"{path.name} may not import {ours - MAY_IMPORT[room(path)]}"


def test_every_room_of_the_table_exists():
    assert {room(path) for path in python_files()} == set(MAY_IMPORT) | FRONT


def test_only_the_recording_registers_hooks():
    hooks = re.compile(r"register_(module_)?(full_)?(forward|backward)|TorchFunctionMode")
    offenders = [p.name for p in python_files() if room(p) != "record" and hooks.search(p.read_text())]
    assert offenders == []


@pytest.mark.parametrize("path", sorted((ROOT / "js" / "src").rglob("*.ts")), ids=lambda p: p.name)
def test_typescript_layers_import_only_downwards(path):
    own = JS_LAYERS.index(path.relative_to(ROOT / "js" / "src").parts[0])
    targets = re.findall(r"from\s+[\"'](\.[^\"']+)[\"']", path.read_text())
    layers = {
        (path.parent / target).resolve().relative_to(ROOT / "js" / "src").parts[0] for target in targets
    }
    too_high = {layer for layer in layers if layer in JS_LAYERS and JS_LAYERS.index(layer) > own}
    assert not too_high
