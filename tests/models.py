"""A zoo of awkward models: `ZOO` is a table of (name, factory, input factory); RAISING are those that fail."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, rnn


class Mlp(nn.Module):
    """Two hidden layers, activations as modules."""

    def __init__(self):
        super().__init__()
        self.fc1, self.act1 = nn.Linear(6, 5), nn.Tanh()
        self.fc2, self.act2 = nn.Linear(5, 4), nn.Sigmoid()
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        return self.out(self.act2(self.fc2(self.act1(self.fc1(x)))))


class Functional(nn.Module):
    """Activations, pooling and flattening are functions and methods."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc1, self.fc2, self.fc3 = nn.Linear(36, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = F.max_pool2d(F.leaky_relu(self.conv(x), 0.2), 2)
        x = torch.relu(self.fc1(x.flatten(1)))
        return torch.softmax(self.fc3(self.fc2(x).sigmoid()), 1)


class ReusedRelu(nn.Module):
    """One ReLU object serves twice."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.relu = nn.Linear(6, 5), nn.Linear(5, 4), nn.ReLU()

    def forward(self, x):
        return self.relu(self.fc2(self.relu(self.fc1(x))))


class ReusedLinear(nn.Module):
    """One layer with weights is applied three times."""

    def __init__(self):
        super().__init__()
        self.step = nn.Linear(6, 6)

    def forward(self, x):
        for _ in range(3):
            x = torch.tanh(self.step(x))
        return x


class TwoNames(nn.Module):
    """The same layer is registered under two names."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = self.first

    def forward(self, x):
        return self.second(self.first(x))


class InPlace(nn.Module):
    """In-place modules, functions and operators, on the input as well."""

    def __init__(self):
        super().__init__()
        self.fc1, self.relu, self.fc2, self.fc3 = (
            nn.Linear(6, 6),
            nn.ReLU(inplace=True),
            nn.Linear(6, 6),
            nn.Linear(6, 2),
        )

    def forward(self, x):
        x.sub_(1)
        x = self.relu(self.fc1(x))
        x = self.fc2(x)
        x.relu_()
        x += 1
        x[:, 0] = 0
        return self.fc3(x)


class InPlaceThroughView(nn.Module):
    """A view of one layer's output receives another layer's output."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 4), nn.Linear(6, 2), nn.Linear(4, 2)

    def forward(self, x):
        h = self.a(x)
        h[:, :2].copy_(self.b(x))
        return self.c(h)


class Skip(nn.Module):
    """A residual connection around a convolution, and one around Identity and dropout."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.same, self.drop, self.head = nn.Identity(), nn.Dropout(0.5), nn.Linear(4, 2)

    def forward(self, x):
        h = torch.relu(self.conv1(x))
        h = h + self.conv2(h)
        h = h + self.drop(self.same(h))
        return self.head(h.mean((2, 3)))


class Branches(nn.Module):
    """Two branches, concatenated; a third is chunked and only half of it used."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.gate = nn.Linear(6, 3), nn.Linear(6, 2), nn.Linear(6, 10)
        self.merge = nn.Linear(5, 2)

    def forward(self, x):
        value, _ = self.gate(x).chunk(2, dim=1)
        return self.merge(torch.cat([self.left(x), self.right(x)], dim=1) * value.sigmoid())


class Stateful(nn.Module):
    """Batch norm, dropout, a counter among the buffers, a buffer that is replaced and a stored hidden state."""

    def __init__(self):
        super().__init__()
        self.fc, self.norm, self.drop = nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Dropout(0.5)
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.register_buffer("last", torch.zeros(6))
        self.hidden, self.log, self.calls = None, [], 0

    def forward(self, x):
        self.steps += 1
        self.calls += 1
        self.hidden = self.drop(self.norm(self.fc(x)))
        self.last = self.hidden.mean(0)
        self.log.append(self.hidden.shape)
        return self.hidden


class Noisy(nn.Module):
    """Draws random numbers from torch, NumPy and Python while it runs, also in eval mode."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        return self.fc(x) + torch.randn(3) + np.random.rand() + random.random()


