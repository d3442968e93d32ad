"""What a run of a model can change, and models prepared so that a change would be seen."""

import copy
import pickle
import random

import numpy as np
import torch

from nbwidgets_nn.record._trees import map_tensors, tensors_in


def state(network, given):
    """Everything that a forward pass can change, in a form that compares."""
    modules = list(network.modules())
    weights = [*network.parameters(), *network.buffers()]
    return {
        "mode": [module.training for module in modules],
        "attributes": [attributes(module) for module in modules],
        "tensors": [id(tensor) for tensor in weights],
        "values": [tensor.tolist() for tensor in weights],
        "gradients": [
            (t.requires_grad, None if t.grad is None else (id(t.grad), t.grad.tolist())) for t in weights
        ],
        "versions": [parameter._version for parameter in network.parameters()],
        "given": [(id(t), t._version, t.requires_grad, t.float().tolist()) for t in tensors_in(given)],
        "random": random.getstate(),
        "numpy": pickle.dumps(np.random.get_state()),
        "torch": torch.get_rng_state().tolist(),
        "global hooks": len(torch.nn.modules.module._global_forward_hooks),
        "modes": (torch.is_grad_enabled(), torch.overrides._len_torch_function_stack()),
        "fused attention": torch.backends.mha.get_fastpath_enabled(),
    }


def attributes(module):
    """Every attribute by identity, and the contents of those that are tables."""
    return [
        (
            name,
            id(value),
            [*map(id, value.values())]
            if isinstance(value, dict)
            else copy.copy(value)
            if isinstance(value, list)
            else None,
        )
        for name, value in vars(module).items()
    ]


def prepared(case):
    """A model with a mixture of modes, a frozen weight, gradients and a hook of the user's."""
    torch.backends.mha.set_fastpath_enabled(True)
    network, given = case.make(), case.make_input()
    network.train()
    for module in list(network.modules())[1::2]:
        module.training = False
    for index, parameter in enumerate(network.parameters()):
        parameter.requires_grad_(index % 2 == 0)
        parameter.grad = torch.ones_like(parameter)
    if not isinstance(network, torch.jit.ScriptModule):
        network.register_forward_hook(lambda module, args, output: None)
    return network, map_tensors(given, lambda t: t.requires_grad_() if t.is_floating_point() else t)
