"""What a rendered scene gives: pictures, depth, and what is true in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams
from backends.camera import Camera
from backends.masks import CropMask

F8 = npt.NDArray[np.float64]
F4 = npt.NDArray[np.float32]
U1 = npt.NDArray[np.uint8]
U2 = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class PersonTruth:
    """One person in one frame of one camera, exactly.

    Attributes:
        person_id: 1, 2, 3, ..., the same in every frame and every camera.
        params: the bare body's parameters, camera coordinates.
        joints: (55, 3), keypoints_3d: (23, 3) metres, camera coordinates.
        keypoints_2d: (23, 2) pixels; NaN behind the camera.
        visibility: (23,) uint8, see :class:`backends.keypoints.types.Visibility`; absent means out of view.
        box: (4,) x0 y0 x1 y1 of the visible pixels (the last one included), or None where nothing is seen.
        mask: the visible pixels, clothes included, or None.
        seen: share of the silhouette within the picture that nothing hides, in [0, 1].
        face_box: (4,) x0 y0 x1 y1 about the face (forehead to chin, hidden parts included), clipped to the
            picture, or None where the face is turned away, or out of the picture.
        face_seen: share of the face's front that is seen (a surgical mask hides nothing), in [0, 1].
        head_box: (4,) about the whole head, hidden parts included, clipped, or None out of the picture.
        face_mask: whether the person wears a surgical mask.
    """

    person_id: int
    params: BodyParams
    joints: F8
    keypoints_3d: F8
    keypoints_2d: F8
    visibility: U1
    box: F4 | None
    mask: CropMask | None
    seen: float
    face_box: F4 | None
    face_seen: float
    head_box: F4 | None
    face_mask: bool


@dataclass(frozen=True, slots=True, eq=False)
class PersonWorld:
    """One person in one frame, world coordinates (metres, z up): what does not depend on a camera.

    Attributes:
        person_id: as in :class:`PersonTruth`.
        params: the bare body's parameters; row 0 of the pose turns the body in the world.
        joints: (55, 3), keypoints_3d: (23, 3) metres.
    """

    person_id: int
    params: BodyParams
    joints: F8
    keypoints_3d: F8


@dataclass(frozen=True, slots=True, eq=False)
class CameraFrame:
    """What one RGB-D camera gives at one moment, and the truth in it.

    Attributes:
        name: of the camera, ``cam01``, ``cam02``, ...
        camera: with ``R, t`` of this very frame (a hand-held camera moves).
        image: (H, W, 3) uint8 RGB.
        depth: (H, W) float32 metres along z, exact; inf where there is nothing.
        depth_mm: (H, W) uint16 millimetres as a depth sensor gives them: noise, and 0 in its holes.
        instances: (H, W) uint8, the person_id that is seen in each pixel, 0 for none.
        heads: (H, W) uint8, the person_id whose head (with cap, hair and mask) is seen in each pixel, or 0.
        people: everybody in the scene, also those whom this camera does not see.
    """

    name: str
    camera: Camera
    image: U1
    depth: F4
    depth_mm: U2
    instances: U1
    heads: U1
    people: tuple[PersonTruth, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SceneFrame:
    """One moment of a scene: ``index`` at ``time`` seconds, in the world and in every camera."""

    index: int
    time: float
    world: tuple[PersonWorld, ...]
    views: tuple[CameraFrame, ...]
