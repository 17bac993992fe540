"""How the sites of a body err together: the fit's posterior carried to them, and from them to vertices."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from backends.confidence.expected.sites import N_SITES, Sites
from backends.errors import InputError
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE, points_and_derivatives
from backends.fitting.posterior import similarity_modes, spread
from backends.fitting.types import FitResult

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_MM2 = 1e6


@numba.njit(cache=True, nogil=True, fastmath=True)
def _together(moved: F8) -> F8:
    """(N, N) trace of the covariance between each two points, of rows (N, 3, n)."""
    n = len(moved)
    flat = np.ascontiguousarray(moved).reshape(n, -1)
    return flat @ flat.T


@numba.njit(cache=True, nogil=True, fastmath=True)
def _depths(moved: F8, rays: F8) -> F8:
    """(N,) variance of each point along a unit vector (N, 3)."""
    out = np.zeros(len(moved))
    for k in range(len(moved)):
        for i in range(moved.shape[2]):
            s = moved[k, 0, i] * rays[k, 0] + moved[k, 1, i] * rays[k, 1] + moved[k, 2, i] * rays[k, 2]
            out[k] += s * s
    return out


def site_posterior(sites: Sites, result: FitResult) -> tuple[F8, F8, F8]:
    """Places of the sites (27, 3), metres; their joint posterior (27, 27), mm^2: the trace of the covariance
    between each two; and their variance along the line of sight (27,), mm^2.

    After the body as a whole is aligned, as in :class:`backends.fitting.types.FitResult`.

    Raises:
        InputError: the result of another body.
    """
    params, n = result.params, len(result.spread.factor)
    nb = len(params.betas)
    if nb != sites.arrays.dirs.shape[3] or n not in (N_POSE + 3, N_POSE + 3 + nb):
        raise InputError("This fit belongs to another body than the confidence was prepared for.")
    x = np.concatenate([params.pose[:N_FIT_JOINTS].reshape(-1), params.transl, params.betas])[:n]
    X, dX = np.empty((N_SITES, 3)), np.empty((N_SITES, 3, n))
    points_and_derivatives(x, params.betas, n - N_POSE - 3, sites.arrays, N_SITES, X, dX, True)
    moved = spread(dX, result.spread.factor)
    modes = similarity_modes(X, result.spread.centre)
    moved -= (modes.reshape(-1, 7) @ result.spread.motion).reshape(moved.shape)
    rays = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-9)
    return X, _together(moved) * _MM2, _depths(moved, rays) * _MM2


@numba.njit(cache=True, nogil=True, fastmath=True)
def _carry(site: I8, weight: F8, joint: F8) -> F4:
    out = np.empty(len(site), np.float32)
    for v in range(len(site)):
        s = 0.0
        for a in range(site.shape[1]):
            wa = weight[v, a]
            if wa == 0.0:
                break
            i = site[v, a]
            s += wa * wa * joint[i, i]
            for b in range(a):
                s += 2.0 * wa * weight[v, b] * joint[i, site[v, b]]
        out[v] = np.sqrt(max(s, 0.0))
    return out


def carry_to_vertices(sites: Sites, site_spread: npt.NDArray[np.floating]) -> F4:
    """(V,) expected error of each vertex, mm, from the sites' mean square errors (27, 27), mm^2.

    A vertex moves as the sites that it hangs between, so its error is theirs, shared as they are by
    skinning: ``w^T S w``. Sites that err independently of each other partly cancel halfway between them.

    Raises:
        InputError: an array of another shape, or one that is not finite.
    """
    joint = np.ascontiguousarray(site_spread, np.float64)
    if joint.shape != (N_SITES, N_SITES) or not np.isfinite(joint).all():
        raise InputError(f"Errors of sites need shape ({N_SITES}, {N_SITES}) and finite values.")
    out: F4 = _carry(sites.vertex_site, sites.vertex_weight, joint)
    return out


def scaled_spread(posterior: F8, site_mm: F8, together: float) -> F8:
    """(27, 27) the posterior (27, 27) brought to the expected errors (27,), mm^2.

    Its correlations stay, mixed with full correlation by the share ``together``: neighbours err more alike
    than a posterior knows that believes every keypoint.
    """
    sigma = np.sqrt(np.maximum(np.diag(posterior), 1e-9))
    correlation = posterior / (sigma[:, None] * sigma)
    mixed = (1.0 - together) * correlation + together
    out: F8 = mixed * (site_mm[:, None] * site_mm)
    return out
