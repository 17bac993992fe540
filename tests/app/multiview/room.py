"""A room with three cameras and two people whose bodies are known: as videos, calibrations and keypoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from app.datasets.opencv_yaml import write_storage
from app.datasets.write.disguisor import FLIP, Y_TO_Z_UP
from app.footage.writer import VideoWriter
from app.multiview.run import run_views
from app.multiview.types import ViewsRequest
from app.pipeline.engine import Engine
from app.pipeline.job import Control
from app.pipeline.run import TrackDecisions, TrackedPose
from backends.body import BodyParams, load_body
from backends.camera import Camera
from backends.fitting.trial import random_motion, ring_of_cameras, seen_keypoints, seen_world
from backends.keypoints.convert import from_default
from backends.keypoints.types import Keypoints, PoseEstimate

BODY = load_body()
N, FPS = 14, 25.0
CAMERAS = ring_of_cameras(3)
NAMES = ("cam01", "cam02", "cam03")
NOISE_PX = 1.5


def people() -> list[tuple[BodyParams, ...]]:
    """Two people, a metre apart, moving."""
    rng = np.random.default_rng(5)
    found = []
    for shift in (-0.6, 0.6):
        motion = random_motion(BODY, rng, N, FPS).params
        found.append(
            tuple(BodyParams(p.betas, p.pose, p.transl + np.array([shift, 0.0, 0.0])) for p in motion)
        )
    return found


PEOPLE = people()


def keypoints_of(view: int, person: int, frame: int) -> Keypoints:
    rng = np.random.default_rng([view, person, frame])
    return seen_keypoints(BODY, PEOPLE[person][frame], CAMERAS[view], rng, NOISE_PX)


class Perception:
    """Who is in the pictures of one camera, by the truth; its own numbers begin with the camera's.

    ``hides`` are (person, first, last) spans in which this camera does not see somebody; ``breaks`` gives a
    person another number from that frame on; ``late``: its frame of moment 0.
    """

    def __init__(
        self, view: int, hides: tuple[tuple[int, int, int], ...] = (), breaks: int | None = None,
        late: int = 0,
    ) -> None:  # fmt: skip
        self.view, self.hides, self.breaks, self.late = view, hides, breaks, late

    def step(self, index: int, image_rgb: Any) -> list[TrackedPose]:
        found: list[TrackedPose] = []
        index -= self.late
        if index < 0:
            return found
        for person in range(2):
            if index >= N or any(p == person and a <= index <= b for p, a, b in self.hides):
                continue
            kp = keypoints_of(self.view, person, index)
            seen = kp.xy[kp.visibility > 0]
            box = np.concatenate([seen.min(axis=0), seen.max(axis=0)]).astype(np.float32)
            rng = np.random.default_rng(index)
            world = seen_world(BODY, PEOPLE[person][index], CAMERAS[self.view], rng)
            # The second camera counts people the other way round.
            number = person + 1 if self.view != 1 else 2 - person
            if self.breaks is not None and person == 0 and index >= self.breaks:
                number += 10
            found.append(TrackedPose(number, PoseEstimate(kp, box, 0.95, world)))
        return found

    def finish(self) -> TrackDecisions:
        return TrackDecisions(frozenset(), {})

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to go on from."""


def engine(scripts: list[Perception]) -> Engine:
    """One script a camera, in order."""
    waiting = list(scripts)
    return Engine(lambda: waiting.pop(0), {})


def write_videos(folder: Path) -> list[Path]:
    paths = []
    for name, c in zip(NAMES, CAMERAS):
        path = folder / f"{name}.mp4"
        writer = VideoWriter(path, c.width, c.height, np.arange(N) * 512, Fraction(1, 12800))
        for i in range(N):
            writer.write(np.full((c.height, c.width, 3), 70 + i, np.uint8))
        writer.close()
        paths.append(path)
    return paths


