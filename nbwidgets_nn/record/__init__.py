"""Running a model and keeping what it did: the only room that runs a model or registers a hook.

`activations.Activations` is the recording, `module_output.module_output` the output of one submodule, and
`errors.RecordingError` what is raised when the model fails on the way. Everything about the model is as
before afterwards.
"""