class NeverRuns(nn.Module):
    """Has layers that forward does not call."""

    def __init__(self):
        super().__init__()
        self.fc, self.spare, self.block = (
            nn.Linear(6, 3),
            nn.Linear(6, 3),
            nn.Sequential(nn.Linear(2, 2), nn.ReLU()),
        )
        self.empty, self.weights = nn.ModuleList(), nn.ParameterList([nn.Parameter(torch.zeros(2))])

    def forward(self, x):
        return self.fc(x)


class Nested(nn.Module):
    """Blocks inside blocks, in Sequential, ModuleList and ModuleDict."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(6, 5), nn.Sequential(nn.LayerNorm(5), nn.GELU()))
        self.blocks = nn.ModuleList([nn.Linear(5, 5), ReusedLinearOfFive()])
        self.heads = nn.ModuleDict({"a": nn.Linear(5, 2), "b": nn.Linear(5, 1)})

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.heads["b"](x), self.heads["a"](x)


class ReusedLinearOfFive(nn.Module):
    """A small block for Nested."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, 5)

    def forward(self, x):
        return self.fc(F.silu(self.fc(x)))


class TwoInputs(nn.Module):
    """Takes two tensors."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Linear(6, 4), nn.Linear(3, 4), nn.Bilinear(4, 4, 2)

    def forward(self, x, y):
        return self.out(self.a(x), self.b(y).relu())


class Tokens(nn.Module):
    """Takes token ids and an optional mask by keyword, adds positions, returns a dict."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(11, 8), nn.Embedding(5, 8)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 11)

    def forward(self, input_ids, attention_mask=None):
        x = self.tokens(input_ids) + self.positions(torch.arange(input_ids.shape[1]))
        if attention_mask is not None:
            x = x * attention_mask.unsqueeze(-1)
        return {"logits": self.head(self.norm(x)), "ids": input_ids}


class OneDict(nn.Module):
    """Takes one dict, whose keys are no parameters."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 3)

    def forward(self, batch):
        return self.fc(batch["image"]).relu()


@dataclass
class Answer:
    """What DataclassOutput's layers return."""

    name: str
    logits: Tensor
    loss: Tensor | None = None


class AnswerHead(nn.Module):
    """A leaf that returns a dataclass."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6, 2))

    def forward(self, x):
        return Answer("answer", x @ self.weight)


class DataclassOutput(nn.Module):
    """A leaf returns a dataclass, whose tensor feeds the next layer."""

    def __init__(self):
        super().__init__()
        self.head, self.last = AnswerHead(), nn.Linear(2, 2)

    def forward(self, x):
        answer = self.head(x)
        return Answer("last", self.last(answer.logits))


class NoTensor(nn.Module):
    """A leaf that returns nothing, and one that returns numbers."""

    class Nothing(nn.Module):
        def forward(self, x):
            return None

    class Number(nn.Module):
        def forward(self, x):
            return {"mean": 0.5}

    def __init__(self):
        super().__init__()
        self.nothing, self.number, self.fc = self.Nothing(), self.Number(), nn.Linear(6, 2)

    def forward(self, x):
        self.nothing(x)
        return self.fc(x) * self.number(x)["mean"]


class Attention(nn.Module):
    """MultiheadAttention, whose out_proj is not called as a module, after a permutation."""

    def __init__(self):
        super().__init__()
        self.patches, self.attention, self.head = (
            nn.Conv2d(1, 8, 4, 4),
            nn.MultiheadAttention(8, 2, batch_first=True),
            nn.Linear(8, 2),
        )

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        h, _ = self.attention(x, x, x)
        return self.head((x + h)[:, 0])


class Recurrent(nn.Module):
    """LSTM and GRU: tuple outputs."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.head = (
            nn.LSTM(6, 5, batch_first=True),
            nn.GRU(5, 4, batch_first=True),
            nn.Linear(4, 2),
        )

    def forward(self, x):
        x, _ = self.lstm(x)
        _, h = self.gru(x.tanh())
        return self.head(h[-1])


