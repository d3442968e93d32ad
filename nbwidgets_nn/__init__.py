"""Look inside PyTorch networks from a notebook: record a model, compute, and explore the results linked.

>>> import nbwidgets_nn as nw
>>> ex = nw.explore(model, X)                    # doctest: +SKIP
>>> rec = nw.Activations(model, X)               # doctest: +SKIP
>>> nw.corrcoef(rec["fc1"].matrix(), rowvar=False)   # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# The public names and their homes. Loaded when first used: importing the package imports neither torch nor numba.
_HOMES = {
    "Activations": "record.activations",
    "CausalPlane": "widgets.causal_plane",
    "CorrelationMoments": "kernels.correlation",
    "EdgeBundle": "widgets.edge_bundle",
    "EdgeGraph": "widgets.edge_graph",
    "EdgeGraphContent": "widgets.edge_graph_content",
    "Explorer": "explorer.explorer",
    "LayerPicker": "widgets.layer_picker",
    "LayerRow": "widgets.layer_picker",
    "LinkedHeatmaps": "widgets.linked_heatmaps",
    "HeatmapContent": "widgets.heatmap_content",
    "MI": "kernels.information",
    "NNGraph": "kernels.nn_graph",
    "MatrixPanel": "widgets.heatmap_content",
    "OutputLoader": "storage.output_loader",
    "Columns": "widgets.heatmap_content",
    "Fact": "widgets.heatmap_content",
    "Selection": "widgets.selection",
    "RecordingError": "record.errors",
    "UnitColumn": "widgets.unit_column",
    "SpectrumContent": "widgets.spectrum_content",
    "SpectrumView": "widgets.spectrum_view",
    "Visualizer": "figures.activation_pattern",
    "activation_profile": "kernels.activation_profile",
    "cluster_units": "kernels.clustering",
    "corrcoef": "kernels.correlation",
    "correlate": "kernels.correlation",
    "create_correlation_clusters": "kernels.clustering",
    "degeneracy": "kernels.causal_picture",
    "ei_report": "kernels.causal_picture",
    "phi_feedforward": "kernels.causal_picture",
    "ei": "kernels.effective_information",
    "ei_parts": "kernels.effective_information",
    "ei_parts_matrix": "kernels.effective_information",
    "sensitivity": "kernels.effective_information",
    "sensitivity_matrix": "kernels.effective_information",
    "vector_and_pairwise_ei": "kernels.effective_information",
    "edge_graph": "graph_view",
    "eis_between_groups": "kernels.effective_information",
    "EffectiveInformation": "information_results",
    "EIReport": "information_results",
    "explore": "explorer.explore_model",
    "extract_independent_neurons": "kernels.clustering",
    "hl_size_analysis": "hidden_layer_size",
    "hl_size_analysis_Sequential": "hidden_layer_size",
    "linear_cka": "kernels.redundancy",
    "measure_units": "kernels.redundancy",
    "null_reference": "kernels.null_reference",
    "scikit_extract_independent_neurons": "kernels.clustering",
    "spectrum_view": "fourier_view",
    "Spectrum": "kernels.spectrum",
    "SpectrumReport": "spectrum_results",
    "topology_of": "record.topology",
    "Transformer": "kernels.transformer",
    "triplets": "kernels.triplets",
    "Triplets": "kernels.triplets",
    "LayerTriplets": "kernels.layer_triplets",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
