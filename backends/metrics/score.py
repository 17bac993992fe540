"""A number together with how many samples it rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """One figure.

    Attributes:
        value: NaN where nothing was known.
        n: samples that it rests on.
        unknown: samples that were left out, because truth or estimate is not known there.
    """

    value: float
    n: int
    unknown: int = 0


def mean_known(values: npt.ArrayLike) -> Score:
    """The mean over every value that is not NaN, pooled over all axes."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    known = flat[~np.isnan(flat)]
    return Score(float(known.mean()) if known.size else float("nan"), known.size, flat.size - known.size)


def share_known(hits: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]) -> Score:
    """The share of ``hits`` among what is ``known``, in [0, 1]."""
    n = int(known.sum())
    value = float((hits & known).sum() / n) if n else float("nan")
    return Score(value, n, int(known.size) - n)
