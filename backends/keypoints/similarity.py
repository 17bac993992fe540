"""Object keypoint similarity (COCO keypoint evaluation, https://cocodataset.org/#keypoints-eval)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.keypoints.layout import OKS_SIGMAS

_VARIANCES = (2.0 * np.array(OKS_SIGMAS)) ** 2


def oks(a: npt.ArrayLike, b: npt.ArrayLike, area: float, weight: npt.ArrayLike | None = None) -> float:
    """Similarity in [0, 1] of two people's keypoints.

    Args:
        a, b: (K, 2) pixels, the first K default keypoints (17 or 23).
        area: of the person, pixels squared.
        weight: (K,) how much each point counts; by default all alike.
    """
    p, q = np.asarray(a, np.float64), np.asarray(b, np.float64)
    distance2 = ((p - q) ** 2).sum(axis=1)
    e = np.exp(-distance2 / (2.0 * max(area, 1.0) * _VARIANCES[: len(p)]))
    w = np.ones(len(p)) if weight is None else np.asarray(weight, np.float64)
    total = float(w.sum())
    return float((e * w).sum() / total) if total > 0 else 0.0
