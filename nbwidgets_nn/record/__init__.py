"""Running a model and keeping what it did: the only room that runs a model or registers a hook.

`activations.Activations` is the recording, `steps.replay` computes again what functions made between two of its calls,
`topology.topology_of` is the graph of its layers, `span.Span` a piece of the model as a function of the tensor that its
first layer reads, `module_output.module_output` the output of one submodule, and `errors.RecordingError` what is raised
when the model fails on the way. Everything about the model is as before afterwards. `affine.affine_map` reads what a layer
computes from its weights.
"""
