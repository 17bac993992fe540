"""What the fit's benchmarks look at: drawn people, whose bodies and keypoints are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from backends.camera import Camera
from backends.fitting.start import ray_frame
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints
from backends.synthetic import PersonTruth, open_scene

F8 = npt.NDArray[np.float64]
F4 = npt.NDArray[np.float32]

_DRAWN = (320, 180)
_TIMES = 4
"""What is hidden is found on pictures a quarter of the size of those that the keypoints are measured in."""
_UNOCCLUDED = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One person in one frame of one camera.

    Attributes:
        truth: exact; camera coordinates, metres.
        xy: (23, 2) true pixels.
        unoccluded: nothing of the person is hidden by others or things, or out of the picture.
    """

    truth: PersonTruth
    xy: F8
    unoccluded: bool

    def keypoints(self, rng: np.random.Generator | None = None, noise_px: float = 0.0) -> Keypoints:
        """The true keypoints, with noise where asked for; those out of the picture are absent."""
        xy = self.xy if rng is None else self.xy + rng.normal(0.0, noise_px, self.xy.shape)
        there = self.truth.visibility > 0
        score = np.where(there, 0.95, 0.0).astype(np.float32)
        clean = np.where(there[:, None], xy, 0.0).astype(np.float32)
        return Keypoints(clean, score, self.truth.visibility.copy(), np.zeros(N_KEYPOINTS, np.uint8))

    def landmarks(self, camera: Camera, rng: np.random.Generator, noise_m: float = 0.03) -> F4:
        """(23, 3) world landmarks as a good estimator gives them: half as exact in depth."""
        points = self.truth.keypoints_3d
        frame = ray_frame(camera, np.nanmean(self.xy, axis=0))
        noise = rng.normal(0.0, noise_m, points.shape) * [1.0, 1.0, 2.0]
        world: F4 = ((points - points[11:13].mean(axis=0)) @ frame + noise).astype(np.float32)
        return world


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A scene: ``cameras`` (1280x720), and per person, frame and camera a :class:`Sight`."""

    cameras: tuple[Camera, ...]
    people: tuple[tuple[tuple[Sight, ...], ...], ...]
    fps: float


def watch(
    *, cameras: int, people: int, frames: int, fps: float, seed: int,
    check: Callable[[], object] = lambda: None,
) -> Watched:  # fmt: skip
    """The operating room and who is in it; ``check`` may raise to stop."""
    scene = open_scene(
        "or", people=people, cameras=cameras, seconds=frames / fps, fps=fps,
        width=_DRAWN[0], height=_DRAWN[1], seed=seed,
    )  # fmt: skip
    scene.prepare(check)
    rows: list[list[tuple[Sight, ...]]] = [[] for _ in range(people)]
    seen_by: tuple[Camera, ...] = ()
    for frame in scene.frames():
        check()
        seen_by = tuple(_enlarged(view.camera) for view in frame.views)
        for k in range(people):
            rows[k].append(tuple(_sight(v.people[k], c) for v, c in zip(frame.views, seen_by)))
    return Watched(seen_by, tuple(tuple(r) for r in rows), fps)


def unoccluded(
    scenes: Sequence[Watched], check: Callable[[], object]
) -> Iterator[tuple[Watched, list[Sight]]]:
    """Everybody whom the first camera sees whole in every frame, with what it sees of them."""
    for watched in scenes:
        for person in watched.people:
            check()
            sights = [s for (s, *_) in person]
            if all(s.unoccluded for s in sights):
                yield watched, sights


def _enlarged(camera: Camera) -> Camera:
    """The same camera with more pixels; (0, 0) is the centre of the first one."""
    K = camera.K.copy()
    K[:2, :2] *= _TIMES
    K[:2, 2] = (K[:2, 2] + 0.5) * _TIMES - 0.5
    return replace(camera, K=K, width=camera.width * _TIMES, height=camera.height * _TIMES)


def _sight(truth: PersonTruth, camera: Camera) -> Sight:
    whole = bool((truth.visibility > 0).all()) and truth.seen >= _UNOCCLUDED
    return Sight(truth, camera.project(truth.keypoints_3d), whole)
