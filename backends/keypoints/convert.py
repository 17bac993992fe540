"""One table between the default 23 keypoints and every other layout; conversion is for the border only."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from backends.errors import InputError
from backends.keypoints.layout import INDEX, KEYPOINT_NAMES, N_KEYPOINTS

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_COCO = KEYPOINT_NAMES[:17]

LAYOUTS: Final[dict[str, tuple[str, ...]]] = {
    "default": KEYPOINT_NAMES,
    "coco17": _COCO,
    # https://developers.google.com/mediapipe pose landmarker; the foot index is taken as the big toe
    "blazepose33": (
        "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
        "right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder",
        "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
        "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip",
        "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel", "left_big_toe",
        "right_big_toe",
    ),
    "body25": (
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
        "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee",
        "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe",
        "left_heel", "right_big_toe", "right_small_toe", "right_heel",
    ),
    "coco18": (
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
        "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
        "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    "h36m17": (
        "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "spine",
        "neck", "head", "head_top", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder",
        "right_elbow", "right_wrist",
    ),
    "halpe26": (
        *_COCO, "head_top", "neck", "mid_hip", "left_big_toe", "right_big_toe", "left_small_toe",
        "right_small_toe", "left_heel", "right_heel",
    ),
}  # fmt: skip
"""Names of the points of each layout, in its order."""

_MIDDLES: Final[dict[str, tuple[str, str]]] = {
    "neck": ("left_shoulder", "right_shoulder"),
    "mid_hip": ("left_hip", "right_hip"),
}
"""Points that other layouts have between two of ours."""


def _layout(name: str) -> tuple[str, ...]:
    try:
        return LAYOUTS[name]
    except KeyError:
        raise InputError(f"There is no keypoint layout '{name}'. Known: {', '.join(LAYOUTS)}.") from None


def default_from(layout: str) -> tuple[I8, npt.NDArray[np.bool_]]:
    """For each of the 23 default points its index in ``layout``, and whether the layout has it.

    Raises:
        InputError: for an unknown layout.
    """
    names = _layout(layout)
    known = np.array([n in names for n in KEYPOINT_NAMES])
    index = np.array([names.index(n) if n in names else 0 for n in KEYPOINT_NAMES])
    return index, known


BLAZEPOSE_TO_DEFAULT: Final = default_from("blazepose33")


def to_default(points: npt.ArrayLike, layout: str) -> F8:
    """(23, C) the default points; rows of NaN where ``layout`` has none.

    Raises:
        InputError: unknown layout, or another number of points than it has.
    """
    values = np.asarray(points, dtype=np.float64)
    if values.ndim != 2 or len(values) != len(_layout(layout)):
        raise InputError(f"{layout} has {len(_layout(layout))} points, got an array of shape {values.shape}.")
    index, known = default_from(layout)
    result = np.full((N_KEYPOINTS, values.shape[1]), np.nan)
    result[known] = values[index[known]]
    return result


def from_default(points: npt.ArrayLike, layout: str) -> F8:
    """(n, C) the points of ``layout``: ours, the middle of two of ours, or NaN where neither is defined.

    Raises:
        InputError: unknown layout, or not 23 points.
    """
    values = np.asarray(points, dtype=np.float64)
    if values.ndim != 2 or len(values) != N_KEYPOINTS:
        raise InputError(f"The default layout has 23 points, got an array of shape {values.shape}.")
    names = _layout(layout)
    result = np.full((len(names), values.shape[1]), np.nan)
    for i, name in enumerate(names):
        if name in INDEX:
            result[i] = values[INDEX[name]]
        elif name in _MIDDLES:
            a, b = _MIDDLES[name]
            result[i] = (values[INDEX[a]] + values[INDEX[b]]) / 2
    return result
