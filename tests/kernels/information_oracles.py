"""Naive definitions that the tests of effective information compare with, and the layers that they ask about.

Nothing here knows how the package computes: values are binned one by one, where an output changes its bin is found by
walking along the line, distributions of sums are moving averages on a fine grid.
"""

from itertools import product

import numpy as np
import torch
from torch import nn

import nbwidgets_nn as nw

ACTIVATIONS = {
    "identity": None,
    "Sigmoid": nn.Sigmoid(),
    "Tanh": nn.Tanh(),
    "ReLU": nn.ReLU(),
    "LeakyReLU": nn.LeakyReLU(0.1),
    "ELU": nn.ELU(),
    "Softplus": nn.Softplus(),
    "Hardtanh": nn.Hardtanh(),
    "ReLU6": nn.ReLU6(),
    "GELU": nn.GELU(),
    "GELU tanh": nn.GELU(approximate="tanh"),
    "SiLU": nn.SiLU(),
    "Mish": nn.Mish(),
    "Hardswish": nn.Hardswish(),
    "Hardsigmoid": nn.Hardsigmoid(),
    "LogSigmoid": nn.LogSigmoid(),
    "Softsign": nn.Softsign(),
    "SELU": nn.SELU(),
    "CELU": nn.CELU(0.5),
    "Softshrink": nn.Softshrink(),
    "Hardshrink": nn.Hardshrink(),
    "Tanhshrink": nn.Tanhshrink(),
}
NOT_MONOTONE = ["GELU", "GELU tanh", "SiLU", "Mish", "Hardswish"]

ISSUE = [
    "identity",
    "Sigmoid",
    "Tanh",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "Softplus",
    "Hardtanh",
    "ReLU6",
    "GELU",
    "SiLU",
]
"""Those that must be exact."""


def golden(inputs, outputs, scale):
    """Weights of the golden layers: row k is the output."""
    return scale * np.cos(1.0 + np.arange(outputs)[:, None] * inputs + np.arange(inputs))


def linear(weights, bias=None):
    """Return a Linear of float64 with these weights, and its topology."""
    weights = torch.as_tensor(np.asarray(weights), dtype=torch.float64)
    layer = nn.Linear(weights.shape[1], weights.shape[0], bias=bias is not None, dtype=torch.float64)
    layer.weight.data = weights
    if bias is not None:
        layer.bias.data = torch.as_tensor(np.asarray(bias), dtype=torch.float64)
    return layer, topology(nn.Sequential(layer), (weights.shape[1],))


def topology(model, shape, dtype=torch.float64):
    """Return the topology of a model that takes one sample of this shape."""
    return nw.topology_of(model, torch.zeros(1, *shape, dtype=dtype))


def applied(activation, z):
    """Apply an activation of torch, or None, in float64."""
    if activation is None:
        return z
    with torch.no_grad():
        return activation(torch.from_numpy(np.ascontiguousarray(z, np.float64))).numpy()


def naive_bins(values, low, high, bins, outside="clip"):
    """Bin of each value; -1 for one that is dropped."""
    values = np.asarray(values)
    # digitize counts the edges at or below a value: 0 is below the range, bins + 1 above it, or its upper end.
    found = np.digitize(values, np.linspace(low, high, bins + 1)) - 1
    found = np.where(values == high, bins - 1, found)
    found = np.where((values < low) | (values > high), -1, found)
    if outside == "clip":
        found = np.where(values < low, 0, np.where(values > high, bins - 1, found))
    return found


def information(joint):
    """Mutual information in bits of a table of probabilities; what was dropped is missing from its sum."""
    joint = np.maximum(joint, 0.0)
    if joint.sum() <= 1e-15:
        return 0.0
    joint = joint / joint.sum()
    expected = joint.sum(1, keepdims=True) * joint.sum(0)
    seen = joint > 1e-18
    return float((joint[seen] * np.log2(joint[seen] / expected[seen])).sum())


def table(rows, columns):
    """Count pairs of whole numbers; pairs with a -1 are left out."""
    kept = (rows >= 0) & (columns >= 0)
    counts = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(counts, (rows[kept], columns[kept]), 1)
    return counts


def changes(label, start, stop, walk=20_001):
    """Return all points of (start, stop) where `label`, a function of an array, changes, and the label behind each."""
    x = np.linspace(start, stop, walk)
    labels = label(x)
    at = np.flatnonzero(labels[1:] != labels[:-1])
    low, high, before = x[at], x[at + 1], labels[at]
    for _ in range(80):
        middle = (low + high) / 2
        same = label(middle) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return high, np.append(labels[:1], labels[at + 1])


def cumulative(half_widths, reach, size=2**15):
    """Return the distribution function of a sum of independent uniforms on [-a, a], on a grid."""
    margin = 1.3 * reach
    t = np.linspace(-margin, margin, size)
    widths = sorted((a for a in half_widths if a > 1e-4 * reach), reverse=True)
    if not widths:
        return lambda s: (np.asarray(s) >= 0).astype(float)
    values = np.clip((t + widths[0]) / (2 * widths[0]), 0, 1)
    for a in widths[1:]:
        values = moving_average(t, values, a)(t)
    return lambda s: np.interp(s, t, values)


