"""Goes through the frames and gathers what the scores are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.datasets.types import TrueFrame
from app.evaluate.heads import CoverageProbe, found_face
from app.evaluate.people import Paired, TrueSide, found_xy, pair_people, true_sides
from app.evaluate.points import BodyPoints, Poser, true_joints
from app.evaluate.samples import Pair, Samples
from app.project.records import PersonRecord
from backends.body import BodyModel, load_body
from backends.camera import Camera
from backends.keypoints.layout import N_KEYPOINTS
from backends.masks import CropMask
from backends.metrics.average_precision import FoundInstance, TrueInstance
from backends.metrics.joint_sets import JOINT_SETS, JointSet
from backends.metrics.masks import boundary_f, mask_iou
from backends.metrics.pose3d import errors_mm, procrustes_errors_mm
from backends.metrics.score import mean_known
from backends.metrics.tracking import TrackedFrame

F8 = npt.NDArray[np.float64]

SETS: tuple[JointSet, ...] = tuple(
    JOINT_SETS[n] for n in ("default23", "coco17", "h36m14", "h36m17", "mpi17", "smpl24")
)
_AIR = 2


class Collector:
    """Takes frame after frame of both sides.

    Args:
        camera: the project's.
        probe: measures what the export covers, or None where that is not wanted.
        n_frames: how many frames will be compared.
    """

    def __init__(self, body: BodyModel, camera: Camera, probe: CoverageProbe | None, n_frames: int) -> None:
        self._poser = Poser(body)
        self._true_poser = self._poser if body is load_body() else Poser(load_body())
        self._camera = camera
        self._probe = probe
        self._n = n_frames
        self.samples = Samples()

    def add(self, true: TrueFrame, found: list[PersonRecord]) -> None:
        """The next frame."""
        s = self.samples
        place = len(s.frames)
        s.frames.append(true.index)
        s.cameras.append(None if true.camera is None else (true.camera.R, true.camera.t))
        paired = pair_people(true_sides(true, self._camera), found)
        s.true_people += len(paired.truths)
        s.found_people += len(paired.found)
        s.matched += len(paired.pairs)
        s.ignored += paired.ignored
        s.labelled += sum(bool(t.labelled.any()) for t in paired.truths)
        s.projected += sum(t.projected for t in paired.truths)
        s.true_joints += sum(bool(t.person.points_3d) or t.person.params is not None for t in paired.truths)
        s.true_masks += sum(t.person.mask is not None for t in paired.truths)
        s.tracked.append(_tracked(paired))
        s.images.append(_image(paired))
        for i, j in paired.pairs:
            truth, record = paired.truths[i], paired.found[j]
            self._in_the_picture(truth, record)
            self._in_space(place, true.index, truth, record)
        self._faces(paired)
        for person in true.people:
            if person.mask is not None:
                if s.hidden is None:
                    s.hidden = np.zeros((self._camera.height, self._camera.width), np.bool_)
                person.mask.paint(s.hidden)
        if self._probe is not None:
            self._probe.add(true.index, place, self._n, list(true.people), s)

    def _in_the_picture(self, truth: TrueSide, record: PersonRecord) -> None:
        xy = found_xy(record)
        body = np.full((N_KEYPOINTS, 2), np.nan)
        if record.body is not None:
            body = np.asarray(record.body.reprojected, np.float64)
        side = float((truth.box[2:] - truth.box[:2]).max())
        if truth.labelled.any():
            self.samples.pixels.append((xy, body, truth.xy, truth.labelled, side))
        a, b = record.estimate.mask, truth.person.mask
        if a is not None and b is not None:
            size = (self._camera.height, self._camera.width)
            estimate, true = _part(a, b, size)
            self.samples.mask_iou.append(mask_iou(estimate, true))
            self.samples.mask_f.append(boundary_f(estimate, true, picture=size))

    def _in_space(self, place: int, frame: int, truth: TrueSide, record: PersonRecord) -> None:
        s, person = self.samples, truth.person
        if record.body is None:
            s.bodiless += 1
            return
        params = record.body.params
        mesh = self._poser.vertices(params)
        points = self._poser.points(params, mesh)
        true_mesh = true_body = None
        if self._true_poser.takes(person.params, person.body) and person.params is not None:
            true_mesh = self._true_poser.vertices(person.params)
            true_body = self._true_poser.points(person.params, true_mesh)
        if person.vertices is not None:
            true_mesh = person.vertices
        s.layouts |= {points.layout.name for points in person.points_3d}
        truths = {w.name: true_joints(person, w, true_body) for w in SETS}
        self._vertices(mesh, true_mesh, points, true_body, truths["smpl24"][0])
        expected = record.confidence.keypoint_mm.astype(np.float64) if record.confidence is not None else None
        s.pairs.append(
            Pair(
                place, frame, person.person_id, record.track_id, {w.name: points.gather(w) for w in SETS},
                truths, expected, truth.visibility,
            )
        )  # fmt: skip

    def _vertices(
        self, mesh: F8, true: F8 | None, points: BodyPoints, true_body: BodyPoints | None, true_pelvis: F8
    ) -> None:
        s = self.samples
        if true is None:
            return
        if true.shape != mesh.shape:
            s.vertices_why = (
                f"the truth's meshes have {len(true)} vertices, the program's {len(mesh)}: no vertex "
                "has a counterpart"
            )
            return
        pelvis = true_body.joints[0] if true_body is not None else true_pelvis
        s.vertex_mm.append(
            (
                mean_known(errors_mm(mesh, true)).value,
                mean_known(errors_mm(mesh - points.joints[0], true - pelvis)).value,
                mean_known(procrustes_errors_mm(mesh, true)).value,
            )
        )

    def _faces(self, paired: Paired) -> None:
        boxes = [
            t.person.face_box for t in paired.truths
            if t.person.face_box is not None and (t.person.face_seen is None or t.person.face_seen > 0)
        ]  # fmt: skip
        self.samples.true_faces += len(boxes)
        found = [
            found_face(self._poser.body, self._poser.vertices(p.body.params), self._camera)
            for p in paired.found
            if p.body is not None
        ] if boxes else []  # fmt: skip
        self.samples.faces.append(
            (np.array(boxes).reshape(-1, 4), np.array([b for b in found if b is not None]).reshape(-1, 4))
        )


def _tracked(paired: Paired) -> TrackedFrame:
    return TrackedFrame(
        np.array([t.person.person_id for t in paired.truths], np.int64),
        np.array([p.track_id for p in paired.found], np.int64),
        paired.similarity,
    )


def _image(paired: Paired) -> tuple[list[TrueInstance], list[FoundInstance]]:
    truths = [
        TrueInstance(t.box, np.column_stack([t.xy, t.labelled * 2.0]), t.area, ignore=not t.labelled.any())
        for t in paired.truths
    ]
    found = [
        FoundInstance(
            np.asarray(p.estimate.box, np.float64), found_xy(p),
            float(p.estimate.score),
        )
        for p in paired.found
    ]  # fmt: skip
    return truths, found


def _part(
    a: CropMask, b: CropMask, size: tuple[int, int]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Both masks in the part of the picture that holds them, with a little air."""
    x0, y0 = max(min(a.x0, b.x0) - _AIR, 0), max(min(a.y0, b.y0) - _AIR, 0)
    x1 = min(max(a.x0 + a.width, b.x0 + b.width) + _AIR, size[1])
    y1 = min(max(a.y0 + a.height, b.y0 + b.height) + _AIR, size[0])
    parts = []
    for mask in (a, b):
        canvas = np.zeros((max(y1 - y0, 1), max(x1 - x0, 1)), np.bool_)
        CropMask(mask.x0 - x0, mask.y0 - y0, mask.width, mask.height, mask.counts).paint(canvas)
        parts.append(canvas)
    return parts[0], parts[1]
