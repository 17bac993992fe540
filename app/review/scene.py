"""From stored rows to what is drawn over a picture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import numpy as np

from app.project.records import PersonRecord, TrackRecord
from app.project.store import ProjectStore
from app.review.live import LivePlay
from app.review.types import CameraView, PersonScene, Scene, SceneModel
from backends.body import BodyModel, posed_vertices
from backends.body.skeleton import JOINT_NAMES
from backends.camera import Camera
from backends.confidence import confidence_rgb, explain_keypoints, vertex_bound_mm, vertex_mm
from backends.confidence.expected import keypoint_bounds, make_sites
from backends.confidence.types import DEFAULT_TOLERANCE_MM
from backends.keypoints.details import Details
from backends.keypoints.layout import KEYPOINT_NAMES, MIRROR, N_KEYPOINTS, SKELETON
from backends.render.geometry import vertex_normals

UNKNOWN_MM = 200.0
"""Shown for a keypoint of a person without a body: far beyond any tolerance."""

_CACHED_PEOPLE = 240
"""Posed bodies that are kept, about 0.3 MB each."""


_PARTS = {
    "hip": "thigh", "knee": "shin", "ankle": "foot", "foot": "toes", "collar": "shoulder",
    "shoulder": "upper arm", "elbow": "forearm", "wrist": "hand", "pelvis": "hips", "spine1": "belly",
    "spine2": "trunk", "spine3": "chest", "jaw": "head", "eye_smplhf": "head",
}  # fmt: skip
"""What a joint moves, in people's words; fingers are the hand."""


def _part_label(joint: str) -> str:
    side, _, part = joint.partition("_")
    if side not in ("left", "right"):
        side, part = "", joint
    plain = _PARTS.get(part, "hand" if part[-1:].isdigit() and part not in _PARTS else part)
    if plain == "head":
        side = ""
    return f"{side} {plain}".strip().capitalize()


def scene_model(body: BodyModel) -> SceneModel:
    """What the window needs to know of a body model."""
    sides = tuple(n.split("_")[0] if n.startswith(("left_", "right_")) else "" for n in KEYPOINT_NAMES)
    labels = tuple(n.replace("_", " ").capitalize() for n in KEYPOINT_NAMES)
    return SceneModel(
        n_vertices=len(body.v_template),
        faces=np.ascontiguousarray(body.faces, dtype=np.int32),
        keypoint_names=KEYPOINT_NAMES,
        keypoint_labels=labels,
        skeleton=SKELETON,
        mirror=MIRROR,
        sides=sides,
        part_of_vertex=body.part_of_vertex,
        part_labels=tuple(_part_label(name) for name in JOINT_NAMES),
    )


def camera_view(camera: Camera) -> CameraView:
    """The camera in a world with z up; one that nobody has calibrated is taken to be level."""
    R, t = camera.R, camera.t
    if not camera.placed:
        R = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
        t = np.zeros(3)
    return CameraView(camera.K, R, t, camera.width, camera.height, camera.assumed)


class SceneBuilder:
    """Builds scenes and keeps the posed bodies of the frames seen last."""

    def __init__(self, store: ProjectStore, body: BodyModel, camera: Camera) -> None:
        self._store = store
        self._body = body
        self._camera = camera
        self._cache: OrderedDict[tuple[int, int], PersonScene] = OrderedDict()
        self.tolerance_mm = DEFAULT_TOLERANCE_MM
        self._live: LivePlay | None = None
        self._times = store.footage().times

    def see(self, camera: Camera) -> None:
        """The focal length is known better now."""
        self._camera = camera
        self._cache.clear()

    def set_live(self, on: bool) -> None:
        """Whether bodies are those of single frames still, to be calmed as they are played."""
        if on != (self._live is not None):
            self._live = LivePlay() if on else None
            self._cache.clear()

    def forget(self, frame: int | None = None) -> None:
        """Something changed in one frame, or anywhere."""
        if frame is None:
            self._cache.clear()
            return
        for key in [k for k in self._cache if k[0] == frame]:
            del self._cache[key]

    def scene(self, frame: int, tracks: Mapping[int, TrackRecord], *, processed: bool) -> Scene:
        """Everybody in one frame."""
        people = []
        for track_id in self._store.track_ids(frame):
            track = tracks.get(track_id)
            if track is None:
                continue
            found = self._cache.get((frame, track_id))
            if found is None:
                record = self._store.person(frame, track_id)
                if record is None:
                    continue
                if self._live is not None:
                    record = self._live.show(record, float(self._times[frame]))
                found = self.person(record, track)
                self._cache[(frame, track_id)] = found
                while len(self._cache) > _CACHED_PEOPLE:
                    self._cache.popitem(last=False)
            else:
                self._cache.move_to_end((frame, track_id))
            people.append(found)
        return Scene(frame, processed, tuple(people))

    def vertex_words(self, model: SceneModel, frame: int, track_id: int, vertex: int) -> tuple[str, str, str]:
        """Part of the body, expected error and bound of a vertex; "" for what is not known."""
        record = self._store.person(frame, track_id)
        part = model.part_labels[model.part_of_vertex[vertex]]
        if record is None or record.confidence is None:
            return part, "", ""
        mm = float(vertex_mm(self._body, record.confidence)[vertex])
        bounds = vertex_bound_mm(self._body, record.confidence)
        bound = "" if bounds is None else f"9 of 10 within {float(bounds[vertex]):.0f} mm"
        return part, f"±{mm:.0f} mm", bound

    def person(self, record: PersonRecord, track: TrackRecord) -> PersonScene:
        """One person of one frame, posed and coloured."""
        keypoints = record.estimate.keypoints
        vertices = normals = error_mm = vertex_rgb = None
        keypoint_mm = np.full(N_KEYPOINTS, UNKNOWN_MM, np.float32)
        bounds = np.full(N_KEYPOINTS, np.nan, np.float32)
        reasons = ("",) * N_KEYPOINTS
        mean = UNKNOWN_MM
        if record.body is not None and record.confidence is not None:
            vertices = posed_vertices(self._body, record.body.params).astype(np.float32)
            normals = vertex_normals(vertices, self._body.faces)
            error_mm = vertex_mm(self._body, record.confidence)
            vertex_rgb = confidence_rgb(error_mm, self.tolerance_mm)
            keypoint_mm = record.confidence.keypoint_mm
            mean = record.confidence.mean_mm
            reasons = explain_keypoints(keypoints, record.body.reprojected, self._camera, keypoint_mm)
            bounds = keypoint_bounds(make_sites(self._body), record.confidence)
        details = record.estimate.details or Details()
        left, right, face = details.left_hand, details.right_hand, details.face
        return PersonScene(
            person_id=record.track_id, name=track.name, color_index=track.color_index,
            xy=keypoints.xy, score=keypoints.score, visibility=keypoints.visibility,
            source=keypoints.source, keypoint_mm=keypoint_mm, reasons=reasons, keypoint_bound_mm=bounds,
            vertices=vertices, normals=normals, vertex_mm=error_mm, vertex_rgb=vertex_rgb,
            mean_mm=mean, reviewed=record.reviewed, hidden=track.hidden,
            left_hand=left.xy if left is not None else None,
            right_hand=right.xy if right is not None else None,
            face=face.xyz[:, :2] if face is not None else None,
        )  # fmt: skip
