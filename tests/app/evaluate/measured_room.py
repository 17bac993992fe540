"""A small clip with two people, its truth in memory, and a project as a perfect or a poor run left it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from app.datasets.types import JointLayout, Points2D, Points3D, TrueFrame, TruePerson, TruthSet, TruthView
from app.evaluate.heads import found_face
from app.footage.writer import VideoWriter
from app.project.records import FittedBody, PersonRecord
from app.project.store import ProjectStore
from app.review.opening import create_project
from backends.body import BodyParams, load_body, posed_joints, posed_keypoints, posed_vertices
from backends.body.skeleton import JOINT_NAMES
from backends.camera import Camera, assumed_camera
from backends.confidence.types import BodyConfidence
from backends.keypoints.layout import KEYPOINT_NAMES
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.masks import encode_mask
from backends.render import Mesh, rasterize

WIDTH, HEIGHT, N, FPS = 320, 240, 12, 25
BODY = load_body()
CAMERA = assumed_camera(WIDTH, HEIGHT)
K23 = JointLayout("keypoints23", KEYPOINT_NAMES)
J55 = JointLayout("smplx55", JOINT_NAMES)


def single(values: object) -> np.ndarray:
    """What a project's 32 bits keep of numbers."""
    return np.asarray(values, np.float32).astype(np.float64)


def body_at(person: int, frame: int) -> BodyParams:
    """Person 1 walks towards the right, person 2 stands and lifts an arm."""
    params = BodyParams.rest(BODY.n_betas)
    params.pose[0] = (np.pi, 0.0, 0.0)
    params.betas[0] = 0.5 * person
    if person == 1:
        params.transl[:] = (-1.0 + 0.03 * frame, 0.1, 4.0)
        params.pose[16, 2] = -1.1
        params.pose[17, 2] = 1.1
        params.pose[1, 0] = -0.3 + 0.05 * frame
    else:
        params.transl[:] = (0.8, 0.1, 3.6)
        params.pose[16, 2] = -1.2 + 0.03 * frame
        params.pose[17, 2] = 1.0
    return BodyParams(single(params.betas), single(params.pose), single(params.transl))


def silhouette(params: BodyParams) -> np.ndarray:
    return rasterize([Mesh(posed_vertices(BODY, params), BODY.faces, (0, 0, 0))], CAMERA).coverage > 0.5


_TRUTH: dict[tuple[int, int], TruePerson] = {}


def true_person(person: int, frame: int) -> TruePerson:
    """All that a data set can say, from the very body (cached: it never changes)."""
    if (person, frame) not in _TRUTH:
        params = body_at(person, frame)
        vertices = posed_vertices(BODY, params)
        keypoints = posed_keypoints(BODY, params)
        xy = single(CAMERA.project(keypoints))
        real = silhouette(params)
        rows, columns = np.flatnonzero(real.any(axis=1)), np.flatnonzero(real.any(axis=0))
        y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
        head = CAMERA.project(vertices[BODY.head_vertices])
        _TRUTH[person, frame] = TruePerson(
            person_id=person,
            points_2d=(Points2D(K23, xy, np.full(23, 2, np.uint8)),),
            points_3d=(Points3D(K23, keypoints), Points3D(J55, posed_joints(BODY, params))),
            params=params, body="free", vertices=vertices, box=np.array([x0, y0, x1, y1], np.float64),
            mask=encode_mask(real[y0:y1, x0:x1], x0, y0), seen=1.0,
            face_box=found_face(BODY, vertices, CAMERA), face_seen=1.0,
            head_box=np.concatenate([head.min(axis=0), head.max(axis=0)]),
        )  # fmt: skip
    return _TRUTH[person, frame]


Change = Callable[[TruePerson, int], TruePerson | None]


class MemoryView(TruthView):
    """Truth in memory; ``change`` may alter a person or take them away (None)."""

    def __init__(
        self, people: tuple[int, ...] = (1, 2), change: Change = lambda p, i: p, *, name: str = "clip",
        n_frames: int = N, fps: float | None = FPS, source: Path | None = None,
        camera: Camera | None = CAMERA, plate: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        self.name, self.n_frames, self.fps, self.source = name, n_frames, fps, source
        self._people, self._change, self._camera, self._plate = people, change, camera, plate

    def plate(self) -> np.ndarray | None:
        return self._plate

    def frame(self, index: int) -> TrueFrame:
        if not 0 <= index < self.n_frames:
            raise IndexError(index)
        people = (self._change(true_person(p, index), index) for p in self._people)
        return TrueFrame(index, tuple(p for p in people if p is not None), self._camera)


def truth_of(*views: TruthView) -> TruthSet:
    return TruthSet("memory", Path("truth"), views or (MemoryView(),))


Spoil = Callable[[PersonRecord, int], PersonRecord | None]


def record_of(person: int, frame: int) -> PersonRecord:
    """The truth as a run would store it, sure of itself."""
    true = true_person(person, frame)
    xy = true.points_2d[0].xy.astype(np.float32)
    keypoints = Keypoints(xy, np.ones(23, np.float32), np.full(23, 2, np.uint8), np.zeros(23, np.uint8))
    estimate = PoseEstimate(keypoints, true.box.astype(np.float32), 1.0, mask=true.mask)
    confidence = BodyConfidence(np.zeros(23, np.float32), np.zeros(55, np.float32), 0.0)
    return PersonRecord(frame, person, estimate, FittedBody(true.params, xy, 0.0), confidence)


def empty_room() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([90 + x // 8, 110 + y // 6, 120 + (x + y) // 16], axis=-1).astype(np.uint8)


def picture(frame: int) -> np.ndarray:
    image = empty_room()
    for person in (1, 2):
        image[cv2.dilate(silhouette(body_at(person, frame)).astype(np.uint8), np.ones((3, 3))) > 0] = (
            40 * person
        )
    return image


def make_project(
    folder: Path, spoil: Spoil = lambda r, i: r, *, people: tuple[int, ...] = (1, 2), n: int = N,
    last: int | None = None,
) -> Path:  # fmt: skip
    """A project of the clip with what ``spoil`` makes of the truth; None leaves the person out."""
    clip = folder / "clip.mp4"
    writer = VideoWriter(clip, WIDTH, HEIGHT, np.arange(n, dtype=np.int64), Fraction(1, FPS), crf=20)
    for i in range(n):
        writer.write(picture(i))
    writer.close()
    store, footage = create_project(clip)
    footage.close()
    end = n - 1 if last is None else last
    found = (spoil(record_of(p, i), i) for i in range(end + 1) for p in people)
    store.store_chunk(0, end, [r for r in found if r is not None], {})
    path = store.path
    store.close()
    return path


def shifted(record: PersonRecord, metres: tuple[float, float, float]) -> PersonRecord:
    """The same person, body and keypoints moved in space."""
    params = record.body.params
    moved = BodyParams(params.betas, params.pose, params.transl + np.array(metres))
    xy = CAMERA.project(posed_keypoints(BODY, moved)).astype(np.float32)
    keypoints = replace(record.estimate.keypoints, xy=xy)
    return replace(
        record, estimate=replace(record.estimate, keypoints=keypoints), body=FittedBody(moved, xy, 1.0)
    )


def open_store(path: Path) -> ProjectStore:
    return ProjectStore.open(path)