def make_projects(folder: Path) -> Path:
    """A project of each camera in ``folder / "out"``: the second begins two frames late and counts people the
    other way round, the third does not see the second person at first."""
    request = ViewsRequest(
        tuple(write_videos(folder)), own_json(folder / "calibration.json"), folder / "out", offsets=(0, 2, 0)
    )
    scripts = [Perception(0), Perception(1, late=2), Perception(2, hides=((1, 0, 6),))]
    run_views(request, Control(), lambda event: None, engine=engine(scripts))
    return folder / "out"


def write_openpose(folder: Path, offsets: tuple[int, ...] = (0, 0, 0)) -> Path:
    for v, name in enumerate(NAMES):
        (folder / name).mkdir(parents=True)
        for i in range(N):
            rows = []
            for person in range(2):
                kp = keypoints_of(v, person, i)
                there = kp.visibility > 0
                points = np.column_stack([kp.xy, np.where(there, 0.9, 0.0)]).astype(float)
                points[~there] = np.nan
                ours = np.nan_to_num(from_default(points, "body25"))
                rows.append({"pose_keypoints_2d": ours.reshape(-1).tolist()})
            path = folder / name / f"{name}_{i + offsets[v]:012d}_keypoints.json"
            path.write_text(json.dumps({"version": 1.3, "people": rows[:: -1 if v == 1 else 1]}))
    return folder


def own_json(path: Path, cameras: tuple[Camera, ...] | list[Camera] = tuple(CAMERAS)) -> Path:
    entries = [
        {"name": n, "K": c.K.tolist(), "R": c.R.tolist(), "t": c.t.tolist(), "dist": c.dist.tolist()}
        for n, c in zip(NAMES, cameras)
    ]
    path.write_text(json.dumps({"cameras": entries}))
    return path


def easymocap(folder: Path) -> Path:
    folder.mkdir()
    inside = {f"K_{n}": c.K for n, c in zip(NAMES, CAMERAS)}
    inside |= {f"dist_{n}": c.dist.reshape(1, 5) for n, c in zip(NAMES, CAMERAS)}
    outside = {f"R_{n}": np.asarray(cv2.Rodrigues(c.R)[0], float) for n, c in zip(NAMES, CAMERAS)}
    outside |= {f"T_{n}": c.t.reshape(3, 1) for n, c in zip(NAMES, CAMERAS)}
    write_storage(folder / "intri.yml", inside, NAMES)
    write_storage(folder / "extri.yml", outside, NAMES)
    return folder


def toml(path: Path) -> Path:
    text = ""
    for n, c in zip(NAMES, CAMERAS):
        turn = np.asarray(cv2.Rodrigues(c.R)[0], float).reshape(-1)
        text += (
            f'[{n[:3]}_{n[3:]}]\nname = "{n}"\nsize = [{c.width}.0, {c.height}.0]\nmatrix = {c.K.tolist()}\n'
            f"distortions = {c.dist.tolist()}\nrotation = {turn.tolist()}\ntranslation = {c.t.tolist()}\n"
            "fisheye = false\n\n"
        )
    path.write_text(text)
    return path


def disguisor(folder: Path) -> Path:
    for k, c in enumerate(CAMERAS):
        place = folder / f"cn{k + 1:02d}"
        place.mkdir(parents=True)
        write_storage(
            place / "camera_calibration.yml",
            {"undistorted_color_camera_matrix": c.K, "color_distortion_coefficients": np.zeros((8, 1))},
        )
        R, t = c.R.T, -c.R.T @ c.t
        x, y, z, w = (float(v) for v in Rotation.from_matrix(Y_TO_Z_UP.T @ R @ FLIP).as_quat())
        said = {
            "translation": dict(zip(("m00", "m10", "m20"), (Y_TO_Z_UP.T @ t).tolist())),
            "rotation": {"x": x, "y": y, "z": z, "w": w},
        }
        (place / "world2camera.json").write_text(json.dumps(said))
    return folder
