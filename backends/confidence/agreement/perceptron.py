"""Training of the published four-layer networks, compiled: batches of 32 are too small for a framework.

The layers, losses and optimisers are torch's own definitions (nn.Linear, BCELoss, CrossEntropyLoss, SGD
with momentum, Adam); one step here costs a tenth of a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

F4 = npt.NDArray[np.float32]
Array = Any
Sizes = tuple[int, int, int, int, int]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


class Layers(NamedTuple):
    """Weights (out, in) and biases (out,) of four linear layers, float32, as torch.nn.Linear holds them."""

    w1: F4
    b1: F4
    w2: F4
    b2: F4
    w3: F4
    b3: F4
    w4: F4
    b4: F4


def n_values(sizes: Sizes) -> int:
    """Weights and biases of four layers together."""
    return sum(n_out * (n_in + 1) for n_in, n_out in pairwise(sizes))


def as_layers(flat: F4, sizes: Sizes) -> Layers:
    """Views of a flat array (n_values,) as layers, in torch's order of parameters."""
    parts: list[F4] = []
    at = 0
    for n_in, n_out in pairwise(sizes):
        parts.append(flat[at : at + n_in * n_out].reshape(n_out, n_in))
        at += n_in * n_out
        parts.append(flat[at : at + n_out])
        at += n_out
    return Layers(*parts)


def _fresh(sizes: Sizes, rng: np.random.Generator) -> F4:
    """torch.nn.Linear's default start: uniform within 1 / sqrt(inputs)."""
    return np.concatenate(
        [rng.uniform(-1.0, 1.0, n_out * (n_in + 1)) / np.sqrt(n_in) for n_in, n_out in pairwise(sizes)]
    ).astype(np.float32)


def forward(layers: Layers, x: npt.ArrayLike) -> F4:
    """(N, out) outputs of the last layer before any sigmoid or softmax; ReLU between layers."""
    h = np.asarray(x, np.float32)
    for i in range(0, 8, 2):
        h = h @ layers[i].T + layers[i + 1]
        if i < 6:
            h = np.maximum(h, 0.0)
    return np.asarray(h, np.float32)


@numba.njit(cache=True, nogil=True)
def _linear(x: Array, w: Array, b: Array, relu: bool) -> Array:
    out = np.dot(x, w.T)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            v = out[i, j] + b[j]
            out[i, j] = v if v > 0 or not relu else np.float32(0.0)
    return out


@numba.njit(cache=True, nogil=True)
def _backward(g: Array, x: Array, w: Array, gw: Array, gb: Array, masked: bool) -> Array:
    """Gradients of one layer into ``gw``, ``gb``; the gradient of its input, through that input's ReLU."""
    np.dot(g.T, x, gw)
    gb[:] = np.float32(0.0)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            gb[j] += g[i, j]
    if not masked:
        return g
    gx = np.dot(g, w)
    for i in range(gx.shape[0]):
        for j in range(gx.shape[1]):
            if x[i, j] <= 0:
                gx[i, j] = np.float32(0.0)
    return gx


@numba.njit(cache=True, nogil=True)
def _loss_gradient(out: Array, target: Array, classes: bool) -> None:
    """Turn outputs into the gradient of the mean loss: sigmoid or softmax minus target, over the batch."""
    n = out.shape[0]
    for i in range(n):
        if classes:
            top = out[i].max()
            total = np.float32(0.0)
            for j in range(out.shape[1]):
                out[i, j] = np.exp(out[i, j] - top)
                total += out[i, j]
            for j in range(out.shape[1]):
                out[i, j] /= total
            out[i, target[i]] -= np.float32(1.0)
        else:
            out[i, 0] = np.float32(1.0) / (np.float32(1.0) + np.exp(-out[i, 0])) - np.float32(target[i])
        for j in range(out.shape[1]):
            out[i, j] /= np.float32(n)


@numba.njit(cache=True, nogil=True)
def _update(w: Array, g: Array, m: Array, v: Array, step: int, rate: float, momentum: float) -> None:
    """One step of flat parameters: SGD with ``momentum``, or Adam where that is 0."""
    if momentum > 0:
        for i in range(w.size):
            m[i] = np.float32(momentum) * m[i] + g[i]
            w[i] -= np.float32(rate) * m[i]
        return
    scale1 = np.float32(rate / (1.0 - _BETA1**step))
    scale2 = np.float32(1.0 / np.sqrt(1.0 - _BETA2**step))
    for i in range(w.size):
        m[i] = np.float32(_BETA1) * m[i] + np.float32(1.0 - _BETA1) * g[i]
        v[i] = np.float32(_BETA2) * v[i] + np.float32(1.0 - _BETA2) * g[i] * g[i]
        w[i] -= scale1 * m[i] / (np.sqrt(v[i]) * scale2 + np.float32(_EPSILON))


@numba.njit(cache=True, nogil=True)
def _epoch(
    x: Array, target: Array, order: Array, flat: Array, layers: Array, flat_grad: Array, grads: Array,
    first: Array, second: Array, step: int, batch: int, classes: bool, rate: float, momentum: float,
) -> int:  # fmt: skip
    w1, b1, w2, b2, w3, b3, w4, b4 = layers
    gw1, gb1, gw2, gb2, gw3, gb3, gw4, gb4 = grads
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        a0, t = x[rows], target[rows]
        a1 = _linear(a0, w1, b1, True)
        a2 = _linear(a1, w2, b2, True)
        a3 = _linear(a2, w3, b3, True)
        g = _linear(a3, w4, b4, False)
        _loss_gradient(g, t, classes)
        g = _backward(g, a3, w4, gw4, gb4, True)
        g = _backward(g, a2, w3, gw3, gb3, True)
        g = _backward(g, a1, w2, gw2, gb2, True)
        _backward(g, a0, w1, gw1, gb1, False)
        step += 1
        _update(flat, flat_grad, first, second, step, rate, momentum)
    return step


def train_layers(
    x: npt.ArrayLike, target: npt.ArrayLike, sizes: Sizes, *, seed: int, epochs: int, rate: float,
    momentum: float, batch: int = 32, check: Callable[[], object] | None = None,
) -> Layers:  # fmt: skip
    """Train four linear layers.

    Args:
        x: (N, sizes[0]). target: (N,) 0 or 1 where the network has one output (binary cross entropy on a
            sigmoid), else the class (cross entropy on a softmax).
        momentum: of SGD; 0 means Adam.
        check: called before every epoch; may raise to stop.
    """
    rng = np.random.default_rng(seed)
    flat = _fresh(sizes, rng)
    layers = as_layers(flat, sizes)
    rows, wanted = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(target, np.int64)
    gradient, first, second = (np.zeros_like(flat) for _ in range(3))
    grads = as_layers(gradient, sizes)
    step = 0
    for _ in range(epochs):
        if check is not None:
            check()
        order = rng.permutation(len(rows))
        step = _epoch(
            rows, wanted, order, flat, tuple(layers), gradient, tuple(grads), first, second, step, batch,
            sizes[-1] > 1, rate, momentum,
        )  # fmt: skip
    return layers
