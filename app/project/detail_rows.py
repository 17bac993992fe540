"""Between the project's blobs and the points of hands and face."""

from __future__ import annotations

import numpy as np

from app.project.arrays import AnyArray, pack, unpack
from backends.keypoints.details import N_FACE, N_HAND, Details, FaceLandmarks, HandLandmarks

_STEPS, _OFFSET = 8.0, 512.0
"""A face's points are stored in eighths of a pixel from -512, 16 bits each: up to 7680 pixels."""


def detail_blobs(details: Details | None) -> dict[str, bytes | None]:
    """The columns ``left_hand``, ``right_hand`` and ``face`` of an observation."""
    d = details or Details()
    return {
        "left_hand": None if d.left_hand is None else _hand(d.left_hand),
        "right_hand": None if d.right_hand is None else _hand(d.right_hand),
        "face": None if d.face is None else _face(d.face),
    }


def _hand(hand: HandLandmarks) -> bytes:
    points = np.concatenate([hand.xy, hand.world], axis=1)
    return pack(np.concatenate([points, np.full((1, 5), hand.score, np.float32)]), np.float32)


def _face(face: FaceLandmarks) -> bytes:
    steps = np.clip(np.round((face.xyz + _OFFSET) * _STEPS), 0, 65535)
    score = np.full((1, 3), round(65535 * min(max(face.score, 0.0), 1.0)))
    return pack(np.concatenate([steps, score]), np.uint16)


def read_details(left: bytes | None, right: bytes | None, face: bytes | None) -> Details | None:
    """Inverse of :func:`detail_blobs`; None where there is nothing.

    Raises:
        ProjectError: a damaged blob.
    """
    if left is None and right is None and face is None:
        return None
    return Details(
        None if left is None else _read_hand(unpack(left, shape=(N_HAND + 1, 5))),
        None if right is None else _read_hand(unpack(right, shape=(N_HAND + 1, 5))),
        None if face is None else _read_face(unpack(face, shape=(N_FACE + 1, 3))),
    )


def _read_hand(rows: AnyArray) -> HandLandmarks:
    rows = rows.astype(np.float32)
    return HandLandmarks(rows[:N_HAND, :2], rows[:N_HAND, 2:], float(rows[N_HAND, 0]))


def _read_face(rows: AnyArray) -> FaceLandmarks:
    xyz = rows[:N_FACE].astype(np.float32) / np.float32(_STEPS) - np.float32(_OFFSET)
    return FaceLandmarks(xyz, float(rows[N_FACE, 0]) / 65535)
