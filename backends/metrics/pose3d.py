"""Errors of joints and vertices in space. Points in metres, errors in millimetres.

``estimate`` and ``truth`` are (N, J, 3), one sample a row, in the same joint set and the same axes; a
point that is not known is NaN, is left out and is counted. Means are pooled over all known points, as
the field does: with all points known that is the mean of the samples' means.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.metrics.align import paired, procrustes_aligned, root_relative, scale_aligned
from backends.metrics.score import Score, mean_known, share_known

F8 = npt.NDArray[np.float64]

PCK3D_MM = 150.0
"""The customary threshold: about half the size of a head (Mehta et al. 2017)."""
AUC_STEPS_MM = tuple(5.0 * k for k in range(31))
"""Thresholds of the area under the PCK curve: 0, 5 ... 150 mm (MPI-INF-3DHP's own evaluation)."""


def errors_mm(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> F8:
    """(N, J) Euclidean distances in mm, as they stand (absolute); NaN where not known."""
    e, t = paired(estimate, truth)
    distance: F8 = 1e3 * np.linalg.norm(e - t, axis=-1)
    return distance


def root_relative_errors_mm(estimate: npt.ArrayLike, truth: npt.ArrayLike, root: Sequence[int]) -> F8:
    """(N, J) distances in mm after both were moved so that the middle of ``root`` is the origin."""
    e, t = paired(estimate, truth)
    return errors_mm(root_relative(e, root), root_relative(t, root))


def scale_aligned_errors_mm(estimate: npt.ArrayLike, truth: npt.ArrayLike, root: Sequence[int]) -> F8:
    """(N, J) distances in mm, root-relative, with the estimate scaled best (N-MPJPE's)."""
    e, t = paired(estimate, truth)
    e, t = root_relative(e, root), root_relative(t, root)
    return errors_mm(scale_aligned(e, t), t)


def procrustes_errors_mm(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> F8:
    """(N, J) distances in mm after the best similarity (PA-MPJPE's)."""
    e, t = paired(estimate, truth)
    return errors_mm(procrustes_aligned(e, t), t)


def mpjpe(estimate: npt.ArrayLike, truth: npt.ArrayLike, root: Sequence[int] | None = None) -> Score:
    """Mean per joint position error, mm.

    Ionescu et al., Human3.6M, PAMI 36(7), 2014, equation 8. With ``root`` both are taken relative to
    the middle of these joints, as protocol 1 does; without, the error is absolute.
    """
    if root is None:
        return mean_known(errors_mm(estimate, truth))
    return mean_known(root_relative_errors_mm(estimate, truth, root))


def n_mpjpe(estimate: npt.ArrayLike, truth: npt.ArrayLike, root: Sequence[int]) -> Score:
    """MPJPE after scaling, mm: Rhodin et al., ECCV 2018; see :func:`align.scale_aligned`."""
    return mean_known(scale_aligned_errors_mm(estimate, truth, root))


def pa_mpjpe(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> Score:
    """MPJPE after the best similarity (rotation, translation, scale, no reflection), mm.

    Protocol 2 of Human3.6M (Bogo et al., Keep it SMPL, ECCV 2016, section 4); "reconstruction error".
    """
    return mean_known(procrustes_errors_mm(estimate, truth))


def pve(
    estimate: npt.ArrayLike, truth: npt.ArrayLike, roots: tuple[npt.ArrayLike, npt.ArrayLike] | None = None
) -> Score:
    """Mean per vertex error, mm: (N, V, 3) of one mesh topology.

    Pavlakos et al., Learning to estimate 3D human pose and shape from a single color image, CVPR 2018.

    Args:
        roots: (N, 3) the pelvis of the estimate and of the truth, taken off first; absolute without.
    """
    e, t = np.asarray(estimate, np.float64), np.asarray(truth, np.float64)
    if roots is not None:
        e = e - np.asarray(roots[0], np.float64)[:, None]
        t = t - np.asarray(roots[1], np.float64)[:, None]
    return mean_known(errors_mm(e, t))


def pa_pve(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> Score:
    """Mean per vertex error after the best similarity of the vertices themselves, mm."""
    return mean_known(procrustes_errors_mm(estimate, truth))


def per_joint(errors: npt.ArrayLike) -> list[Score]:
    """The mean of each column of (N, J) errors."""
    return [mean_known(column) for column in np.asarray(errors, np.float64).T]


def pck3d(errors: npt.ArrayLike, threshold_mm: float = PCK3D_MM) -> Score:
    """Share of joints within ``threshold_mm`` (at the threshold counts), in [0, 1].

    Mehta et al., Monocular 3D human pose estimation in the wild using improved CNN supervision, 3DV
    2017, section 6.2.
    """
    e = np.asarray(errors, np.float64)
    known = ~np.isnan(e)
    return share_known(np.where(known, e, np.inf) <= threshold_mm, known)


def pck3d_auc(errors: npt.ArrayLike, thresholds_mm: Sequence[float] = AUC_STEPS_MM) -> Score:
    """Mean of :func:`pck3d` over thresholds of 0 to 150 mm in steps of 5, in [0, 1] (Mehta et al. 2017)."""
    scores = [pck3d(errors, t) for t in thresholds_mm]
    return Score(float(np.mean([s.value for s in scores])), scores[0].n, scores[0].unknown)
