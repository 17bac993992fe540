"""The similarity that brings one set of points onto another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.errors import InputError

F8 = npt.NDArray[np.float64]


def similarity(source: F8, target: F8) -> tuple[float, F8, F8]:
    """Scale, rotation (3, 3) and shift (3,) with ``scale * source @ R.T + shift`` nearest to ``target``.

    Least squares without reflection: Umeyama, PAMI 13(4), 1991, equations 40 to 42.

    Raises:
        InputError: arrays that are not (N, 3) of one length, or not finite.
    """
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 3 or len(source) < 3:
        raise InputError(f"Alignment needs two arrays (N, 3), got {source.shape} and {target.shape}.")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise InputError("Alignment needs finite points.")
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, s, vt = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    turn: F8 = (u * signs) @ vt
    scale = float((s * signs).sum() / max(float((a * a).sum()), 1e-12))
    shift: F8 = target.mean(axis=0) - scale * turn @ source.mean(axis=0)
    return scale, turn, shift
