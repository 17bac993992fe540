"""What a checkpoint should hold, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from backends.errors import WeightsError


def finite_tensors(told: Any, file: str) -> Mapping[str, torch.Tensor]:
    """``told`` as tensors by name.

    Raises:
        WeightsError: it is empty, or holds anything but finite tensors by name; ``file`` is what it says.
    """
    if not isinstance(told, Mapping) or not told:
        raise WeightsError(f"{file} holds no weights by name.")
    for name, value in told.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise WeightsError(f"{file} holds something else than weights under {name!r}.")
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise WeightsError(f"{file} holds values that are no numbers under {name!r}.")
    return told
