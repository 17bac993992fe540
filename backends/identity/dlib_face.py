"""dlib's face recognition network: a residual network of 29 layers, 128 numbers for a face.

King, dlib C++ library, ``dlib_face_recognition_resnet_model_v1``, 2017 (CC0); He et al., Deep residual
learning for image recognition, CVPR 2016, with half the layers and filters. dlib takes two faces for the
same person where their vectors are less than 0.6 apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from backends.errors import InputError
from backends.identity.dlib_file import DlibReader
from backends.identity.types import F4, U1, Subject

SIZE = 150
LENGTH = 128
_BATCH = 32
_SCALE = 256.0
_STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Filters, blocks, and whether the first block halves the picture: from the picture to the vector."""
_STEM, _STEM_KERNEL = 32, 7


@dataclass(frozen=True, slots=True, eq=False)
class _Convolution:
    """A convolution and the scale and shift of its outputs (folded in)."""

    weight: torch.Tensor
    bias: torch.Tensor
    stride: int

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        kernel = int(self.weight.shape[-1])
        padding = kernel // 2 if self.stride == 1 else 0
        y: torch.Tensor = functional.conv2d(x, self.weight, self.bias, self.stride, padding)
        return y


class DlibFaceEmbedder:
    """The network with its weights; pictures are (150, 150, 3)."""

    name = "dlib's face recognition (ResNet-29)"
    subject: Subject = "face"
    size = (SIZE, SIZE)

    def __init__(self, weights: Path, stages: Sequence[tuple[int, int, bool]] = _STAGES) -> None:
        """Read the weights.

        Args:
            stages: filters, blocks and whether the first block halves the picture; other than dlib's own
                for tests.

        Raises:
            WeightsError: the file is missing, damaged, or another network.
        """
        reader = DlibReader(weights)
        _read_head(reader, stages)
        self._mean = torch.tensor(_read_input(reader)).view(1, 3, 1, 1)
        self._stem = _read_convolution(reader, 3, _STEM, _STEM_KERNEL, 2, first=True)
        _read_plain(reader, "relu_")
        _read_pool(reader, "max_pool_2", (3, 3, 2, 2, 0, 0))
        self._blocks: list[tuple[_Convolution, _Convolution]] = []
        before = _STEM
        for filters, blocks, halves in stages:
            for i in range(blocks):
                down = halves and i == 0
                first = _read_convolution(reader, before, filters, 3, 2 if down else 1)
                _read_plain(reader, "relu_")
                second = _read_convolution(reader, filters, filters, 3, 1)
                if down:
                    _read_pool(reader, "avg_pool_2", (2, 2, 2, 2, 0, 0))
                reader.expect_text("add_prev_")
                _read_state(reader)
                _read_plain(reader, "relu_")
                self._blocks.append((first, second))
                before = filters
        _read_pool(reader, "avg_pool_2", (0, 0, 1, 1, 0, 0))
        self._last = _read_last(reader, before)
        reader.end()

    def embed(self, pictures: Sequence[U1]) -> F4:
        """See :class:`backends.identity.types.Embedder`."""
        raw = self.raw(pictures)
        return np.asarray(raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9), np.float32)

    def raw(self, pictures: Sequence[U1]) -> F4:
        """(N, 128) as dlib itself gives them, not of length 1.

        Raises:
            InputError: a picture of another size or type.
        """
        for picture in pictures:
            if picture.shape != (SIZE, SIZE, 3) or picture.dtype != np.uint8:
                raise InputError(f"a face must be {SIZE} x {SIZE} RGB, not {picture.shape} {picture.dtype}")
        found = [np.zeros((0, LENGTH), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(pictures), _BATCH):
                stack = np.stack(pictures[start : start + _BATCH]).astype(np.float32)
                x = torch.from_numpy(stack).permute(0, 3, 1, 2)
                found.append(self._forward((x - self._mean) / _SCALE).numpy())
        return np.concatenate(found)

    def _forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(functional.relu(self._stem(x)), 3, 2)
        for first, second in self._blocks:
            y = second(functional.relu(first(x)))
            shortcut = functional.avg_pool2d(x, 2, 2) if first.stride == 2 else x
            x = functional.relu(_sum(y, shortcut))
        return x.mean(dim=(2, 3)) @ self._last


def _sum(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Of two stacks of maps; what the smaller one lacks, in maps or pixels, counts as 0."""
    shape = [max(p, q) for p, q in zip(a.shape, b.shape)]

    def padded(x: torch.Tensor) -> torch.Tensor:
        missing = [want - have for want, have in zip(shape, x.shape)]
        filled: torch.Tensor = functional.pad(x, (0, missing[3], 0, missing[2], 0, missing[1]))
        return filled

    return padded(a) + padded(b)


def _read_head(reader: DlibReader, stages: Sequence[tuple[int, int, bool]]) -> None:
    """The loss that it was trained with, and the versions of the layers, from the last to the first."""
    reader.expect(1)
    reader.expect_text("loss_metric_2")
    reader.fraction()
    reader.fraction()
    layer, tag = 2, 1
    versions = [layer, layer]  # the vector, the mean
    for _, blocks, halves in reversed(stages):
        for i in reversed(range(blocks)):
            down = halves and i == 0
            versions += [layer, layer]  # relu, sum
            versions += [layer, tag, tag] if down else []  # the shortcut's mean, where it leaves and where to
            versions += [layer] * 5 + [tag]  # scale, convolution, relu, scale, convolution
    versions += [layer] * 3  # maximum, relu, scale
    reader.expect(*versions, 3)


def _read_input(reader: DlibReader) -> list[float]:
    """The mean colour that is taken away, RGB."""
    reader.expect_text("input_rgb_image_sized")
    mean = [reader.fraction() for _ in range(3)]
    reader.expect(SIZE, SIZE)
    return mean


def _read_state(reader: DlibReader) -> None:
    """What is left of training: three truth values, three tensors without values."""
    reader.truths(3)
    for _ in range(3):
        reader.empty_tensor()


def _read_plain(reader: DlibReader, name: str) -> None:
    reader.expect_text(name)
    _read_state(reader)


def _read_pool(reader: DlibReader, name: str, shape: tuple[int, ...]) -> None:
    reader.expect_text(name)
    reader.expect(*shape)
    _read_state(reader)


def _read_convolution(
    reader: DlibReader, inputs: int, filters: int, kernel: int, stride: int, *, first: bool = False
) -> _Convolution:
    """A convolution and the scale and shift that follow it."""
    padding = kernel // 2 if stride == 1 else 0
    count = filters * inputs * kernel * kernel
    reader.expect_text("con_4")
    values = reader.tensor(count + filters, 1, 1, 1).reshape(-1)
    reader.expect(filters, kernel, kernel, stride, stride, padding, padding)
    reader.part(filters, inputs, kernel, kernel)
    reader.part(1, filters, 1, 1)
    for _ in range(4):
        reader.fraction()
    _read_state(reader)
    if first:
        reader.expect(1)
    reader.expect_text("affine_")
    affine = reader.tensor(2 * filters, 1, 1, 1).reshape(2, filters)
    reader.part(1, filters, 1, 1)
    reader.part(1, filters, 1, 1)
    reader.expect(0)
    _read_state(reader)
    scale, shift = affine
    weight = values[:count].reshape(filters, inputs, kernel, kernel) * scale[:, None, None, None]
    bias = values[count:] * scale + shift
    return _Convolution(torch.from_numpy(weight), torch.from_numpy(bias), stride)


def _read_last(reader: DlibReader, inputs: int) -> Any:
    """(inputs, 128) from the maps' means to the vector."""
    reader.expect_text("fc_2")
    reader.expect(LENGTH, inputs)
    values = reader.tensor(inputs, LENGTH, 1, 1)
    reader.part(inputs, LENGTH, 1, 1)
    reader.part(0, 0, 0, 0)
    reader.expect(1)
    for _ in range(4):
        reader.fraction()
    _read_state(reader)
    return torch.from_numpy(values.reshape(inputs, LENGTH))
