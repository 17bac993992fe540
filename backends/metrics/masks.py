"""How well a mask covers a person: intersection over union, and how well it follows the outline."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from backends.errors import InputError

Mask = npt.NDArray[np.bool_]

BOUNDARY_SHARE = 0.008
"""DAVIS: how far two outlines may lie apart, as a share of the picture's diagonal."""


def _checked(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[Mask, Mask]:
    p, q = np.asarray(a), np.asarray(b)
    if p.shape != q.shape or p.ndim != 2:
        raise InputError(f"Two masks of one size (H, W) are needed, got {p.shape} and {q.shape}.")
    return p.astype(bool), q.astype(bool)


def mask_iou(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Intersection over union of two masks (H, W), in [0, 1]; 1 where both are empty.

    DAVIS' region similarity J: Perazzi et al., A benchmark dataset and evaluation methodology for video
    object segmentation, CVPR 2016, section 4.

    Raises:
        InputError: of different sizes.
    """
    e, t = _checked(estimate, truth)
    union = int((e | t).sum())
    return float((e & t).sum() / union) if union else 1.0


def boundary_f(
    estimate: npt.ArrayLike,
    truth: npt.ArrayLike,
    share: float = BOUNDARY_SHARE,
    picture: tuple[int, int] | None = None,
) -> float:
    """F-measure of the outlines of two masks (H, W), in [0, 1]; 1 where both are empty.

    DAVIS' contour accuracy F (Perazzi et al. 2016, section 4; Martin et al., PAMI 26(5), 2004): the
    harmonic mean of the share of each outline within ``ceil(share * diagonal)`` pixels of the other.

    Args:
        picture: (H, W) of the whole picture where the masks are a part of it; a part that ends where the
            picture does not must leave a pixel of air about both masks.

    Raises:
        InputError: of different sizes.
    """
    e, t = (_outline(m) for m in _checked(estimate, truth))
    n_e, n_t = int(e.sum()), int(t.sum())
    if not n_e and not n_t:
        return 1.0
    if not n_e or not n_t:
        return 0.0
    radius = int(np.ceil(share * np.hypot(*(picture or e.shape))))
    precision = float((e & _grown(t, radius)).sum()) / n_e
    recall = float((t & _grown(e, radius)).sum()) / n_t
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _outline(mask: Mask) -> Mask:
    """Pixels that differ from the one to the right, below, or right below (Arbelaez' seg2bmap)."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    right, below, across = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    edge: Mask = (mask ^ right) | (mask ^ below) | (mask ^ across)
    return edge


def _grown(mask: Mask, radius: int) -> Mask:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = (x * x + y * y <= radius * radius).astype(np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc), dtype=bool)
