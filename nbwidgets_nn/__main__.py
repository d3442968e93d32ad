"""The command line: ``python -m nbwidgets_nn demo`` trains a small network on real digits and explains it."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from nbwidgets_nn._words import plural

if TYPE_CHECKING:
    from nbwidgets_nn.explorer.explorer import Explorer


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="nbwidgets_nn", description="Look inside PyTorch networks.")
    commands = parser.add_subparsers(required=True)
    demo = commands.add_parser(
        "demo", help="train a small network on real digits and write an interactive report"
    )
    demo.add_argument(
        "--output", type=Path, default=Path("demo.html"), help="the report (default: demo.html)"
    )
    demo.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args(arguments)
    run_demo(options.output, options.epochs)


def run_demo(output: Path, epochs: int) -> None:
    """Train, print the layer table and the redundant neurons, and write the report."""
    from nbwidgets_nn.digits import load_images, new_network, train  # noqa: PLC0415 - torch loads when it is needed
    from nbwidgets_nn.explorer.explore_model import explore  # noqa: PLC0415

    images, labels = load_images()
    network = new_network()
    accuracy = train(network, images, labels, epochs=epochs)
    print(
        f"\nA small convolutional network on {len(images):,} real 8 × 8 digits: accuracy {accuracy:.1%} on held-out ones.\n"
    )
    explorer = explore(network, images, target=labels, title="Digits classifier")
    path = explorer.save_html(output)
    print(layer_table(explorer))
    print(
        f"\nWrote {path} ({path.stat().st_size / 1e6:.1f} MB): open it in a browser; it needs no network and no kernel."
    )
    print("Open the notebook with `make lab`, or serve it as a report with `make voila`.")


def layer_table(explorer: Explorer) -> str:
    """List every layer with its redundancy, the information it passes on, and its groups of redundant neurons, if any."""
    lines = [
        (
            f"{'layer':<10} {'type':<12} {'output':<12} {'parameters':>10} {'redundancy':>10} {'EI parts':>10}  "
            "redundant neurons (|r| ≥ 0.5 on average)"
        )
    ]
    for row in explorer.picker.layers:
        groups = redundant_groups(explorer, row["name"])
        shape = " × ".join(map(str, row["shape"] or ()))
        # Half a percent goes up, as it does in the browser.
        share = "" if row["redundancy"] is None else f"{math.floor(100 * row['redundancy'] + 0.5)}%"
        lines.append(
            f"{row['name']:<10} {row['type']:<12} {shape:<12} {row['parameters']:>10,} {share:>10} "
            f"{information(explorer, row['name']):>10}  {groups}"
        )
    return "\n".join(lines)


def information(explorer: Explorer, layer: str) -> str:
    """Write the effective information of the weights behind a layer (before the last one); "" where there are none."""
    try:
        return f"{explorer.effective_information(layer).value:.1f} bits"
    except ValueError:
        return ""


def redundant_groups(explorer: Explorer, layer: str, most: int = 3) -> str:
    """Name the largest clusters of more than one unit."""
    view = explorer.view(layer)
    dendrogram = view.dendrogram
    if dendrogram is None:
        return ""
    clusters: dict[int, list[int]] = {}
    for unit, label in zip(view.units.tolist(), dendrogram.labels(explorer.cut).tolist(), strict=True):
        clusters.setdefault(label, []).append(unit)
    constant = f"{len(dendrogram.constant)} constant; " if len(dendrogram.constant) else ""
    groups = sorted(
        (units for label, units in clusters.items() if label and len(units) > 1), key=len, reverse=True
    )
    text = "  ".join(
        "{" + ", ".join(map(str, units[:6])) + (", …" if len(units) > 6 else "") + "}"
        for units in groups[:most]
    )
    return (
        constant + text + (f"  and {plural(len(groups) - most, 'more group')}" if len(groups) > most else "")
    )


if __name__ == "__main__":
    main()
