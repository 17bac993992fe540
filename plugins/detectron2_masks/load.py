"""Opens a network of Detectron2 without running what its files hold."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from backends.errors import WeightsError
from plugins.tensors import finite_tensors

_OWN_BUFFERS = ("pixel_mean", "pixel_std", "cell_anchors")
"""What a configuration brings, and checkpoints may leave out."""
_MAX_SIDE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A network and how pictures are shown to it.

    Attributes:
        bgr: it wants blue first. short, long: the shorter side is brought to ``short`` pixels, unless the
            longer one would pass ``long``.
    """

    network: torch.nn.Module
    bgr: bool
    short: int
    long: int


def open_network(config: Path, weights: Path) -> Opened:
    """The network that ``config`` (yaml) describes, with ``weights`` (npz, pth or safetensors).

    Raises:
        WeightsError: Detectron2 is not installed; a file is missing, damaged, unsafe or does not fit.
    """
    try:
        from detectron2.config import get_cfg
        from detectron2.modeling import build_model
    except ImportError as error:
        raise WeightsError(
            "Detectron2 is not installed. See its own instructions; nothing else of the program needs it."
        ) from error
    if not config.is_file():
        raise WeightsError(f"There is no file {config}. Name the network's configuration (yaml).")
    state = read_weights(weights)
    settings = get_cfg()
    try:
        # Detectron2 itself would run what a yaml names; a configuration needs nothing of the kind.
        settings.merge_from_file(str(config), allow_unsafe=False)
    except Exception as error:
        raise WeightsError(f"{config.name} is no configuration that can be read safely: {error}") from error
    settings.MODEL.DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
    settings.MODEL.WEIGHTS = ""
    if not settings.MODEL.MASK_ON:
        raise WeightsError(f"{config.name} describes a network without masks. Take one of Mask R-CNN.")
    try:
        network = build_model(settings)
        missing, _ = network.load_state_dict(state, strict=False)
    except Exception as error:
        raise WeightsError(
            f"{weights.name} does not fit the network of {config.name}: {str(error).splitlines()[0]}"
        ) from error
    lost = [name for name in missing if not any(own in name for own in _OWN_BUFFERS)]
    if lost:
        raise WeightsError(
            f"{weights.name} lacks {len(lost)} weights of the network of {config.name}, {lost[0]} first."
        )
    order = str(settings.INPUT.FORMAT)
    if order not in ("RGB", "BGR"):
        raise WeightsError(f"{config.name} wants pictures as {order}; RGB and BGR are known.")
    short, long = int(settings.INPUT.MIN_SIZE_TEST), int(settings.INPUT.MAX_SIZE_TEST)
    if not 32 <= short <= long <= _MAX_SIDE:
        raise WeightsError(f"{config.name} wants pictures of {short} to {long} pixels; that cannot be meant.")
    return Opened(network.eval(), order == "BGR", short, long)


def read_weights(path: Path) -> Mapping[str, torch.Tensor]:
    """Tensors by name; nothing in the file is run. A checkpoint's ``model`` is what counts.

    Raises:
        WeightsError: it cannot be read, or holds anything but finite numbers by name.
    """
    told: Any
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                told = {name: torch.from_numpy(np.ascontiguousarray(arrays[name])) for name in arrays.files}
        elif path.suffix == ".safetensors":
            from safetensors.torch import load_file

            told = load_file(path)
        else:
            told = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except Exception as error:
        known = (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError)
        if isinstance(error, (*known, zipfile.BadZipFile)) or type(error).__module__.startswith(
            "safetensors"
        ):
            raise WeightsError(
                f"{path.name} is damaged, or holds more than weights. Fetch it again."
            ) from error
        raise
    if isinstance(told, Mapping) and isinstance(told.get("model"), Mapping):
        told = told["model"]
    return finite_tensors(told, path.name)
