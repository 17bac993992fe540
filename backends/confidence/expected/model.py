"""The model of expected errors: a small ensemble of networks, and tables measured on held-out sequences.

Each network (Lakshminarayanan et al., Simple and scalable predictive uncertainty estimation using deep
ensembles, NeurIPS 2017) gives a centre and a scale of ``log(error + 5 mm)``. How far errors really lie from
the centre, in scales, was measured on sequences that the networks had not seen (normalised conformal
prediction: Papadopoulos et al., Inductive confidence machines for regression, ECML 2002; by folds: Barber
et al., Predictive inference with the jackknife+, Annals of Statistics 49, 2021), apart for what is seen,
hidden and out of the picture, for focal lengths that are known and assumed, and for frames that were judged
with their neighbours and by themselves. These tables, not a formula, turn the two numbers into millimetres.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from backends.confidence.expected.features import FEATURE_NAMES
from backends.confidence.expected.networks import (
    N_BODY_INPUTS,
    N_INPUTS,
    SIDE,
    body_inputs,
    ensemble,
    network_inputs,
)
from backends.confidence.expected.sites import N_SITES, SITE_NAMES
from backends.errors import InputError, WeightsError

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
U1 = npt.NDArray[np.uint8]

VERSION: Final = 3
OFFSET_MM: Final = 5.0
"""Errors below this are all the same: good."""

LEVEL: Final = 0.9
LEAST_LOG_SCALE, MOST_LOG_SCALE = -2.5, 0.5
"""Between which the networks' log scale is held."""

_MAX_MM: Final = 1000.0
_PATH: Final = Path(__file__).resolve().parents[3] / "resources" / "confidence" / "expected_error.npz"


class Group(IntEnum):
    """What was seen of a site, as far as the program can tell."""

    SEEN = 0
    HIDDEN = 1
    OUTSIDE = 2


N_ROWS: Final = 4 * len(Group)
"""Of the tables: by what was seen, by whether the focal length was assumed, by whether neighbours counted."""


@dataclass(frozen=True, slots=True, eq=False)
class ErrorModel:
    """Networks and tables.

    Attributes:
        middle, width: (F - 1,) of each feature but the kind, in training.
        wc, bc, gc, hc: (K, B, C), (K, C), (K, C), (K, C): a body's summary; weights, bias, gain and shift.
        w1, b1, w2, b2, w3, b3: (K, I + C, H), (K, H), (K, H, H), (K, H), (K, H, 2), (K, 2).
        levels: (Q,) rising from 0 to 1; table: (12, Q) by :func:`table_rows`: the place, in scales from the
            centre, that this share of held-out errors stayed under.
        together: () share of full correlation in how sites err together; vertex_gain: (27,) by how much
            vertices that hang on a site err more or less than it does (twist, shape).
    """

    middle: F4
    width: F4
    wc: F4
    bc: F4
    gc: F4
    hc: F4
    w1: F4
    b1: F4
    w2: F4
    b2: F4
    w3: F4
    b3: F4
    levels: F4
    table: F4
    together: F4
    vertex_gain: F4

    def centre_and_scale(self, features: F4) -> tuple[F8, F8]:
        """(N, 27) and (N, 27) of the log of errors, of whole bodies' features (N, 27, F), over the ensemble.

        Raises:
            InputError: another number of sites or features.
        """
        if features.ndim != 3 or features.shape[1:] != (N_SITES, len(FEATURE_NAMES)):
            raise InputError(
                f"Bodies need features of shape (N, {N_SITES}, {len(FEATURE_NAMES)}), got {features.shape}."
            )
        n = len(features)
        x = network_inputs(features.reshape(n * N_SITES, -1), self.middle, self.width)
        body = body_inputs(x.reshape(n, N_SITES, -1)).reshape(2 * n, -1)
        out = ensemble(
            x, body, SIDE, self.wc, self.bc, self.gc, self.hc, self.w1, self.b1, self.w2, self.b2, self.w3,
            self.b3,
        )  # fmt: skip
        scale = np.exp(np.clip(out[:, 1], LEAST_LOG_SCALE, MOST_LOG_SCALE))
        shape = features.shape[:-1]
        return out[:, 0].reshape(shape), scale.reshape(shape)

    def expected_mm(self, centre: F8, scale: F8, group: U1) -> F8:
        """(...,) the mean error, mm: over the table's quantiles."""
        steps = (self.table[:, 1:] + self.table[:, :-1]) / 2.0
        share = np.diff(self.levels)
        total = np.empty(centre.shape)
        flat, at = total.reshape(-1), group.reshape(-1)
        for some in _pieces(len(flat)):
            log_error = centre.reshape(-1)[some, None] + scale.reshape(-1)[some, None] * steps[at[some]]
            flat[some] = to_mm(log_error) @ share
        return np.minimum(total, _MAX_MM)

    def bound_mm(self, centre: F8, scale: F8, group: U1, level: float = LEVEL) -> F8:
        """(...,) the error that ``level`` of held-out errors stayed under, mm.

        Raises:
            InputError: a level outside (0, 1).
        """
        if not 0.0 < level < 1.0:
            raise InputError(f"A bound needs a level between 0 and 1, got {level}.")
        below = min(int(np.searchsorted(self.levels, level, side="right")) - 1, len(self.levels) - 2)
        share = (level - self.levels[below]) / (self.levels[below + 1] - self.levels[below])
        at = (1.0 - share) * self.table[:, below] + share * self.table[:, below + 1]
        return np.minimum(to_mm(centre + scale * at[group]), _MAX_MM)

    def probability_within(self, centre: F8, scale: F8, group: U1, tolerance_mm: npt.ArrayLike) -> F8:
        """(...,) share of held-out errors of this kind that stayed within ``tolerance_mm`` (broadcast)."""
        z = (np.log(np.asarray(tolerance_mm, np.float64) + OFFSET_MM) - centre) / scale
        out = np.empty(z.shape)
        for row in range(N_ROWS):
            mine = group == row
            out[mine] = np.interp(z[mine], self.table[row], self.levels)
        return out


