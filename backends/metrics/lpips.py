"""LPIPS: how alike two pictures are to a network, where its weights are there.

Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018, equation
1, version 0.1 with AlexNet. The weights are not shipped: they are a file that the authors' package
writes with ``torch.save(lpips.LPIPS(net="alex").state_dict(), "lpips_alex.pth")``.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from backends.errors import InputError, WeightsError
from backends.metrics.pictures import U1, paired_pictures

_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_SLICES = (
    (1, 0, 4, 2, False),
    (2, 3, 1, 2, True),
    (3, 6, 1, 1, True),
    (4, 8, 1, 1, False),
    (5, 10, 1, 1, False),
)
"""AlexNet's convolutions: slice, layer, stride, padding, and whether a 3 x 3 maximum comes before."""
_LEAST = 32


class Lpips:
    """The metric with its weights loaded."""

    def __init__(self, weights: Path) -> None:
        """Read the weights.

        Raises:
            WeightsError: the file is not there, damaged, unsafe to load or of another network.
        """
        if not weights.is_file():
            raise WeightsError(
                f"LPIPS is not available: its weights {weights.name} are not there. Write them with the "
                'lpips package: torch.save(lpips.LPIPS(net="alex").state_dict(), "lpips_alex.pth").'
            )
        try:
            state = torch.load(weights, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
            raise WeightsError(f"{weights.name} is damaged, or holds more than arrays.") from error
        if not isinstance(state, dict):
            raise WeightsError(f"{weights.name} holds no weights of LPIPS.")
        self._convolutions, self._weights = [], []
        for number, layer, stride, padding, pooled in _SLICES:
            name = f"net.slice{number}.{layer}"
            names = f"{name}.weight", f"{name}.bias", f"lin{number - 1}.model.1.weight"
            found: list[Any] = [state.get(n) for n in names]
            if not all(torch.is_tensor(t) and t.is_floating_point() for t in found):
                raise WeightsError(f"{weights.name} lacks {name}: it holds no weights of LPIPS with AlexNet.")
            kernel, bias, weight = found
            self._convolutions.append((kernel.float(), bias.float(), stride, padding, pooled))
            self._weights.append(weight.float())

    def __call__(self, estimate: npt.ArrayLike, truth: npt.ArrayLike) -> float:
        """The distance of two uint8 RGB pictures (H, W, 3); 0 where they are the same.

        Raises:
            InputError: other arrays, different sizes, or a side under 32 pixels.
        """
        p, q = paired_pictures(estimate, truth)
        if p.ndim != 3 or min(p.shape[:2]) < _LEAST:
            raise InputError(f"LPIPS needs RGB pictures of at least {_LEAST} x {_LEAST}, got {p.shape}.")
        with torch.inference_mode():
            a, b = _normed(p), _normed(q)
            total = 0.0
            for (kernel, bias, stride, padding, pooled), weight in zip(self._convolutions, self._weights):
                if pooled:
                    a, b = (functional.max_pool2d(x, 3, 2) for x in (a, b))
                a, b = (functional.relu(functional.conv2d(x, kernel, bias, stride, padding)) for x in (a, b))
                difference = (_unit(a) - _unit(b)) ** 2
                total += float(functional.conv2d(difference, weight).mean())
        return total


def _normed(image: U1) -> Any:
    x = torch.from_numpy(image.astype(np.float32).transpose(2, 0, 1)[None].copy()) / 127.5 - 1.0
    return (x - torch.tensor(_SHIFT).view(1, 3, 1, 1)) / torch.tensor(_SCALE).view(1, 3, 1, 1)


def _unit(features: Any) -> Any:
    return features / (features.pow(2).sum(dim=1, keepdim=True).sqrt() + 1e-10)
