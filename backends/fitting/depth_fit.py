"""Fits one body to keypoints and to what a depth sensor says of the same moment."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from backends.body import BodyParams
from backends.camera import Camera
from backends.depth import DepthPatch
from backends.fitting.depth import KeypointDepths, Skin, moved_to
from backends.fitting.fitter import BodyFitter
from backends.fitting.types import FitResult
from backends.keypoints.types import Keypoints

F8 = npt.NDArray[np.float64]

MIN_TOLD: Final = 3
"""Keypoints that a sensor has to tell of: fewer may be a thing that the mask took for the person."""
_COLD, _WARM = 2, 1
"""Rounds from nothing, and from where the person was a moment ago."""


def fit_with_depth(
    fitter: BodyFitter, skin: Skin, patch: DepthPatch, keypoints: Keypoints,
    world: npt.NDArray[np.float32] | None, camera: Camera, *, betas: F8 | None = None,
    init: BodyParams | None = None, temporal: BodyParams | None = None,
) -> FitResult:  # fmt: skip
    """As :meth:`BodyFitter.fit`, with distances: a body, then what the sensor says of its skin, in turn.

    Where the sensor says too little of the person the keypoints alone count.

    Args:
        skin: of the fitter's body. patch: about this person, in the pixels of ``camera``'s picture.

    Raises:
        NotEnoughKeypoints, InputError: as :meth:`BodyFitter.fit`.
    """
    result: FitResult | None = None
    params, rounds = init, _WARM
    if params is None or not np.isfinite(params.pose).all() or not params.transl[2] > 0.1:
        result = fitter.fit(keypoints, world, camera, betas=betas, temporal=temporal)
        params, rounds = result.params, _COLD
    for i in range(rounds):
        told = depths_of(skin, params, camera, patch)
        if i == 0 and told is not None:
            # As a whole to where it is, or the parts would be taken for strays.
            params = moved_to(params, fitter.body, told.ratio)
            told = depths_of(skin, params, camera, patch)
        if told is None:
            break
        result = fitter.fit(keypoints, world, camera, betas=betas, init=params, temporal=temporal, depth=told)
        params = result.params
    if result is None:
        return fitter.fit(keypoints, world, camera, betas=betas, init=init, temporal=temporal)
    return result


def depths_of(skin: Skin, params: BodyParams, camera: Camera, patch: DepthPatch) -> KeypointDepths | None:
    """What the sensor says of a body's keypoints; None where that is too little to go by."""
    told = skin.told(params, camera, patch)
    return told if int(told.told.sum()) >= MIN_TOLD else None
