"""The command line runs the main job, and the example network is the same one each time."""

import re
from pathlib import Path

import pytest
import torch

from nbwidgets_nn.__main__ import main
from nbwidgets_nn.digits import HELD_OUT, accuracy, load_images, new_network, train


def test_demo_prints_the_layers_and_writes_the_page(tmp_path, capsys):
    main(["demo", "--output", str(tmp_path / "demo.html"), "--epochs", "1"])
    text = capsys.readouterr().out
    assert "conv2      Conv2d       32 × 4 × 4        4,640" in text
    assert "redundant neurons" in text
    assert (tmp_path / "demo.html").stat().st_size > 100_000


def test_unwritable_output_is_named(tmp_path):
    with pytest.raises(OSError, match=r"path .* cannot be written: the folder .* does not exist"):
        main(["demo", "--output", str(tmp_path / "no" / "demo.html"), "--epochs", "0"])


def test_example_learns_and_leaves_the_random_state_alone():
    images, labels = load_images()
    state = torch.get_rng_state()
    network = new_network(seed=0)
    before = accuracy(network.eval(), images[-HELD_OUT:], labels[-HELD_OUT:])
    assert train(network, images, labels, epochs=4) > before + 0.3
    assert torch.equal(torch.get_rng_state(), state)


def test_same_seed_gives_the_same_network():
    first, second = new_network(seed=1), new_network(seed=1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_readme_runs_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    _, without_widgets = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[:2]
    names = {}
    exec(without_widgets, names)
    assert 0 < len(names["kept"]) < 64
    assert {path.name for path in tmp_path.iterdir()} == {"edges.png", "spectrum.pdf"}
