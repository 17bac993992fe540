"""Laying an estimate over the truth before errors are taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.errors import InputError

F8 = npt.NDArray[np.float64]

_FLAT = 1e-9
"""Second singular value over the first below which points lie on a line and no rotation is defined."""


def paired(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[F8, F8]:
    """Both as (N, J, 3) float64; a point that either does not know is NaN in both.

    Raises:
        InputError: of different shapes, not (N, J, 3) or (J, 3), or with infinite values.
    """
    a, b = np.array(estimate, dtype=np.float64), np.array(truth, dtype=np.float64)
    if a.shape != b.shape or a.ndim not in (2, 3) or a.shape[-1] != 3:
        raise InputError(
            f"Estimate and truth need one shape (N, J, 3), got {a.shape} and {b.shape}. "
            "Gather both to one joint set first."
        )
    if np.isinf(a).any() or np.isinf(b).any():
        raise InputError("Points hold infinite values; a point that is not known is NaN.")
    if a.ndim == 2:
        a, b = a[None], b[None]
    sums = a + b
    unknown = np.isnan(sums[..., 0] + sums[..., 1] + sums[..., 2])
    if unknown.any():
        a[unknown], b[unknown] = np.nan, np.nan
    return a, b


def root_relative(points: npt.ArrayLike, root: Sequence[int]) -> F8:
    """(N, J, 3) moved so that the middle of the joints ``root`` lies at the origin; NaN without them.

    Raises:
        InputError: no root, or an index outside the joints.
    """
    p = np.asarray(points, dtype=np.float64)
    if not root or max(root) >= p.shape[-2] or min(root) < 0:
        raise InputError(f"The root {list(root)} is not among the {p.shape[-2]} joints.")
    moved: F8 = p - p[..., list(root), :].mean(axis=-2, keepdims=True)
    return moved


def scale_aligned(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> F8:
    """(N, J, 3) the estimate scaled by the least-squares factor <t, e> / <e, e> of each sample.

    Both are expected root-relative. Rhodin et al., Unsupervised geometry-aware representation learning
    for 3D human pose estimation, ECCV 2018, section 4 (N-MPJPE).
    """
    e, t = paired(estimate, truth)
    same = _same(e, t)
    top, below = np.nansum(e * t, axis=(1, 2)), np.nansum(e * e, axis=(1, 2))
    factor = np.divide(top, below, out=np.full(len(e), np.nan), where=below > 0)
    factor[same] = 1.0
    scaled: F8 = e * factor[:, None, None]
    return scaled


def procrustes_aligned(estimate: npt.ArrayLike, truth: npt.ArrayLike, *, scale: bool = True) -> F8:
    """(N, J, 3) the estimate turned, moved and (with ``scale``) sized to fit the truth best.

    The least-squares similarity without reflection of Umeyama, Least-squares estimation of
    transformation parameters between two point patterns, PAMI 13(4), 1991, equations 40 to 42. Joints
    that are NaN on either side take no part. A sample with fewer than three known points, or with all
    of them on a line, defines no rotation and comes back as NaN.
    """
    e, t = paired(estimate, truth)
    known = ~np.isnan(e[..., 0])
    n = np.maximum(known.sum(axis=1), 1)[:, None]
    e0, t0 = np.where(known[..., None], e, 0.0), np.where(known[..., None], t, 0.0)
    mean_e, mean_t = e0.sum(axis=1) / n, t0.sum(axis=1) / n
    ce = np.where(known[..., None], e - mean_e[:, None], 0.0)
    ct = np.where(known[..., None], t - mean_t[:, None], 0.0)
    U, S, Vt = np.linalg.svd(np.einsum("nji,njk->nik", ct, ce))
    sign = np.ones_like(S)
    sign[:, 2] = np.where(np.linalg.det(U) * np.linalg.det(Vt) < 0, -1.0, 1.0)
    R = np.einsum("nij,nj,njk->nik", U, sign, Vt)
    variance = (ce**2).sum(axis=(1, 2))
    factor = np.ones(len(e))
    if scale:
        factor = np.divide((S * sign).sum(axis=1), variance, out=np.full(len(e), np.nan), where=variance > 0)
    fitted = factor[:, None, None] * np.einsum("nij,nkj->nki", R, e - mean_e[:, None]) + mean_t[:, None]
    undefined = (known.sum(axis=1) < 3) | (S[:, 1] <= _FLAT * S[:, 0])
    fitted[undefined] = np.nan
    # Where both are the same, the identity is the best fit, and the rounding of an SVD only adds to it.
    same = _same(e, t) & ~undefined
    fitted[same] = e[same]
    return np.asarray(fitted)


def _same(e: F8, t: F8) -> npt.NDArray[np.bool_]:
    return np.asarray(((e == t) | np.isnan(e)).all(axis=(1, 2)), dtype=bool)
