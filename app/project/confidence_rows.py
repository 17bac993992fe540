"""Between the errors of a body's sites and what is stored of them: half a kilobyte a body."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import ProjectError
from app.project.arrays import pack, unpack
from backends.confidence.expected.sites import N_SITES
from backends.confidence.types import BodyConfidence, SiteErrors
from backends.keypoints.layout import N_KEYPOINTS

_MOST = 60_000.0
"""Beyond this 16 bits hold no figure."""

_LOWER = np.tril_indices(N_SITES, -1)
_METRE, _REACH = 1e4, 3.2
"""Places about the pelvis are kept in tenths of a millimetre, up to 3.2 m away."""

COLUMNS = ("sites", "alike")


def site_blobs(confidence: BodyConfidence) -> dict[str, bytes | None]:
    """The columns ``sites`` and ``alike``.

    ``sites`` (6, 27) float16: expected error, bound, root mean square error of what hangs there (mm), centre
    and scale of the log error, row of the tables. ``alike`` (351,) uint8: correlations of the errors of each
    two sites, the triangle below the diagonal, -1 .. 1 as 1 .. 255.
    """
    e = confidence.sites
    if e is None:
        return dict.fromkeys(COLUMNS)
    hung = np.sqrt(np.maximum(np.diag(e.spread).astype(np.float64), 1e-6))
    alike = np.clip(e.spread / (hung[:, None] * hung), -1.0, 1.0)[_LOWER]
    rows = np.stack([
        np.minimum(e.mm, _MOST), np.minimum(e.bound_mm, _MOST), np.minimum(hung, _MOST), e.centre, e.scale,
        e.row,
    ])  # fmt: skip
    return {
        "sites": pack(rows, np.float16),
        "alike": pack(np.rint(127.0 * alike + 128.0), np.uint8),
    }


def read_confidence(row: Any) -> BodyConfidence | None:
    """The confidence of a row, or None where it holds none.

    Raises:
        ProjectError: damaged.
    """
    if row["joint_mm"] is None:
        return None
    return BodyConfidence(
        keypoint_mm=unpack(row["keypoint_mm"], shape=(N_KEYPOINTS,)).astype(np.float32),
        joint_mm=unpack(row["joint_mm"], shape=(-1,)).astype(np.float32),
        mean_mm=float(row["mean_mm"]),
        sites=_sites(row["sites"], row["alike"]),
    )


def _sites(sites: bytes | None, alike: bytes | None) -> SiteErrors | None:
    if sites is None or alike is None:
        return None
    mm, bound, hung, centre, scale, kind = unpack(sites, shape=(6, N_SITES)).astype(np.float32)
    if not all(np.isfinite(v).all() for v in (mm, bound, hung, centre, scale, kind)):
        raise ProjectError(
            "The project holds a damaged confidence. Restore the file from a copy, or run again "
            "with --restart."
        )
    correlation = np.eye(N_SITES, dtype=np.float32)
    below = (unpack(alike, shape=(len(_LOWER[0]),)).astype(np.float32) - 128.0) / 127.0
    correlation[_LOWER] = below
    correlation.T[_LOWER] = below
    return SiteErrors(mm, bound, kind.astype(np.uint8), correlation * (hung[:, None] * hung), centre, scale)


def pack_single(single: npt.NDArray[np.float32] | None) -> bytes | None:
    """(27, 3) metres about the pelvis as uint16."""
    if single is None:
        return None
    return pack(np.rint((np.clip(single, -_REACH, _REACH) + _REACH) * _METRE), np.uint16)


def read_single(blob: bytes | None) -> npt.NDArray[np.float32] | None:
    """The same back.

    Raises:
        ProjectError: damaged.
    """
    if blob is None:
        return None
    return (unpack(blob, shape=(N_SITES, 3)).astype(np.float32) / np.float32(_METRE)) - np.float32(_REACH)
