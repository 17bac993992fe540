"""How well keypoints lie in the picture: object keypoint similarity and PCK. Pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.errors import InputError
from backends.keypoints.layout import INDEX, OKS_SIGMAS
from backends.metrics.score import Score, share_known

F8 = npt.NDArray[np.float64]

_DERIVED_SIGMA = 0.079
"""For points that COCO does not have (neck, top of the head ...): the shoulders', as CrowdPose does."""


def oks_sigmas(joints: tuple[str, ...]) -> F8:
    """(K,) COCO-WholeBody's standard deviations of these joints; the shoulders' for names it has not."""
    return np.array([OKS_SIGMAS[INDEX[n]] if n in INDEX else _DERIVED_SIGMA for n in joints])


def oks_matrix(
    estimates: npt.ArrayLike,
    truths: npt.ArrayLike,
    labelled: npt.ArrayLike,
    areas: npt.ArrayLike,
    sigmas: npt.ArrayLike,
) -> F8:
    """(T, P) object keypoint similarity of every true person with every estimate, in [0, 1].

    OKS = sum_i exp(-d_i^2 / (2 s^2 k_i^2)) [v_i > 0] / sum_i [v_i > 0], k_i = 2 sigma_i, s^2 the area
    (https://cocodataset.org/#keypoints-eval; Lin et al., Microsoft COCO, ECCV 2014). Only points that
    the truth labels count. A point that the estimate does not know (NaN) is a miss: it adds nothing above
    and one below. A person without any labelled point has NaN.

    Args:
        estimates: (P, K, 2). truths: (T, K, 2). labelled: (T, K) bool. areas: (T,) pixels squared.
        sigmas: (K,), see :func:`oks_sigmas`.

    Raises:
        InputError: shapes that do not fit together, or an area that is not above zero.
    """
    e, t = np.asarray(estimates, np.float64), np.asarray(truths, np.float64)
    v, area, s = np.asarray(labelled, bool), np.asarray(areas, np.float64), np.asarray(sigmas, np.float64)
    k = len(s)
    if e.shape[1:] != (k, 2) or t.shape[1:] != (k, 2) or v.shape != t.shape[:2] or area.shape != (len(t),):
        raise InputError(
            f"Keypoints need shapes (P, {k}, 2) and (T, {k}, 2), labels (T, {k}) and areas (T,); got "
            f"{e.shape}, {t.shape}, {v.shape} and {area.shape}."
        )
    if not (area > 0).all():
        raise InputError("A true person has no area; the similarity of keypoints is measured against it.")
    v = v & ~np.isnan(t).any(axis=-1)
    squared = ((t[:, None] - e[None]) ** 2).sum(axis=-1)
    exponent = squared / (2.0 * area[:, None, None] * (2.0 * s) ** 2)
    near = np.where(np.isnan(exponent), 0.0, np.exp(-np.nan_to_num(exponent)))
    n = v.sum(axis=1)[:, None]
    total = (near * v[:, None]).sum(axis=-1)
    return np.asarray(np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0))


def pck(
    estimates: npt.ArrayLike,
    truths: npt.ArrayLike,
    labelled: npt.ArrayLike,
    sizes: npt.ArrayLike,
    alpha: float = 0.05,
) -> Score:
    """Share of labelled keypoints that lie within ``alpha`` times the person's size.

    Yang and Ramanan, Articulated human detection with flexible mixtures of parts, PAMI 35(12), 2013,
    section 6: the size is the longer side of the person's box. At the threshold counts.

    Args:
        estimates, truths: (N, K, 2), matched row by row. A point the estimate does not know is a miss.
        labelled: (N, K) bool. sizes: (N,) pixels.

    Raises:
        InputError: shapes that do not fit together.
    """
    e, t, v = np.asarray(estimates, np.float64), np.asarray(truths, np.float64), np.asarray(labelled, bool)
    size = np.asarray(sizes, np.float64)
    if (
        e.shape != t.shape
        or e.ndim != 3
        or e.shape[-1] != 2
        or v.shape != e.shape[:2]
        or size.shape != e.shape[:1]
    ):
        raise InputError(
            f"PCK needs (N, K, 2) twice, labels (N, K) and sizes (N,); got {e.shape}, {t.shape}, {v.shape}, "
            f"{size.shape}."
        )
    known = v & ~np.isnan(t).any(axis=-1) & (size > 0)[:, None]
    distance = np.linalg.norm(e - t, axis=-1)
    hits = np.where(np.isnan(distance), np.inf, distance) <= alpha * size[:, None]
    return share_known(hits, known)


def box_iou(a: npt.ArrayLike, b: npt.ArrayLike) -> F8:
    """(A, B) intersection over union of boxes x0 y0 x1 y1 (A, 4) and (B, 4); 0 where both are empty.

    Everingham et al., The PASCAL visual object classes challenge, IJCV 88(2), 2010, equation 4.

    Raises:
        InputError: other shapes.
    """
    p, q = np.asarray(a, np.float64).reshape(-1, 4), np.asarray(b, np.float64).reshape(-1, 4)
    sides = np.minimum(p[:, None, 2:], q[None, :, 2:]) - np.maximum(p[:, None, :2], q[None, :, :2])
    both = np.maximum(sides, 0.0).prod(axis=-1)
    area_p = np.maximum(p[:, 2:] - p[:, :2], 0.0).prod(axis=-1)
    area_q = np.maximum(q[:, 2:] - q[:, :2], 0.0).prod(axis=-1)
    union = area_p[:, None] + area_q[None] - both
    return np.asarray(np.divide(both, union, out=np.zeros_like(both), where=union > 0))
