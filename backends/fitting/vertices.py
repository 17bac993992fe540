"""Vertices as points of the fit: their derivatives, and how sure each is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel
from backends.errors import InputError
from backends.fitting.arrays import BodyArrays
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE, points_and_derivatives
from backends.fitting.posterior import covariances, similarity_modes, spread
from backends.fitting.problem import joint_roots
from backends.fitting.types import FitResult, ViewsFit

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_CHUNK = 512
_MM2 = 1e6


def vertex_arrays(body: BodyModel, index: npt.ArrayLike) -> BodyArrays:
    """The body with the given vertices as its points; fingers and face hang on wrists and head."""
    chosen = np.asarray(index, dtype=np.int64)
    weight = np.zeros((len(chosen), N_FIT_JOINTS))
    roots = joint_roots(body)
    given = body.weights[chosen].astype(np.float64)
    for j, root in enumerate(roots):
        weight[:, root] += given[:, j]
    weight[weight < 1e-4] = 0.0
    weight /= weight.sum(axis=1, keepdims=True)
    return BodyArrays(
        parents=np.ascontiguousarray(body.parents[:N_FIT_JOINTS], dtype=np.int64),
        J_template=np.ascontiguousarray(body.J_template[:N_FIT_JOINTS], dtype=np.float64),
        J_dirs=np.ascontiguousarray(body.J_shapedirs[:N_FIT_JOINTS], dtype=np.float64),
        weight=weight,
        template=weight[:, :, None] * body.v_template[chosen][:, None],
        dirs=weight[:, :, None, None] * body.shapedirs[chosen][:, None],
    )


def vertex_covariances(
    body: BodyModel, result: FitResult | ViewsFit, index: npt.ArrayLike | None = None
) -> F8:
    """(M, 3, 3) posterior covariance of vertices, mm^2, by propagation of the unknowns' posterior.

    Axes and alignment as the joints' covariances of ``result``. Pose-dependent corrections are left out.

    Args:
        index: (M,) which vertices; all by default (some tenths of a second).

    Raises:
        InputError: vertices that the body does not have, or the result of another body.
    """
    chosen = np.arange(body.n_vertices) if index is None else np.asarray(index, dtype=np.int64)
    if chosen.ndim != 1 or (len(chosen) and (chosen.min() < 0 or chosen.max() >= body.n_vertices)):
        raise InputError(f"This body has {body.n_vertices} vertices; other ones were asked for.")
    n = len(result.spread.factor)
    params = result.params
    if params.betas.shape != (body.n_betas,) or n not in (N_POSE + 3, N_POSE + 3 + body.n_betas):
        raise InputError("This fit belongs to another body.")
    x = np.concatenate([params.pose[:N_FIT_JOINTS].reshape(-1), params.transl, params.betas])[:n]
    out = np.empty((len(chosen), 3, 3))
    for first in range(0, len(chosen), _CHUNK):
        some = chosen[first : first + _CHUNK]
        X, dX = np.empty((len(some), 3)), np.empty((len(some), 3, n))
        points_and_derivatives(
            x, params.betas, n - N_POSE - 3, vertex_arrays(body, some), len(some), X, dX, True
        )
        moved = spread(dX, result.spread.factor)
        modes = similarity_modes(X, result.spread.centre)
        moved -= np.einsum("kra,ai->kri", modes, result.spread.motion)
        out[first : first + len(some)] = covariances(moved)
    return out * _MM2
