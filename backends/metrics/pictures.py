"""How alike two pictures are: PSNR and SSIM. RGB uint8, (H, W, 3)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from backends.errors import InputError

F8 = npt.NDArray[np.float64]
U1 = npt.NDArray[np.uint8]

_PEAK = 255.0
_SIGMA, _RADIUS = 1.5, 5
_K1, _K2 = 0.01, 0.03


def paired_pictures(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[U1, U1]:
    """Both as they are, checked.

    Raises:
        InputError: not uint8 (H, W) or (H, W, 3), or of different sizes.
    """
    p, q = np.asarray(a), np.asarray(b)
    if p.shape != q.shape or p.dtype != np.uint8 or q.dtype != np.uint8:
        raise InputError(
            f"Two uint8 pictures of one size are needed, got {p.dtype} {p.shape} and {q.dtype} {q.shape}."
        )
    if p.ndim not in (2, 3) or (p.ndim == 3 and p.shape[2] != 3):
        raise InputError(f"A picture has shape (H, W) or (H, W, 3), got {p.shape}.")
    return p, q


def psnr(estimate: npt.ArrayLike, truth: npt.ArrayLike, where: npt.ArrayLike | None = None) -> float:
    """Peak signal-to-noise ratio, dB: 10 log10(255^2 / MSE); infinite where both are the same.

    Args:
        where: (H, W) bool, the pixels that count; all by default. NaN where none does.

    Raises:
        InputError: see :func:`paired_pictures`, or a mask of another size.
    """
    p, q = paired_pictures(estimate, truth)
    squared = (p.astype(np.float64) - q.astype(np.float64)) ** 2
    if where is not None:
        mask = np.asarray(where, bool)
        if mask.shape != p.shape[:2]:
            raise InputError(f"The mask {mask.shape} and the picture {p.shape[:2]} differ in size.")
        squared = squared[mask]
    if not squared.size:
        return float("nan")
    mse = float(squared.mean())
    return float(10.0 * np.log10(_PEAK**2 / mse)) if mse > 0 else float("inf")


def ssim(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Structural similarity, at most 1: mean over channels and over pixels 5 or more from the border.

    Wang et al., Image quality assessment: from error visibility to structural similarity, IEEE TIP 13(4),
    2004, equation 13, with its Gaussian window (11 x 11, sigma 1.5), K1 = 0.01 and K2 = 0.03.

    Raises:
        InputError: see :func:`paired_pictures`, or a side under 11 pixels.
    """
    p, q = paired_pictures(estimate, truth)
    if min(p.shape[:2]) < 2 * _RADIUS + 1:
        raise InputError(f"SSIM needs at least 11 x 11 pixels, got {p.shape[1]} x {p.shape[0]}.")
    planes = p.reshape(*p.shape[:2], -1), q.reshape(*q.shape[:2], -1)
    channels = [_ssim(planes[0][..., c], planes[1][..., c]) for c in range(planes[0].shape[2])]
    return float(np.mean(channels))


def _blurred(values: F8) -> F8:
    return np.asarray(gaussian_filter(values, _SIGMA, radius=_RADIUS), dtype=np.float64)


def _ssim(a: U1, b: U1) -> float:
    x, y = a.astype(np.float64), b.astype(np.float64)
    mx, my = _blurred(x), _blurred(y)
    vx, vy, vxy = _blurred(x * x) - mx * mx, _blurred(y * y) - my * my, _blurred(x * y) - mx * my
    c1, c2 = (_K1 * _PEAK) ** 2, (_K2 * _PEAK) ** 2
    top = (2 * mx * my + c1) * (2 * vxy + c2)
    below = (mx * mx + my * my + c1) * (vx + vy + c2)
    return float((top / below)[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS].mean())
