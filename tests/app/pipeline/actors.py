"""Perception with a script instead of networks: what the pipeline does can then be known exactly."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from app.footage.writer import VideoWriter
from app.pipeline.engine import Engine
from app.pipeline.run import TrackDecisions, TrackedPose
from backends.body import BodyParams, load_body, posed_keypoints
from backends.camera import assumed_camera
from backends.fitting.problem import pose_prior
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.masks import encode_mask

WIDTH, HEIGHT = 320, 240
BODY = load_body()


def write_clip(path: Path, n_frames: int = 60) -> Path:
    """A dull clip; the script says who is in it."""
    writer = VideoWriter(path, WIDTH, HEIGHT, np.arange(n_frames) * 512, Fraction(1, 12800))
    for i in range(n_frames):
        frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        frame[:, (5 * i) % WIDTH] = 200
        writer.write(frame)
    writer.close()
    return path


def standing(frame: int, lane: float) -> PoseEstimate:
    """Somebody who stands ``lane`` metres right of the middle and sways a little."""
    pose = np.zeros((55, 3))
    pose[:22] = pose_prior()[0].reshape(-1, 3)
    pose[0] = (
        Rotation.from_euler("x", 180, degrees=True)
        * Rotation.from_euler("y", 10 * np.sin(frame / 9), degrees=True)
    ).as_rotvec()
    params = BodyParams(np.zeros(10), pose, np.array([lane + 0.1 * np.sin(frame / 7), 0.1, 5.2]))
    points = posed_keypoints(BODY, params)
    xy = assumed_camera(WIDTH, HEIGHT).project(points).astype(np.float32)
    low, high = xy.min(axis=0), xy.max(axis=0)
    box = np.array([*np.maximum(low - 6, 0), *np.minimum(high + 6, [WIDTH - 1, HEIGHT - 1])], np.float32)
    mask = encode_mask(np.ones((int(box[3] - box[1]), int(box[2] - box[0])), bool), int(box[0]), int(box[1]))
    keypoints = Keypoints(xy, np.full(23, 0.9, np.float32), np.full(23, 2, np.uint8), np.zeros(23, np.uint8))
    world = (points - (points[11] + points[12]) / 2).astype(np.float32)
    return PoseEstimate(keypoints, box, 0.95, world, mask)


class Script:
    """Two people; the second from frame 10, out of sight in frames 20 to 24."""

    def __init__(self, *, fail_at: int | None = None, people: int = 2) -> None:
        self.steps: list[int] = []
        self._count = 0
        self._fail_at = fail_at
        self._people = people

    def step(self, index: int, image_rgb: Any) -> list[TrackedPose]:
        self.steps.append(index)
        self._count += 1
        if index == self._fail_at:
            raise MemoryError
        people = [TrackedPose(1, standing(index, -0.5))] if self._people > 0 else []
        if self._people > 1 and index >= 10 and not 20 <= index < 25:
            people.append(TrackedPose(2, standing(index, 0.5)))
        return people

    def finish(self) -> TrackDecisions:
        return TrackDecisions(frozenset(), {})

    def state(self) -> dict[str, Any]:
        return {"count": self._count}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._count = int(state["count"])


def engine(script: Script) -> Engine:
    """The real body and fit with scripted perception."""
    return Engine(lambda: script, {})
