"""Pictures of the frames with the largest errors: truth and estimate over the footage."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from app.footage import Footage
from app.project.records import PersonRecord
from backends.body import BodyModel, posed_vertices
from backends.camera import Camera
from backends.confidence import confidence_rgb, vertex_mm
from backends.confidence.types import DEFAULT_TOLERANCE_MM
from backends.keypoints.layout import KEYPOINT_NAMES, SKELETON
from backends.metrics.joint_sets import JointSet
from backends.render import Mesh, composite, rasterize

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

TRUE_RGB, FOUND_RGB = (53, 194, 176), (240, 180, 41)
"""The true skeleton and the one that was found: colours for dark pictures, told apart by shape too."""
_HEIGHT = 420
_AIR = 0.18
_GAP = 6
_BETWEEN = 128


def draw_worst(
    footage: Footage, frame: int, body: BodyModel, camera: Camera, record: PersonRecord,
    joints: JointSet, truth: F8, estimate: F8, tolerance_mm: float = DEFAULT_TOLERANCE_MM,
) -> U1:  # fmt: skip
    """Two crops side by side, (h, w, 3): the skeletons (truth circles, estimate squares), and the body in
    the colours of its confidence.

    Args:
        truth, estimate: (J, 3) the joints of ``joints``, camera coordinates.

    Raises:
        FootageError: the frame cannot be read.
    """
    image = footage.frame(frame)
    a, b = camera.project(truth), camera.project(estimate)
    x0, y0, x1, y1 = _window(np.vstack([a, b, record.estimate.box.reshape(2, 2)]), image.shape)
    bones = _bones(joints)
    left = image.copy()
    thick = max(1, round((y1 - y0) / 260))
    _skeleton(left, a, bones, TRUE_RGB, thick, square=False)
    _skeleton(left, b, bones, FOUND_RGB, thick, square=True)
    right = image
    if record.body is not None:
        vertices = posed_vertices(body, record.body.params).astype(np.float32)
        colours: U1 | tuple[int, int, int] = (150, 160, 172)
        if record.confidence is not None:
            colours = confidence_rgb(vertex_mm(body, record.confidence), tolerance_mm)
        drawn = rasterize(
            [Mesh(vertices, body.faces, colours)], camera, size=(image.shape[0], image.shape[1])
        )
        right = composite(image, drawn, opacity=0.9)
    crops = [_scaled(c[y0:y1, x0:x1]) for c in (left, right)]
    bar = np.full((_HEIGHT, _GAP, 3), _BETWEEN, np.uint8)
    return np.ascontiguousarray(np.hstack([crops[0], bar, crops[1]]))


def _window(points: F8, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """A part of the picture about the points, with air, at least a third as wide as high."""
    known = points[np.isfinite(points).all(axis=1)]
    low, high = known.min(axis=0), known.max(axis=0)
    middle, size = (low + high) / 2, np.maximum(high - low, 24.0) * (1 + 2 * _AIR)
    size[0], size[1] = max(size[0], 0.55 * size[1]), max(size[1], 0.75 * size[0])
    edge = np.array([shape[1], shape[0]], np.float64)
    low = np.clip(middle - size / 2, 0, edge - 8)
    high = np.clip(middle + size / 2, low + 8, edge)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _scaled(crop: U1) -> U1:
    width = max(1, round(crop.shape[1] * _HEIGHT / crop.shape[0]))
    how = cv2.INTER_AREA if crop.shape[0] > _HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(crop), (width, _HEIGHT), interpolation=how), np.uint8)


_CHAINS = (
    ("pelvis", "spine1"), ("spine1", "spine2"), ("spine2", "spine3"), ("spine3", "neck"), ("neck", "head"),
    ("mid_hip", "spine"), ("spine", "neck"), ("neck", "head_top"), ("neck", "left_shoulder"),
    ("neck", "right_shoulder"), ("mid_hip", "left_hip"), ("mid_hip", "right_hip"), ("pelvis", "left_hip"),
    ("pelvis", "right_hip"), ("left_ankle", "left_foot"), ("right_ankle", "right_foot"),
)  # fmt: skip


def _bones(joints: JointSet) -> list[tuple[int, int]]:
    named = [(KEYPOINT_NAMES[i], KEYPOINT_NAMES[j]) for i, j in SKELETON] + list(_CHAINS)
    index = {n: i for i, n in enumerate(joints.joints)}
    return [(index[a], index[b]) for a, b in named if a in index and b in index]


def _skeleton(
    image: U1, xy: F8, bones: list[tuple[int, int]], rgb: tuple[int, int, int], thick: int, *, square: bool
) -> None:
    known = np.asarray((np.abs(np.nan_to_num(xy, nan=np.inf)) < 1e4).all(axis=1))
    for a, b in bones:
        if known[a] and known[b]:
            _line(image, xy[a], xy[b], (14, 17, 21), thick + 2)
            _line(image, xy[a], xy[b], rgb, thick)
    radius = 2 * thick + 1
    for x, y in xy[known].round().astype(int):
        if square:
            cv2.rectangle(
                image, (x - radius - 1, y - radius - 1), (x + radius + 1, y + radius + 1), (14, 17, 21), -1
            )
            cv2.rectangle(image, (x - radius + 1, y - radius + 1), (x + radius - 1, y + radius - 1), rgb, -1)
        else:
            cv2.circle(image, (int(x), int(y)), radius + 1, (14, 17, 21), -1, cv2.LINE_AA)
            cv2.circle(image, (int(x), int(y)), radius, rgb, -1, cv2.LINE_AA)


def _line(image: U1, a: F8, b: F8, rgb: tuple[int, int, int], thick: int) -> None:
    p, q = (tuple(int(v) for v in np.round(point)) for point in (a, b))
    cv2.line(image, p, q, rgb, thick, cv2.LINE_AA)
