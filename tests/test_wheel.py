"""The wheel and the sdist carry the front end, and an installed wheel finds it."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUNDLES = ("layer_picker.js", "linked_heatmaps.js", "saved_page.js", "nbwidgets.css")
MOST_BYTES = 200_000


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
        timeout=280,
    )
    return out


def test_wheel_holds_the_bundles_within_their_size(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        sizes = {name: wheel.getinfo(f"nbwidgets_nn/static/{name}").file_size for name in BUNDLES}
    assert all(1_000 < size <= MOST_BYTES for size in sizes.values()), sizes


def test_sdist_holds_bundles_sources_and_hook(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = {f"nbwidgets_nn/static/{name}" for name in BUNDLES} | {
        "js/hatch_build.py",
        "js/package-lock.json",
        "LICENSE",
    }
    assert wanted <= names
    assert not any("node_modules" in name for name in names)


def test_installed_wheel_finds_its_bundles(built, tmp_path):
    """A fresh environment that sees this one's dependencies, so that the test downloads nothing."""
    venv.create(tmp_path, with_pip=False)
    python = next(p for p in (tmp_path / "bin" / "python", tmp_path / "Scripts" / "python.exe") if p.exists())
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    wheel = next(built.glob("*.whl"))
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
    )
    import numpy as np

    (Path(site) / "dependencies.pth").write_text(str(Path(np.__file__).parent.parent))
    code = (
        "import nbwidgets_nn as nw, pathlib; assert 'dependencies' not in nw.__file__; print(nw.__file__);"
        "nw.LayerPicker([nw.LayerRow('input', 'input')]); nw.LinkedHeatmaps(nw.HeatmapContent('x')); print('found')"
    )
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1:] == ["found"], done.stderr
    assert done.stdout.startswith(str(tmp_path))
