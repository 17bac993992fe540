"""One person of a picture through the program's own eyes: a crop, its keypoints, a body fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue
from types import TracebackType

import cv2
import numpy as np
import numpy.typing as npt

from app.errors import FootageError
from app.models.store import ModelStore
from app.pipeline.engine import DETECTOR, LANDMARKS
from backends.body import BodyModel, load_body, posed_keypoints
from backends.camera import Camera, assumed_camera
from backends.confidence.agreement import AGREEMENT_JOINTS, CROP, skeleton_from_points23
from backends.confidence.sensitivity import Estimates
from backends.detection.blazepose import PersonDetector
from backends.detection.tiles import Tile
from backends.detection.types import Region
from backends.fitting import BodyFitter, FitResult, NotEnoughKeypoints
from backends.keypoints.blazepose import LandmarkNetwork, to_estimate
from backends.keypoints.layout import INDEX, MIRROR
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.tracking.stream import PeopleStream

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_MARGIN = 1.2
"""Side of the crop in longer sides of the person's box."""
_THRESHOLD = 0.3
_PRESENT = 0.5
_WORKERS = 2
_SHOULDERS = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
_HIPS = [INDEX["left_hip"], INDEX["right_hip"]]


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A person's square of a picture.

    Attributes:
        image: (size, size, 3) uint8 RGB.
        to_crop: (2, 3) from pixels of the picture to pixels of the crop.
        camera: the picture's camera as seen through the crop.
        region: where BlazePose's landmarks look, pixels of the crop.
    """

    image: U1
    to_crop: F8
    camera: Camera
    region: Region


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A person in a crop: keypoints in its pixels, and the body fitted to them, or None."""

    estimate: PoseEstimate
    fit: FitResult | None


def joints_14(points23: F8) -> F8:
    """(14, D) the joints of agreement from 23 keypoints (23, D): the neck is between the shoulders."""
    names = AGREEMENT_JOINTS[:12]
    return np.stack(
        [*(points23[INDEX[n]] for n in names), points23[_SHOULDERS].mean(axis=0), points23[INDEX["nose"]]]
    )


def crop_transform(box: npt.ArrayLike, size: int = CROP) -> F8:
    """(2, 3) from picture to crop: a square about a box (4,), ``1.2`` times its longer side.

    Raises:
        FootageError: the box has no size.
    """
    x0, y0, x1, y1 = (float(v) for v in np.asarray(box, np.float64))
    side = _MARGIN * max(x1 - x0, y1 - y0)
    if not np.isfinite(side) or side < 2.0:
        raise FootageError("The person's box has no size.")
    scale = size / side
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    shift = (size - 1) / 2 - scale * middle
    return np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])


def cut(image: U1, to_crop: F8, size: int = CROP) -> U1:
    """The crop's picture; black beyond the border. Averaged first where it shrinks a lot."""
    scale = to_crop[0, 0]
    matrix = to_crop
    if scale < 0.5:
        shrink = 1.5 * scale
        h, w = image.shape[:2]
        small = (max(1, round(w * shrink)), max(1, round(h * shrink)))
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = to_crop.copy()
        matrix[:, :2] /= shrink
    return np.asarray(cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR), np.uint8)


def crop_camera(camera: Camera, to_crop: F8, size: int = CROP) -> Camera:
    """The same camera, its pixels counted in the crop; lens distortion stays in normalised coordinates."""
    full = np.vstack([to_crop, [0.0, 0.0, 1.0]])
    return replace(camera, K=full @ camera.K, width=size, height=size)


