"""`Span`: a piece of a model as a function, against the recording and against random networks run by hand."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_state import prepared, state
from models import ZOO, Mlp
from torch import nn

from nbwidgets_nn.record._pass import Pass
from nbwidgets_nn.record._state import unchanged
from nbwidgets_nn.record.span import Span
from nbwidgets_nn.record.topology import topology_of

REFUSED = re.compile(
    "in_layer: expected a layer before '.*', got '.*', which runs after '.*'. Try: in_layer='.*', layer='.*'|"
    "in_layer: expected a layer that feeds '.*', got '.*', from which no data flows to '.*'. Try: one of |"
    r"layer: expected a layer that reads floating numbers, got '.*' \(.*\), which reads .*. Try: |"
    r"layer: expected a layer that returns real numbers, got '.*' \(.*\), which returns "
)


def legal_spans(topology):
    for start in topology:
        for end in topology:
            try:
                yield start, end, Span(topology, start, end)
            except ValueError as error:  # noqa: PERF203
                assert REFUSED.search(str(error)), error  # noqa: PT017 - most do not raise


def calls_of_first_sample(topology):
    """What the model's calls read and return for the sample that sets everything outside a span."""
    network = topology.graph["recording"].network
    one = Pass(network, keep_tensors=True)
    with unchanged(network):
        one.run(topology.graph["arguments"])
    return {call.name: call for call in one.calls}


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_every_span_of_the_zoo_gives_the_recorded_output_for_the_recorded_input(case):
    topology = topology_of(case.make(), case.make_input())
    calls = calls_of_first_sample(topology)
    for start, end, span in legal_spans(topology):
        read, returned = calls[topology.nodes[start]["name"]], calls[topology.nodes[end]["name"]]
        expected = returned.output.to_dense().double().reshape(1, -1)
        y = span(read.input.reshape(1, -1))
        tolerance = 0.02 if read.input.element_size() == 2 else 1e-5
        torch.testing.assert_close(y, expected, rtol=tolerance, atol=tolerance)
        assert (span.inputs, span.outputs) == (read.input.numel(), expected.numel())


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_rows_together_are_rows_one_by_one(case):
    topology = topology_of(case.make(), case.make_input())
    for _, _, span in legal_spans(topology):
        x = torch.rand(3, span.inputs) - 0.5
        tolerance = 0.05 if case.name in ("half", "bfloat16") else 1e-4
        torch.testing.assert_close(
            span(x), torch.cat([span(row) for row in x.split(1)]), rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_the_model_is_as_before(case):
    network, values = prepared(case)
    topology = topology_of(network, values)
    before = state(network, values)
    for _, _, span in legal_spans(topology):
        span(torch.linspace(-1, 1, 2 * span.inputs).reshape(2, -1))
        after = state(network, values)
        for what, value in before.items():
            assert after[what] == value, (what, span)


def test_the_zoos_spans_are_not_all_refused():
    """The tests above would pass if every span were refused."""
    counts = {}
    for case in ZOO:
        topology = topology_of(case.make(), case.make_input())
        counts[case.name] = len(list(legal_spans(topology))), len(topology)
    assert counts["transformer"] == (15, 5)
    assert counts["nested"] == (27, 7)
    assert counts["skip"] == (6, 3)
    assert counts["through numpy"] == (2, 2)
    assert sum(spans for spans, _ in counts.values()) > 150


class Readers(nn.Module):
    """Step k reads the value `wires[k]`, and the value `skips[k]` is added behind it."""

    def __init__(self, wires, skips):
        super().__init__()
        self.steps = nn.ModuleList(nn.Linear(3, 3) for _ in wires)
        self.wires, self.skips = wires, skips

    def forward(self, x):
        return self.by_hand(x)[0][-1]

    def by_hand(self, x, place=None, v=None):
        """All values and all outputs, with the value `place` set to `v` for all who read it."""
        values, outputs = [x], []
        for step, wire, skip in zip(self.steps, self.wires, self.skips, strict=True):
            if len(values) - 1 == place:
                values[-1] = v
            outputs.append(step(values[wire]))
            values.append(outputs[-1] + values[skip])
        return values, outputs


@st.composite
def readers(draw):
    count = draw(st.integers(1, 6))
    return Readers(*([draw(st.integers(0, k)) for k in range(count)] for _ in range(2)))


@settings(max_examples=60, deadline=None)
@given(readers(), st.integers(1, 4), st.data())
def test_random_networks_whose_values_have_several_readers(network, samples, data):
    x, v = torch.randn(samples, 3), torch.randn(5, 3)
    start, end = (data.draw(st.sampled_from(range(len(network.steps)))) for _ in range(2))
    topology = topology_of(network, x)
    try:
        span = Span(topology, network.steps[start], network.steps[end])
    except ValueError as error:
        assert REFUSED.search(str(error))  # noqa: PT017 - most do not raise
        return
    with torch.no_grad():
        _, outputs = network.by_hand(x[:1].expand(5, 3), network.wires[start], v)
    torch.testing.assert_close(span(v).float(), outputs[end])


def test_shapes_and_names():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 2))
    topology = topology_of(network, torch.randn(2, 1, 5, 5))
    span = Span(topology, network[0], network[3])
    assert (span.name, span.in_shape, span.out_shape) == ("0 → 3", (1, 5, 5), (2,))
    assert (span.inputs, span.outputs, span.notes) == (25, 2, ())
    assert Span(topology, "0", "0").name == "0"
    assert repr(span) == "Span('0 → 3', (1, 5, 5) → (2,))"


