"""Loads the authors' network: their code from the user's copy, the checkpoint without running any of it."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from backends.errors import WeightsError
from plugins.tensors import finite_tensors

MODULE, CLASS = "model.e2fgvi_hq", "InpaintGenerator"
_THEIRS = ("model", "core")
"""Packages at the top of their repository, under names that others may have, too."""


def load_network(code: Path, weights: Path) -> torch.nn.Module:
    """The generator with its weights, ready to be asked.

    Args:
        code: a copy of the authors' repository; **what is in it is run**, so it is the user's own choice.
        weights: their checkpoint (E2FGVI-HQ-CVPR22.pth): a flat dictionary of tensors.

    Raises:
        WeightsError: what is missing, damaged or does not fit, and what to do.
    """
    state = read_checkpoint(weights)
    file = code / Path(*MODULE.split(".")).with_suffix(".py")
    if not file.is_file():
        raise WeightsError(f"{code} is no copy of E2FGVI: it has no {file.relative_to(code)}.")
    with _importable(code):
        try:
            generator = getattr(importlib.import_module(MODULE), CLASS)()
        except (ImportError, AttributeError, SyntaxError, TypeError) as error:
            raise WeightsError(
                f"E2FGVI's own code does not start ({error}). It may need packages that are not installed; "
                "see its README."
            ) from error
    try:
        generator.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise WeightsError(
            f"{weights.name} does not fit the network in {file.name}: {str(error).splitlines()[0]} "
            "Take the HQ checkpoint."
        ) from error
    network: torch.nn.Module = generator.eval()
    return network


def read_checkpoint(path: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of a checkpoint by name; nothing in the file is run.

    Raises:
        WeightsError: it cannot be read, or holds anything but finite tensors by name.
    """
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(f"{path.name} is damaged, or holds more than weights. Fetch it again.") from error
    return finite_tensors(state, path.name)


@contextmanager
def _importable(code: Path) -> Iterator[None]:
    """Their packages can be imported, and are out of the way afterwards."""

    def theirs() -> list[str]:
        return [name for name in sys.modules if name.split(".")[0] in _THEIRS]

    before = {name: sys.modules.pop(name) for name in theirs()}
    sys.path.insert(0, str(code))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(code))
        for name in theirs():
            del sys.modules[name]
        sys.modules.update(before)