class PersonEyes:
    """Finds people, cuts them out, runs landmarks and fits. Use as a context; not for several threads.

    Raises:
        ModelError: from the constructor, when the networks are not installed.
    """

    def __init__(self, store: ModelStore | None = None, body: BodyModel | None = None) -> None:
        models = store or ModelStore()
        self._detector_path, self._landmark_path = models.path(DETECTOR), models.path(LANDMARKS)
        self.body = body or load_body()
        self.fitter = BodyFitter(self.body)
        self._detector = PersonDetector(self._detector_path, threads=_WORKERS)
        self._networks: SimpleQueue[LandmarkNetwork] = SimpleQueue()
        for _ in range(_WORKERS):
            # A network over two cores waits for both at every layer; one each do not.
            self._networks.put(LandmarkNetwork(self._landmark_path, threads=1))
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="eyes")

    def __enter__(self) -> PersonEyes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def people(self, image: U1) -> list[PoseEstimate]:
        """Everybody in a picture, the largest first."""
        stream = PeopleStream(self._detector_path, self._landmark_path)
        found = [p.estimate for p in stream.step(0, image)]
        return sorted(found, key=lambda e: -_area(e))

    def crop(
        self, image: U1, box: npt.ArrayLike, *, camera: Camera | None = None, size: int = CROP
    ) -> Crop | None:
        """The crop about a person's box (4,), or None where nobody is recognised in it."""
        to_crop = crop_transform(box, size)
        picture = cut(image, to_crop, size)
        own = crop_camera(camera or assumed_camera(image.shape[1], image.shape[0]), to_crop, size)
        # A little beyond the crop: the detector likes some room about a body.
        room = 0.1 * size
        places = self._detector.detect(picture, Tile(-room, -room, size + 2 * room), _THRESHOLD)
        if not places:
            return None
        network = self._networks.get()
        try:
            first = network.run(picture, max(places, key=lambda r: r.score * r.radius))
        finally:
            self._networks.put(network)
        if first is None or first.score < _PRESENT:
            return None
        region = first.region()
        known = np.isfinite(region.centre).all() and np.isfinite(region.up).all()
        return Crop(picture, to_crop, own, region) if known and region.radius > 1.0 else None

    def look(self, picture: U1, crop: Crop, *, mirrored: bool = False, fit: bool = True) -> Seen | None:
        """Keypoints and body of a picture of the crop's size; None where nobody is recognised.

        Args:
            mirrored: look at the picture in a mirror and turn the answer back: a second opinion.
        """
        size = picture.shape[1]
        region = crop.region
        if mirrored:
            picture = np.ascontiguousarray(picture[:, ::-1])
            region = _turned_region(region, size)
        network = self._networks.get()
        try:
            landmarks = network.run(picture, region)
        finally:
            self._networks.put(network)
        if landmarks is None or landmarks.score < _PRESENT:
            return None
        estimate = to_estimate(landmarks, size, size)
        if mirrored:
            estimate = _turned_back(estimate, size)
        if not fit:
            return Seen(estimate, None)
        try:
            return Seen(estimate, self.fitter.fit(estimate.keypoints, estimate.world, crop.camera))
        except NotEnoughKeypoints:
            return Seen(estimate, None)

    def estimates(self, pictures: Sequence[U1], crop: Crop) -> list[Estimates | None]:
        """For :mod:`backends.confidence.sensitivity`: "keypoints" (14, 2) pixels of the crop and "mesh"
        (14, 3) metres about the hips' middle, each picture by itself, without help from the others."""
        return list(self._pool.map(lambda picture: self._estimates(picture, crop), pictures))

    def _estimates(self, picture: U1, crop: Crop) -> Estimates | None:
        seen = self.look(picture, crop)
        if seen is None:
            return None
        mesh = np.full((len(AGREEMENT_JOINTS), 3), np.nan)
        if seen.fit is not None:
            points = posed_keypoints(self.body, seen.fit.params)
            mesh = joints_14(points - points[_HIPS].mean(axis=0))
        return {"mesh": mesh, "keypoints": _keypoints_14(seen.estimate)}


def _keypoints_14(estimate: PoseEstimate) -> F8:
    xy = estimate.keypoints.xy.astype(np.float64)
    return skeleton_from_points23(xy, np.maximum(estimate.keypoints.score, 1e-6)).xy


def _turned_region(region: Region, size: int) -> Region:
    """The region in the mirror."""
    centre, up = (np.array([size - 1 - p[0], p[1]]) for p in (region.centre, region.up))
    return Region(centre, up, region.score)


def _turned_back(estimate: PoseEstimate, size: int) -> PoseEstimate:
    """What was seen in a mirror as it is: x counted from the other side, left and right exchanged."""
    back = list(MIRROR)
    points = estimate.keypoints
    xy = points.xy[back].copy()
    xy[:, 0] = size - 1 - xy[:, 0]
    keypoints = Keypoints(xy, points.score[back], points.visibility[back], points.source[back])
    world = estimate.world
    if world is not None:
        world = world[back] * np.array([-1.0, 1.0, 1.0], np.float32)
    x0, y0, x1, y1 = estimate.box
    box = np.array([size - 1 - x1, y0, size - 1 - x0, y1], np.float32)
    return replace(estimate, keypoints=keypoints, world=world, box=box, mask=None)


def _area(estimate: PoseEstimate) -> float:
    x0, y0, x1, y1 = (float(v) for v in estimate.box)
    return (x1 - x0) * (y1 - y0)
