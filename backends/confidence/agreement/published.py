"""The mesh classifier (MC) and the worst-joint classifier (WJC) of arXiv 2305.17245, as published."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from backends.confidence.agreement.features import F8, check_rows, fit_for_training, is_good, worst_joint
from backends.confidence.agreement.perceptron import F4, Layers, Sizes, forward, train_layers
from backends.errors import InputError, WeightsError

MC_SIZES: Final[Sizes] = (14, 10, 8, 6, 1)
WJC_SIZES: Final[Sizes] = (14, 28, 56, 28, 14)
_MC_EPOCHS, _WJC_EPOCHS = 20, 60
_MC_RATE, _MC_MOMENTUM, _WJC_RATE = 0.1, 0.9, 1e-4

_LARGEST_FILE = 10_000_000
"""Bytes; the published checkpoints have a few thousand."""

_KEYS = tuple(f"fc{i}.{part}" for i in range(1, 5) for part in ("weight", "bias"))

Spread = Literal["named_std_is_variance", "as_named"]


@dataclass(frozen=True, slots=True, eq=False)
class Standardise:
    """ED to network input.

    Attributes:
        mean: (14,). named_std: (14,) what the original calls STD.
        spread: ``named_std_is_variance``: that name is wrong, the constants are variances and their root
            divides, as everywhere in the original; ``as_named`` divides by them as they stand, for
            networks of other people who took the name at its word.
    """

    mean: F8
    named_std: F8
    spread: Spread = "named_std_is_variance"

    def __call__(self, ed: npt.ArrayLike) -> F4:
        """(N, 14) float32. A missing joint (NaN) takes the mean and so says nothing.

        Raises:
            InputError: another shape.
        """
        rows = check_rows(ed, "ED")
        divisor = np.sqrt(self.named_std) if self.spread == "named_std_is_variance" else self.named_std
        return np.nan_to_num((rows - self.mean) / divisor, nan=0.0).astype(np.float32)

    @classmethod
    def of(cls, ed: npt.ArrayLike) -> Standardise:
        """From the mean and variance of training data (N, 14)."""
        rows = check_rows(ed, "ED")
        return cls(rows.mean(axis=0), rows.var(axis=0))


PUBLISHED_CONSTANTS: Final = Standardise(
    np.array([
        0.1573, 0.1397, 0.0827, 0.0832, 0.1371, 0.1484, 0.3628, 0.2000, 0.0986, 0.1022, 0.1731, 0.2975,
        0.0620, 0.6292,
    ]),
    np.array([
        0.0584, 0.0496, 0.0022, 0.0026, 0.0577, 0.0517, 0.3527, 0.1749, 0.0133, 0.0092, 0.1402, 0.2784,
        0.0012, 0.7258,
    ]),
)  # fmt: skip
"""The original's constants, with which its checkpoints were trained."""


def _softmax(logits: F4) -> F8:
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class PublishedNetworks:
    """Both networks with their standardisation."""

    mc: Layers
    wjc: Layers
    standardise: Standardise

    def good(self, ed: npt.ArrayLike) -> F8:
        """(N,) probability that no joint is farther off than 0.1, of ED (N, 14); above 0.5 means good.

        Raises:
            InputError: another shape.
        """
        return good_probability(self.mc, self.standardise(ed))

    def worst(self, ed: npt.ArrayLike) -> F8:
        """(N, 14) probability of being the worst joint; rows add up to one.

        Raises:
            InputError: another shape.
        """
        return _softmax(forward(self.wjc, self.standardise(ed)))


def good_probability(mc: Layers, x: F4) -> F8:
    """(N,) what the mesh classifier says of standardised input (N, 14)."""
    logits = forward(mc, x)[:, 0].astype(np.float64)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))))


@dataclass(frozen=True, slots=True, eq=False)
class PublishedData:
    """Training data as published: filtered, standardised ``x`` (n, 14); ``good``, ``worst`` labels (n,)."""

    x: F4
    good: npt.NDArray[np.bool_]
    worst: npt.NDArray[np.int64]
    standardise: Standardise


