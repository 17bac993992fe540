"""What is kept of a scene for training: everything that was seen, and everything that is true.

Bodies are not kept: they are fitted anew from this evidence whenever the fit has changed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import UnderstudyError
from app.export.atomic import written_whole
from backends.camera import Camera
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.masks import CropMask
from backends.synthetic import CameraFrame
from backends.tracking.types import TrackDecisions, TrackedPose

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
U1 = npt.NDArray[np.uint8]

VERSION = 1


class EvidenceError(UnderstudyError):
    """A file of stored evidence that cannot be used."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One camera of one scene: N sightings (a person in a frame), T frames, P true people.

    Attributes:
        fps, size: () frames a second; (2,) width and height, pixels.
        K, R, t: (3, 3), (T, 3, 3), (T, 3) the true camera (OpenCV) in each frame.
        frame, track: (N,) where and who, after the tracker's final decisions (false tracks are left out).
        xy, score, visibility: (N, 23, 2) pixels, (N, 23), (N, 23) as estimated.
        world: (N, 23, 3) metres, NaN where unknown; box (N, 4); presence (N,).
        depth_mm: (N, 23) what a depth sensor says at the keypoints, 0 where nothing.
        mask_box: (N, 4) x0, y0, width, height (width 0: no mask); mask_runs: all run lengths one after
            another; mask_ends: (N,) where each one's end.
        betas, pose, transl: (P, B), (T, P, 55, 3), (T, P, 3) the true bodies, camera coordinates.
        joints, points: (T, P, 55, 3), (T, P, 23, 3) true joints and keypoints, metres, camera coordinates.
        points_xy: (T, P, 23, 2) pixels; points_visibility (T, P, 23).
        true_box: (T, P, 4) of the visible pixels, NaN where nothing is seen; seen (T, P) share not hidden.
    """

    fps: F8
    size: I8
    K: F8
    R: F8
    t: F8
    frame: I8
    track: I8
    xy: F4
    score: F4
    visibility: U1
    world: F4
    box: F4
    presence: F4
    depth_mm: npt.NDArray[np.uint16]
    mask_box: I8
    mask_runs: npt.NDArray[np.uint32]
    mask_ends: I8
    betas: F8
    pose: F4
    transl: F8
    joints: F4
    points: F4
    points_xy: F4
    points_visibility: U1
    true_box: F4
    seen: F4

    def camera(self, frame: int) -> Camera:
        """The true camera of a frame."""
        return Camera(self.K, int(self.size[0]), int(self.size[1]), R=self.R[frame], t=self.t[frame])

    def estimate(self, row: int) -> PoseEstimate:
        """A sighting as the pipeline has it."""
        source = np.zeros(N_KEYPOINTS, np.uint8)
        keypoints = Keypoints(self.xy[row], self.score[row], self.visibility[row], source)
        mask = None
        x0, y0, width, height = (int(v) for v in self.mask_box[row])
        if width > 0:
            first = int(self.mask_ends[row - 1]) if row else 0
            mask = CropMask(x0, y0, width, height, self.mask_runs[first : int(self.mask_ends[row])])
        return PoseEstimate(keypoints, self.box[row], float(self.presence[row]), self.world[row], mask)


class Collector:
    """Gathers one camera's evidence frame by frame."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._views: list[tuple[Camera, CameraFrame]] = []
        self._rows: list[tuple[int, TrackedPose, npt.NDArray[np.uint16]]] = []

    def add(self, index: int, view: CameraFrame, people: Sequence[TrackedPose]) -> None:
        """One frame: what is true in it and who was seen."""
        for person in people:
            self._rows.append((index, person, depth_at(view.depth_mm, person.estimate.keypoints.xy)))
        # Pictures are large and not needed again.
        nothing = np.zeros((0, 0), np.uint8)
        bare = CameraFrame(
            view.name, view.camera, nothing, nothing.astype(np.float32), nothing.astype(np.uint16), nothing,
            nothing, view.people,
        )  # fmt: skip
        self._views.append((view.camera, bare))

    def finish(self, decisions: TrackDecisions) -> Evidence:
        """Everything, with the tracker's final decisions applied."""
        rows = [r for r in self._rows if r[1].track_id not in decisions.discarded]
        estimates = [r[1].estimate for r in rows]
        masks = [e.mask for e in estimates]
        runs = [m.counts if m is not None else np.zeros(0, np.uint32) for m in masks]
        people = [list(view.people) for _, view in self._views]
        camera = self._views[0][0]
        unknown = np.full((N_KEYPOINTS, 3), np.nan, np.float32)
        lost = np.full(4, np.nan, np.float32)

        def per_row(values: list[Any], shape: tuple[int, ...], kind: type) -> Any:
            return np.asarray(values, kind).reshape(len(rows), *shape)

        return Evidence(
            fps=np.array(self._fps),
            size=np.array([camera.width, camera.height], np.int64),
            K=np.asarray(camera.K, np.float64),
            R=np.stack([c.R for c, _ in self._views]),
            t=np.stack([c.t for c, _ in self._views]),
            frame=np.array([r[0] for r in rows], np.int64),
            track=np.array([_final(r[1].track_id, decisions) for r in rows], np.int64),
            xy=per_row([e.keypoints.xy for e in estimates], (N_KEYPOINTS, 2), np.float32),
            score=per_row([e.keypoints.score for e in estimates], (N_KEYPOINTS,), np.float32),
            visibility=per_row([e.keypoints.visibility for e in estimates], (N_KEYPOINTS,), np.uint8),
            world=per_row(
                [e.world if e.world is not None else unknown for e in estimates], (N_KEYPOINTS, 3), np.float32
            ),
            box=per_row([e.box for e in estimates], (4,), np.float32),
            presence=np.array([e.score for e in estimates], np.float32),
            depth_mm=per_row([r[2] for r in rows], (N_KEYPOINTS,), np.uint16),
            mask_box=np.array(
                [(m.x0, m.y0, m.width, m.height) if m is not None else (0, 0, 0, 0) for m in masks], np.int64
            ).reshape(len(rows), 4),
            mask_runs=np.concatenate([np.zeros(0, np.uint32), *runs]),
            mask_ends=np.cumsum([len(r) for r in runs], dtype=np.int64),
            betas=np.array([p.params.betas for p in people[0]]),
            pose=np.array([[p.params.pose for p in frame] for frame in people], np.float32),
            transl=np.array([[p.params.transl for p in frame] for frame in people]),
            joints=np.array([[p.joints for p in frame] for frame in people], np.float32),
            points=np.array([[p.keypoints_3d for p in frame] for frame in people], np.float32),
            points_xy=np.array([[p.keypoints_2d for p in frame] for frame in people], np.float32),
            points_visibility=np.array([[p.visibility for p in frame] for frame in people], np.uint8),
            true_box=np.array(
                [[p.box if p.box is not None else lost for p in frame] for frame in people], np.float32
            ),
            seen=np.array([[p.seen for p in frame] for frame in people], np.float32),
        )