def moving_average(t, values, a):
    """Return s -> mean of the function over [s - a, s + a]; it is 1 beyond the end of the grid."""
    integral = np.concatenate([[0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(t))])

    def area(s):
        return np.interp(s, t, integral) + np.maximum(s - t[-1], 0)

    return lambda s: (area(s + a) - area(s - a)) / (2 * a)


def parts_oracle(weights, bias, activation, in_range, in_bins, out_range, out_bins, outside, pairs=None):
    """I(x_A; y_B) of one affine layer, all inputs random; of some pairs (A, B) only, NaN elsewhere."""
    weights, bias = np.asarray(weights, float), np.asarray(bias, float)
    outputs, inputs = weights.shape
    matrix = np.full((inputs, outputs), np.nan)
    half = (in_range[1] - in_range[0]) / 2
    for a, b in pairs if pairs is not None else product(range(inputs), range(outputs)):
        row = weights[b]
        center = bias[b] + row.sum() * (in_range[0] + in_range[1]) / 2
        joint = joint_of_sum(
            row * half,
            a,
            in_bins,
            lambda z, center=center: naive_bins(
                applied(activation, center + z), *out_range, out_bins, outside
            ),
            out_bins,
        )
        matrix[a, b] = information(joint)
    return matrix


def joint_of_sum(half_widths, a, bins, label, out_bins):
    """Joint probabilities of the bin of input `a` and the label of the sum."""
    reach = np.abs(half_widths).sum() or 1.0
    points, labels = changes(label, -reach, reach)
    points = np.concatenate([[-2 * reach], points, [2 * reach]])
    others = cumulative(np.abs(np.delete(half_widths, a)), reach)
    own = abs(half_widths[a]) / bins
    shifts = half_widths[a] * (2 * np.arange(bins) + 1 - bins) / bins
    fine = np.linspace(-1.3 * reach, 1.3 * reach, 2**15)
    if np.count_nonzero(half_widths) == 1 and half_widths[a]:
        given = [np.clip((points - shift + own) / (2 * own), 0, 1) for shift in shifts]
    elif own > 1e-4 * reach:
        smooth = moving_average(fine, others(fine), own)
        given = [smooth(points - shift) for shift in shifts]
    else:
        given = [others(points - shift) for shift in shifts]
    joint = np.zeros((bins, out_bins))
    for i, values in enumerate(given):
        for probability, k in zip(np.diff(values), labels, strict=True):
            if k >= 0:
                joint[i, k] += probability / bins
    return joint


def sensitivity_oracle(weights, bias, activation, in_range, in_bins, out_range, out_bins, outside):
    """I(x_A; y_B) of one affine layer, the other inputs 0."""
    weights = np.asarray(weights, float)
    matrix = np.zeros(weights.T.shape)
    for b, a in np.ndindex(weights.shape):
        matrix[a, b] = information_of_line(
            lambda x, a=a, b=b: naive_bins(
                applied(activation, bias[b] + weights[b, a] * x), *out_range, out_bins, outside
            ),
            in_range,
            in_bins,
        )
    return matrix


def information_of_line(label, in_range, in_bins):
    """Bits between the bin of one uniform number and a label of it, which is -1 where it is dropped."""
    points, _ = changes(label, *in_range)
    edges = np.linspace(*in_range, in_bins + 1)
    ends = np.unique(np.concatenate([edges, points]))
    middles = (ends[1:] + ends[:-1]) / 2
    rows = np.clip(np.searchsorted(edges, middles, side="right") - 1, 0, in_bins - 1)
    columns = label(middles)
    joint = np.zeros((in_bins, max(columns.max(), 0) + 1))
    kept = columns >= 0
    np.add.at(joint, (rows[kept], columns[kept]), np.diff(ends)[kept])
    return information(joint)


def grid_points(inputs, in_range, in_bins, inside):
    """Return a fine grid over all inputs, `inside` points a bin and axis, and the bin of each coordinate."""
    size = in_bins * inside
    axis = in_range[0] + (in_range[1] - in_range[0]) * (np.arange(size) + 0.5) / size
    places = np.stack(np.meshgrid(*[np.arange(size)] * inputs, indexing="ij"), -1).reshape(-1, inputs)
    return axis[places], places // inside


def codes(labels, bins):
    """One number for a row of bins; -1 where one of them is -1."""
    code = np.zeros(len(labels), int)
    for column in labels.T:
        code = code * bins + column
    return np.where((labels < 0).any(1), -1, code)


def vector_oracle(function, inputs, in_range, in_bins, out_range, out_bins, outside="clip", inside=40):
    """I(X; Y) of all bins together, on a fine grid of points in every cell."""
    x, cells = grid_points(inputs, in_range, in_bins, inside)
    labels = naive_bins(function(x), *out_range, out_bins, outside)
    _, columns = np.unique(codes(labels, out_bins), return_inverse=True)
    columns = np.where((labels < 0).any(1), -1, columns.ravel())
    return information(table(codes(cells, in_bins), columns))