def published_data(
    ed: npt.ArrayLike, se: npt.ArrayLike, confidence: npt.ArrayLike, standardise: Standardise | None = None
) -> PublishedData:
    """Filter, label and standardise (N, 14) arrays; by default by their own mean and variance.

    Raises:
        InputError: arrays of other shapes, or no row that passes the filter.
    """
    distance, error = check_rows(ed, "ED"), check_rows(se, "SE")
    keep = fit_for_training(error, confidence) & np.isfinite(distance).all(axis=1)
    if not keep.any():
        raise InputError("No row passes the training filter: every SE <= 1, hips and neck sure by 0.1.")
    scale = standardise or Standardise.of(distance[keep])
    return PublishedData(scale(distance[keep]), is_good(error[keep]), worst_joint(error[keep]), scale)


def train_mc(data: PublishedData, *, seed: int = 0, check: Callable[[], object] | None = None) -> Layers:
    """Train the mesh classifier; ``check`` is called before every epoch and may raise to stop.

    With the published learning rate some seeds end in a network that calls every mesh bad.
    """
    return train_layers(
        data.x, data.good, MC_SIZES, seed=seed, epochs=_MC_EPOCHS, rate=_MC_RATE, momentum=_MC_MOMENTUM,
        check=check,
    )  # fmt: skip


def train_wjc(data: PublishedData, *, seed: int = 0, check: Callable[[], object] | None = None) -> Layers:
    """Train the worst-joint classifier; ``check`` is called before every epoch and may raise to stop."""
    return train_layers(
        data.x, data.worst, WJC_SIZES, seed=seed, epochs=_WJC_EPOCHS, rate=_WJC_RATE, momentum=0.0,
        check=check,
    )  # fmt: skip


def load_checkpoint(path: Path, sizes: Sizes) -> Layers:
    """A state dict as the original saves it (``classifier.pt``, ``classifier_wj.pt``): fc1 .. fc4.

    Read by ``torch.load(weights_only=True)`` alone: a file that holds code is refused, and none is run.

    Raises:
        WeightsError: missing, damaged, of another layout, or more than weights.
    """
    import torch

    try:
        size = path.stat().st_size
    except OSError as error:
        raise WeightsError(f"There is no file {path}. Check the path.") from error
    if size > _LARGEST_FILE:
        raise WeightsError(f"{path.name} is far larger than such a checkpoint. Check the path.")
    try:
        with warnings.catch_warnings():
            # torch warns of old formats; whatever it says, only weights come out.
            warnings.simplefilter("ignore")
            state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name} holds more than weights, or is damaged; it was not loaded, and nothing in it was "
            "run. Get the checkpoint from its authors, saved as a plain state dict."
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path.name} is damaged or no checkpoint. Get the file again.") from error
    return _layers_of(state, path.name, sizes)


def _layers_of(state: Any, name: str, sizes: Sizes) -> Layers:
    if not isinstance(state, Mapping) or set(state) != set(_KEYS):
        raise WeightsError(f"{name} is no such network: it should hold {', '.join(_KEYS)}.")
    parts: list[F4] = []
    for i, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        for part, shape in (("weight", (n_out, n_in)), ("bias", (n_out,))):
            try:
                array = np.asarray(state[f"fc{i}.{part}"].detach().numpy(), np.float32)
            except (AttributeError, TypeError, RuntimeError) as error:
                raise WeightsError(f"{name}: fc{i}.{part} is no array of numbers.") from error
            if array.shape != shape or not np.isfinite(array).all():
                widths = "-".join(map(str, sizes))
                raise WeightsError(
                    f"{name}: fc{i}.{part} has shape {array.shape} or holds no numbers; a {widths} network "
                    f"needs {shape}."
                )
            parts.append(np.ascontiguousarray(array))
    return Layers(*parts)


def load_published(
    classifier: Path, classifier_wj: Path, standardise: Standardise = PUBLISHED_CONSTANTS
) -> PublishedNetworks:
    """The authors' two checkpoints with their constants.

    Raises:
        WeightsError: see :func:`load_checkpoint`.
    """
    return PublishedNetworks(
        load_checkpoint(classifier, MC_SIZES), load_checkpoint(classifier_wj, WJC_SIZES), standardise
    )


def save_checkpoint(layers: Layers, path: Path) -> None:
    """Write a network in the original's layout, for its own programs to read."""
    import torch

    torch.save({key: torch.from_numpy(part.copy()) for key, part in zip(_KEYS, layers)}, path)