def _final(track: int, decisions: TrackDecisions) -> int:
    while track in decisions.merged:
        track = decisions.merged[track]
    return track


def depth_at(depth_mm: npt.NDArray[np.uint16], xy: F4) -> npt.NDArray[np.uint16]:
    """(23,) the sensor's depth at keypoints (23, 2), mm: the median of 5 x 5 pixels, 0 for none."""
    height, width = depth_mm.shape
    out = np.zeros(len(xy), np.uint16)
    for k, (x, y) in enumerate(np.nan_to_num(xy, nan=-1e6)):
        column, row = round(float(x)), round(float(y))
        if 0 <= column < width and 0 <= row < height:
            near = depth_mm[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
            known = near[near > 0]
            out[k] = int(np.median(known)) if len(known) else 0
    return out


def save_evidence(evidence: Evidence, path: Path) -> None:
    """Write evidence, compressed; it stands under its name only when it is whole."""
    arrays = {f.name: getattr(evidence, f.name) for f in fields(Evidence)}
    with written_whole(path) as part, part.open("wb") as file:
        np.savez_compressed(file, version=np.array(VERSION), **arrays)


def load_evidence(path: Path) -> Evidence:
    """Read evidence.

    Raises:
        EvidenceError: not such a file, a damaged one or one of another version.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            if "version" not in stored or int(stored["version"]) != VERSION:
                raise EvidenceError(f"{path} holds no evidence of this version. Make the data again.")
            evidence = Evidence(**{f.name: stored[f.name] for f in fields(Evidence)})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise EvidenceError(
            f"{path} cannot be read as evidence ({error}). Delete it and make it again."
        ) from error
    n = len(evidence.frame)
    shapes = {"xy": (n, N_KEYPOINTS, 2), "world": (n, N_KEYPOINTS, 3), "mask_box": (n, 4), "box": (n, 4)}
    for name, shape in shapes.items():
        if getattr(evidence, name).shape != shape:
            raise EvidenceError(f"{path} is damaged: '{name}' has not the shape {shape}. Make it again.")
    return evidence
