"""Opens a segmentation from a folder of its own: no network, no code of others, no pickles."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from backends.errors import WeightsError

ARCHITECTURES = ("mask2former", "maskformer", "detr")
"""Those that give one class and one mask for each of their queries, from a picture of any size."""

_PERSON = "person"
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SHORT, _LONG = 800, 1333
_MAX_SIDE = 4096
_MAX_TEXT = 8_000_000


@dataclass(frozen=True, slots=True)
class Preparation:
    """How pictures are shown to a network.

    Attributes:
        short, long: the shorter side is brought to ``short`` pixels, unless the longer one would pass
            ``long``. mean, std: of the three channels, of values in [0, 1].
    """

    short: int = _SHORT
    long: int = _LONG
    mean: tuple[float, float, float] = _MEAN
    std: tuple[float, float, float] = _STD


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A network, how pictures are prepared for it, and which of its classes are people."""

    network: torch.nn.Module
    preparation: Preparation
    people: tuple[int, ...]


def open_network(folder: Path) -> Opened:
    """The segmentation in ``folder`` (config.json, preprocessor_config.json, safetensors).

    Raises:
        WeightsError: Transformers is not installed; the folder lacks something, is damaged, knows no people
            or is of an architecture that is not known here.
    """
    config = _table(folder / "config.json")
    kind = config.get("model_type")
    if kind not in ARCHITECTURES:
        raise WeightsError(
            f"{folder.name} is a model of the kind '{kind}'. Take one of {', '.join(ARCHITECTURES)}."
        )
    people = _people(config)
    if not people:
        raise WeightsError(
            f"{folder.name} names no class '{_PERSON}': it tells no people from other things. Take a model "
            "that was trained on COCO."
        )
    if not list(folder.glob("*.safetensors")):
        raise WeightsError(f"{folder.name} holds no safetensors. Get the model in that format.")
    file = folder / "preprocessor_config.json"
    preparation = _preparation(_table(file)) if file.is_file() else Preparation()
    return Opened(_network(folder, kind), preparation, people)


def _network(folder: Path, kind: str) -> torch.nn.Module:
    # Read when the package is imported: without it a missing file would be looked for on the net.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        import transformers
    except ImportError as error:
        raise WeightsError("Transformers is not installed. Type: pip install transformers") from error
    name = {
        "mask2former": "Mask2FormerForUniversalSegmentation",
        "maskformer": "MaskFormerForInstanceSegmentation",
        "detr": "DetrForSegmentation",
    }[kind]
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        network, told = getattr(transformers, name).from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, trust_remote_code=False,
            output_loading_info=True,
        )  # fmt: skip
    except Exception as error:  # whatever a damaged or foreign folder makes of it
        raise WeightsError(
            f"{folder.name} does not open as {name}: {str(error).splitlines()[0] if str(error) else error!r}"
        ) from error
    missing = sorted(told["missing_keys"])
    if missing:
        raise WeightsError(f"{folder.name} lacks {len(missing)} of {name}'s weights, {missing[0]} first.")
    for key, value in network.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise WeightsError(f"{folder.name} holds values that are no numbers under {key}.")
    opened: torch.nn.Module = network.eval()
    return opened


def _table(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_TEXT:
            raise WeightsError(f"{path.name} is too large for what it should be.")
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(
            f"The folder {path.parent.name} holds no model: {path.name} cannot be read. Name the one with "
            "config.json and the safetensors."
        ) from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path.name} in {path.parent.name} is damaged.") from error
    if not isinstance(told, dict):
        raise WeightsError(f"{path.name} in {path.parent.name} is damaged: it is no table.")
    return told


def _people(config: dict[str, Any]) -> tuple[int, ...]:
    names = config.get("id2label")
    if not isinstance(names, dict):
        return ()
    return tuple(
        int(k) for k, v in names.items() if str(k).isdecimal() and str(v).lower().split(",")[0] == _PERSON
    )


def _preparation(told: dict[str, Any]) -> Preparation:
    size = told.get("size")
    short, long = _SHORT, _LONG
    if isinstance(size, int):
        short = size
        limit = told.get("max_size")
        long = limit if isinstance(limit, int) else long
    elif isinstance(size, dict):
        sides = [size.get(k) for k in ("shortest_edge", "height", "width")]
        short = min((s for s in sides if isinstance(s, int)), default=short)
        longer = [size.get(k) for k in ("longest_edge", "height", "width")]
        long = max((s for s in longer if isinstance(s, int)), default=long)
    long = max(short, long)
    if not 32 <= short <= long <= _MAX_SIDE:
        raise WeightsError(f"Pictures of {short} to {long} pixels are asked for; that cannot be meant.")
    return Preparation(short, long, _three(told, "image_mean", _MEAN), _three(told, "image_std", _STD))


def _three(told: dict[str, Any], key: str, usual: tuple[float, float, float]) -> tuple[float, float, float]:
    values = told.get(key, usual)
    fine = isinstance(values, (list, tuple)) and len(values) == 3
    if not fine or not all(isinstance(v, (int, float)) and math.isfinite(v) for v in values):
        raise WeightsError(f"preprocessor_config.json: {key} should be three numbers.")
    if key == "image_std" and min(values) <= 0:
        raise WeightsError("preprocessor_config.json: image_std should be above zero.")
    return float(values[0]), float(values[1]), float(values[2])