def _pieces(n: int) -> list[slice]:
    """Parts of ``n`` values that keep what lies between in the cache."""
    return [slice(i, min(i + 2048, n)) for i in range(0, n, 2048)]


def to_mm(log_error: F8) -> F8:
    """Millimetres of ``log(error + 5 mm)``, never below 0."""
    return np.maximum(np.exp(np.minimum(log_error, 8.0)) - OFFSET_MM, 0.0)


def table_rows(features: F4) -> U1:
    """(...,) which table holds for sites by their features (..., F): the :class:`Group` of what was seen,
    three more where the focal length was assumed, six more where a frame was judged by itself."""
    outside = features[..., FEATURE_NAMES.index("outside")] > 0.5
    hidden = features[..., FEATURE_NAMES.index("visible")] < 0.5
    group = np.where(outside, Group.OUTSIDE, np.where(hidden, Group.HIDDEN, Group.SEEN))
    assumed = features[..., FEATURE_NAMES.index("assumed")] > 0.5
    alone = np.isnan(features[..., FEATURE_NAMES.index("step")])
    rows: U1 = (group + len(Group) * assumed + 2 * len(Group) * alone).astype(np.uint8)
    return rows


def save_model(model: ErrorModel, path: Path) -> None:
    """Write a model, and for which features and sites it is."""
    arrays: dict[str, Any] = {"version": np.array(VERSION), "features": np.array(FEATURE_NAMES)}
    arrays["sites"] = np.array(SITE_NAMES)
    arrays.update({f.name: np.asarray(getattr(model, f.name), np.float32) for f in fields(ErrorModel)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_model(path: Path | None = None) -> ErrorModel:
    """Read a model; the one that ships with the program by default.

    Raises:
        WeightsError: no such file, a damaged one, one of another version, or one with code in it.
    """
    path = path or _PATH
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path.name} cannot be read as a model of expected errors: {error}.") from error
    if int(arrays.get("version", np.array(-1))) != VERSION or any(
        tuple(str(v) for v in arrays.get(name, np.zeros(0))) != names
        for name, names in (("features", FEATURE_NAMES), ("sites", SITE_NAMES))
    ):
        raise WeightsError(f"{path.name} was made for another version of the program. Train it again.")
    try:
        model = ErrorModel(
            **{f.name: np.array(arrays[f.name], np.float32, order="C") for f in fields(ErrorModel)}
        )
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{path.name} lacks a part of the model: {error}.") from error
    _check(model, path)
    return model


def _check(model: ErrorModel, path: Path) -> None:
    k, _, h = model.w1.shape if model.w1.ndim == 3 else (0, 0, 0)
    c = model.wc.shape[2] if model.wc.ndim == 3 else 0
    q = len(model.levels)
    shapes = {
        "middle": (len(FEATURE_NAMES) - 1,), "width": (len(FEATURE_NAMES) - 1,), "wc": (k, N_BODY_INPUTS, c),
        "bc": (k, c), "gc": (k, c), "hc": (k, c), "w1": (k, N_INPUTS + c, h),
        "b1": (k, h), "w2": (k, h, h), "b2": (k, h), "w3": (k, h, 2), "b3": (k, 2), "levels": (q,),
        "table": (N_ROWS, q), "together": (), "vertex_gain": (len(SITE_NAMES),),
    }  # fmt: skip
    for name, shape in shapes.items():
        values = getattr(model, name)
        if values.shape != shape or not np.isfinite(values).all() or not k:
            raise WeightsError(f"{path.name} is damaged: '{name}' should be finite and of shape {shape}.")
    if q < 2 or (np.diff(model.table, axis=1) < 0).any() or (np.diff(model.levels) <= 0).any():
        raise WeightsError(f"{path.name} is damaged: its tables of held-out errors do not rise.")
    if (model.width <= 0).any():
        raise WeightsError(f"{path.name} is damaged: a feature has no width.")


@lru_cache(maxsize=1)
def shipped_model() -> ErrorModel:
    """The model that ships with the program, read once.

    Raises:
        WeightsError: as :func:`load_model`.
    """
    return load_model()
