"""What one picture says about a body that was fitted elsewhere: misses, and how sure each joint is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.body import BodyParams
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.depth import KeypointDepths, with_depth
from backends.fitting.evidence import gather, weigh_bones, weigh_or_refuse
from backends.fitting.fitter import BodyFitter
from backends.fitting.result import single_result
from backends.fitting.solver import linearise
from backends.fitting.types import FitResult
from backends.keypoints.types import Keypoints


def assess(
    fitter: BodyFitter,
    params: BodyParams,
    keypoints: Keypoints,
    world: npt.NDArray[np.float32] | None,
    camera: Camera,
    *,
    temporal: BodyParams | None = None,
    depth: KeypointDepths | None = None,
) -> FitResult:
    """The result that :meth:`BodyFitter.fit` would give had it ended at ``params``.

    The covariances are Laplace's at ``params``, from this picture, the priors and ``temporal``. The body
    does not move. ``cost`` is not known then (NaN).

    Args:
        params: camera coordinates, metres; its shape counts as given.
        keypoints, world, camera, temporal, depth: see :meth:`BodyFitter.fit`.

    Raises:
        NotEnoughKeypoints: fewer than six keypoints that can be used, or all in one spot.
        InputError: a body of another shape, one that is not finite or one behind the camera.
    """
    if params.betas.shape != (fitter.body.n_betas,):
        raise InputError(f"betas need shape ({fitter.body.n_betas},), got {params.betas.shape}")
    whole = np.concatenate([params.betas, params.pose.reshape(-1), params.transl])
    if not np.isfinite(whole).all() or params.transl[2] <= 0.0:
        raise InputError("A body to assess needs finite values and a place before the camera.")
    view = weigh_or_refuse(keypoints, fitter.settings)
    bones = weigh_bones(view, world, camera, fitter.settings)
    known = gather([view], [camera], own_axes=True, bones=bones, bone_cut=fitter.settings.robust)
    known = with_depth(known, depth)
    betas = np.ascontiguousarray(params.betas, np.float64)
    lines = linearise(fitter.pack(params, 0), betas, 0, fitter.arrays, known, fitter.prior_for(0, temporal))
    return single_result(params, 0, view, known, lines, np.nan, 0, fitter.settings.covariance_share)