def test_the_output_is_that_of_the_layer_alone():
    """The activation behind it is not applied."""
    network = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU()).eval()
    x = torch.randn(4, 3)
    span = Span(topology_of(network, x), network[0], network[2])
    torch.testing.assert_close(span(x).float(), network[:3](x).detach())
    assert span(x).min() < 0


DTYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("given_dtype", [torch.float32, torch.float64])
def test_runs_in_the_models_dtype_and_gives_float64(dtype, given_dtype):
    network = nn.Linear(6, 3).to(dtype)
    span = Span(topology_of(network, torch.zeros(1, 6, dtype=dtype)), network, network)
    x = torch.randn(5, 6, dtype=given_dtype)
    before = x.clone()
    y = span(x)
    assert y.dtype == torch.float64
    assert torch.equal(y, network(x.to(dtype)).detach().double())
    assert torch.equal(x, before)


def test_no_rows():
    network = Mlp()
    assert Span(topology_of(network, torch.zeros(1, 6)), "fc1", "out")(torch.zeros(0, 6)).shape == (0, 3)


def test_rows_of_another_width():
    network = Mlp()
    span = Span(topology_of(network, torch.zeros(1, 6)), "fc1", "out")
    for x in (torch.zeros(2, 5), torch.zeros(6), torch.zeros(1, 1, 6)):
        with pytest.raises(
            ValueError, match=r"x: expected shape \(n, 6\), the inputs of fc1 → out, got shape"
        ):
            span(x)


def test_running_gives_the_same_as_single_calls():
    network = Mlp()
    span = Span(topology_of(network, torch.zeros(1, 6)), "fc1", "out")
    pieces = torch.randn(7, 6).split(3)
    with span.running() as run:
        assert not any(module.training for module in network.modules())
        together = [run(piece) for piece in pieces]
    assert all(module.training for module in network.modules())
    assert all(torch.equal(y, span(piece)) for y, piece in zip(together, pieces, strict=True))


def test_weights_may_change_after_the_topology():
    network = Mlp()
    span = Span(topology_of(network, torch.zeros(1, 6)), "fc1", "out")
    with torch.no_grad():
        network.out.weight.zero_()
    assert torch.equal(span(torch.randn(2, 6)).float(), network.out.bias.detach().expand(2, 3))


def test_stops_behind_the_last_layer():
    ran = []
    network = nn.Sequential(*(nn.Linear(2, 2) for _ in range(3)))
    span = Span(topology_of(network, torch.zeros(1, 2)), "0", "1")
    for layer in network:
        layer.register_forward_hook(lambda layer, *_: ran.append(layer))
    span(torch.zeros(1, 2))
    assert network[1] in ran
    assert network[2] not in ran


def test_a_layer_alone_runs_without_the_rest():
    network = nn.Sequential(*(nn.Linear(2, 2) for _ in range(3)))
    span = Span(topology_of(network, torch.zeros(1, 2)), "1", "1")
    network[0].forward = network[2].forward = None
    span(torch.zeros(1, 2))


class MixesSamples(nn.Module):
    """Subtracts the mean over the batch."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        h = self.a(x)
        return self.b(h - h.mean(0) / 2)


def test_samples_of_a_model_that_mixes_them_run_one_by_one():
    network = MixesSamples()
    span = Span(topology_of(network, torch.randn(5, 4)), "a", "b")
    x = torch.randn(3, 4)
    expected = torch.cat([network(row) for row in x.split(1)]).detach()
    torch.testing.assert_close(span(x).float(), expected)
    assert span.notes == ("samples run one by one, as running them together fails or gives something else",)


def test_a_layer_with_a_number_for_each_pair_of_samples():
    class Gram(nn.Module):
        def forward(self, x):
            return x @ x.T

    network = nn.Sequential(nn.Linear(3, 4), Gram())
    span = Span(topology_of(network, torch.randn(5, 3)), "0", "1")
    assert (span.in_shape, span.out_shape) == ((3,), (1, 1))
    x = torch.randn(4, 3)
    torch.testing.assert_close(span(x).float(), network(x).detach().diagonal()[:, None])


def test_one_layer_has_no_note_about_others_that_read_its_input():
    network, x = next((case.make(), case.make_input()) for case in ZOO if case.name == "through numpy")
    assert Span(topology_of(network, x), "b", "b").notes == ()


def test_a_model_that_takes_one_image_without_a_batch():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
    span = Span(topology_of(network, torch.randn(3, 6, 6)), "0", "2")
    assert span.in_shape == (3, 6, 6)
    x = torch.randn(4, 3, 6, 6)
    torch.testing.assert_close(span(x.flatten(1)).float(), network(x).flatten(1).detach())


class TimeFirst(nn.Module):
    """The samples are axis 1 behind a transpose, and share an axis with the tokens behind a flatten."""

    def __init__(self):
        super().__init__()
        self.rnn, self.flat, self.last = nn.RNN(3, 4), nn.Linear(4, 2), nn.Linear(2, 2)

    def forward(self, x):
        h, _ = self.rnn(x.transpose(0, 1))
        h = self.flat(h.transpose(0, 1).reshape(-1, 4))
        return self.last(h.reshape(len(x), -1, 2))


def test_samples_on_another_axis():
    network = TimeFirst()
    x = torch.randn(2, 5, 3)
    topology = topology_of(network, x)
    span = Span(topology, "rnn", "last")
    assert (span.in_shape, span.out_shape, span.notes) == ((5, 3), (5, 2), ())
    torch.testing.assert_close(span(x.flatten(1)).float(), network(x).flatten(1).detach())
    span = Span(topology, "flat", "last")
    assert (span.in_shape, span.notes) == ((5, 4), ())
    h = torch.randn(3, 5, 4)
    torch.testing.assert_close(span(h.flatten(1)).float(), network.last(network.flat(h)).flatten(1).detach())