class Packed(nn.Module):
    """A GRU on a packed sequence."""

    def __init__(self):
        super().__init__()
        self.gru, self.head = nn.GRU(6, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        lengths = torch.tensor([x.shape[1]] * x.shape[0])
        out, _ = self.gru(rnn.pack_padded_sequence(x, lengths, batch_first=True))
        return self.head(rnn.pad_packed_sequence(out, batch_first=True)[0])


class CellLoop(nn.Module):
    """An LSTMCell called once a step, on slices of the input."""

    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(6, 4)

    def forward(self, x):
        state = None
        for step in range(x.shape[1]):
            state = self.cell(x[:, step], state)
        return state[0]


class Parametrised(nn.Module):
    """Weight norm and spectral norm: the weight is made by modules while the layer runs."""

    def __init__(self):
        super().__init__()
        self.a = parametrizations.weight_norm(nn.Linear(6, 5))
        self.b = parametrizations.spectral_norm(nn.Linear(5, 4))

    def forward(self, x):
        return self.b(self.a(x).relu())


class Scripted(nn.Module):
    """Half of the model is TorchScript, whose insides cannot be seen."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # people still have such models
            self.script = torch.jit.trace(nn.Sequential(nn.Linear(5, 4), nn.ReLU()), torch.zeros(2, 5))

    def forward(self, x):
        return self.script(self.fc(x))


class ChannelsMoved(nn.Module):
    """Convolution, channels moved last for LayerNorm and Linear, and back."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.wide = nn.Conv2d(1, 4, 3), nn.LayerNorm(4), nn.Linear(4, 8)
        self.act, self.narrow, self.back, self.pool = nn.GELU(), nn.Linear(8, 4), nn.ReLU(), nn.AvgPool2d(2)

    def forward(self, x):
        h = self.conv(x).permute(0, 2, 3, 1)
        h = self.narrow(self.act(self.wide(self.norm(h))))
        return self.pool(self.back(h.permute(0, 3, 1, 2)))


class Swish(nn.Module):
    """An activation written out as a module."""

    def forward(self, x):
        return x * torch.sigmoid(x)


class OwnActivation(nn.Module):
    """Uses a written-out activation module."""

    def __init__(self):
        super().__init__()
        self.fc1, self.swish, self.fc2 = nn.Linear(6, 5), Swish(), nn.Linear(5, 3)

    def forward(self, x):
        return self.fc2(self.swish(self.fc1(x)))


class Double(torch.autograd.Function):
    """A custom autograd function."""

    @staticmethod
    def forward(ctx, x):
        return x * 2


class CustomFunction(nn.Module):
    """A custom autograd function stands between two layers."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.b(Double.apply(self.a(x)))


class ThroughNumpy(nn.Module):
    """Values leave torch and come back."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.b(torch.from_numpy(self.a(x).numpy() * 2))


class Recursive(nn.Module):
    """Calls itself, then its layer."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x, depth=2):
        return self.fc(x) if depth == 0 else self(x, depth - 1).tanh()


class Catches(nn.Module):
    """A layer fails and forward carries on without it."""

    def __init__(self):
        super().__init__()
        self.wrong, self.right = nn.Sequential(nn.Linear(7, 3)), nn.Linear(6, 3)

    def forward(self, x):
        try:
            return self.wrong(x)
        except RuntimeError:
            return self.right(x)


class UserHooks(nn.Module):
    """The user's own hooks change the input and output of a layer."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 5), nn.Linear(5, 3)
        self.a.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
        self.a.register_forward_hook(lambda module, args, output: output + 1)

    def forward(self, x):
        return self.b(self.a(x))


class InputByName(nn.Module):
    """A layer is called 'input'."""

    def __init__(self):
        super().__init__()
        self.input, self.output = nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.output(self.input(x))


class WeightsOnly(nn.Module):
    """No submodule at all."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6, 3))

    def forward(self, x):
        return x @ self.weight


class ComplexAndSparse(nn.Module):
    """Leaves that return complex and sparse tensors."""

    class Spectrum(nn.Module):
        def forward(self, x):
            return torch.fft.fft(x)

    class Sparse(nn.Module):
        def forward(self, x):
            return x.relu().to_sparse()

    def __init__(self):
        super().__init__()
        self.spectrum, self.sparse, self.fc = self.Spectrum(), self.Sparse(), nn.Linear(6, 2)

    def forward(self, x):
        return self.fc(self.spectrum(x).abs() + self.sparse(x).to_dense())


class Raises(nn.Module):
    """The second layer gets the wrong width."""

    def __init__(self):
        super().__init__()
        self.first, self.relu, self.body = nn.Linear(6, 5), nn.ReLU(), nn.Sequential(nn.Linear(4, 3))

    def forward(self, x):
        return self.body(self.relu(self.first(x)))


class RaisesBetween(nn.Module):
    """Fails in its own forward, outside every layer."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 5)

    def forward(self, x):
        self.first(x)
        raise ValueError("this model does not like you")


class Interrupted(nn.Module):
    """The user presses the stop button during the second layer."""

    class Stop(nn.Module):
        def forward(self, x):
            raise KeyboardInterrupt

    def __init__(self):
        super().__init__()
        self.first, self.stop = nn.Linear(6, 5), self.Stop()

    def forward(self, x):
        return self.stop(self.first(x))


class Case(NamedTuple):
    """One animal of the zoo."""

    name: str
    make: Callable[[], nn.Module]
    make_input: Callable[[], Any]


def rows(*shape: int) -> Callable[[], Tensor]:
    """A factory of the same random numbers each time."""
    return lambda: torch.randn(*shape, generator=torch.Generator().manual_seed(7))


def tokens() -> Tensor:
    return torch.arange(35).reshape(7, 5) % 11


flat, image, sequence = rows(7, 6), rows(7, 1, 8, 8), rows(7, 4, 6)

ZOO = [
    Case("linear", lambda: nn.Linear(6, 3), flat),
    Case("sequential", lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2)), flat),
    Case("empty sequential", nn.Sequential, flat),
    Case("one sample", lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU()), rows(1, 6)),
    Case("convolution without batch", lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), rows(1, 8, 8)),
    Case("bfloat16", lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU()).bfloat16(), lambda: flat().bfloat16()),
    Case("half", lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU()).half(), lambda: flat().half()),
    Case("double", lambda: nn.Sequential(nn.Linear(6, 5), nn.Tanh()).double(), lambda: flat().double()),
    Case(
        "batch norm",
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
        image,
    ),
    Case("conv1d", lambda: nn.Sequential(nn.Conv1d(4, 3, 2), nn.ReLU(), nn.MaxPool1d(2)), sequence),
    Case("weight shared", TwoNames, flat),
    Case("mlp", Mlp, flat),
    Case("functional", Functional, image),
    Case("reused relu", ReusedRelu, flat),
    Case("reused linear", ReusedLinear, flat),
    Case("in place", InPlace, flat),
    Case("in place through a view", InPlaceThroughView, flat),
    Case("skip", Skip, image),
    Case("branches", Branches, flat),
    Case("stateful", Stateful, flat),
    Case("noisy", Noisy, flat),
    Case("never runs", NeverRuns, flat),
    Case("nested", Nested, flat),
    Case("two inputs", TwoInputs, lambda: (flat(), rows(7, 3)())),
    Case("tokens", Tokens, tokens),
    Case("keywords", Tokens, lambda: {"input_ids": tokens(), "attention_mask": torch.ones(7, 5)}),
    Case("one dict", OneDict, lambda: {"image": flat(), "label": "cat"}),
    Case("dataclass output", DataclassOutput, flat),
    Case("no tensor", NoTensor, flat),
    Case("attention", Attention, image),
    Case("transformer", lambda: nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), sequence),
    Case("recurrent", Recurrent, sequence),
    Case("packed", Packed, sequence),
    Case("cell loop", CellLoop, sequence),
    Case("parametrised", Parametrised, flat),
    Case("scripted", Scripted, flat),
    Case("channels moved", ChannelsMoved, image),
    Case("own activation", OwnActivation, flat),
    Case("custom function", CustomFunction, flat),
    Case("through numpy", ThroughNumpy, flat),
    Case("recursive", Recursive, flat),
    Case("catches", Catches, flat),
    Case("user hooks", UserHooks, flat),
    Case("layer called input", InputByName, flat),
    Case("weights only", WeightsOnly, flat),
    Case("complex and sparse", ComplexAndSparse, flat),
]

RAISING = [
    Case("raises in a layer", Raises, flat),
    Case("raises between layers", RaisesBetween, flat),
]
