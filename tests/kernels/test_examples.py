"""The examples in the docstrings run and print what they say."""

import doctest
import importlib

import pytest

MODULES = [
    "_arrays",
    "_progress",
    "background",
    "color_range",
    "information_results",
    "kernels._exact_bits",
    "kernels._extrapolation",
    "kernels._memory",
    "kernels._threads",
    "kernels.graph.axis_reach",
    "kernels.binned_activation",
    "kernels.causal_picture",
    "kernels.channel_edges",
    "kernels.graph.chains",
    "kernels.graph.chebyshev",
    "kernels.graph.copies",
    "kernels.graph.decomposition",
    "kernels.clustering",
    "kernels.correlation",
    "kernels.computed_tensor",
    "kernels.edge_blocks",
    "kernels.edge_statistics",
    "kernels.effective_information",
    "kernels.exact_parts",
    "kernels.function_names",
    "kernels.graph.gather_reach",
    "kernels.information",
    "kernels.layer_triplets",
    "kernels.columns.cuts",
    "kernels.kept_units",
    "kernels.graph.laplacian",
    "kernels.nn_graph",
    "kernels.null_reference",
    "kernels.pair_information",
    "kernels.graph.composed_reach",
    "kernels.graph.product_reach",
    "kernels.redundancy",
    "kernels.sampled_information",
    "kernels.strongest_edges",
    "kernels.transformer",
    "kernels.triplets",
    "kernels.vector_of_layer",
    "kernels.window_reach",
    "record.recorded",
    "record.steps",
    "record.stored_module",
    "storage._functions",
    "storage.output_loader",
    "spectrum_results",
    "widgets._edge_strength",
    "widgets._energy_scale",
    "widgets.edge_graph",
    "widgets.edge_bundle",
    "widgets.unit_column",
    "widgets.heatmap_content",
    "widgets.job",
    "fourier_view",
    "widgets._pattern_panel",
    "widgets.spectrum_view",
    "widgets.pattern_layout",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(f"nbwidgets_nn.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
