"""Rooms with people in them and what the same pictures show without anybody, for ``bench plate``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from backends.background import MaskedFrame

if TYPE_CHECKING:
    from backends.synthetic.cameras import CameraWork

U1 = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]

_GROW = 9
"""A mask reaches so many pixels beyond the person, together on both sides, as those of the export do."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Pictures with people, and (N, H, W, 3) the truth: the same without people, without noise."""

    frames: tuple[MaskedFrame, ...]
    truth: U1

    @property
    def hidden(self) -> BoolArray:
        """(N, H, W) where people are."""
        return np.stack([f.hidden for f in self.frames])


def rendered(
    preset: str, people: int, n: int, fps: float, check: Callable[[], object], *, hand_held: bool = False,
    work: CameraWork | None = None, width: int = 1280, height: int = 720,
) -> Case:  # fmt: skip
    """A rendered room, its light swinging by 6 %."""
    from backends.synthetic import open_scene

    scene = open_scene(
        preset, people=people, seconds=n / fps, fps=fps, width=width, height=height, seed=3,
        hand_held=hand_held, light_swing=0.06, work=work,
    )  # fmt: skip
    scene.prepare(check)
    frames, truth = [], []
    for frame in scene.frames():
        check()
        view = frame.views[0]
        wide = cv2.dilate((view.instances > 0).view(np.uint8), np.ones((_GROW, _GROW), np.uint8))
        frames.append(MaskedFrame(frame.index, view.image, wide > 0, view.instances > 0))
        truth.append(scene.empty(0, frame.index))
    return Case(tuple(frames), np.stack(truth))


def with_lamp_and_door(case: Case) -> Case:
    """The same room in whose second half a lamp shines on one side and a door stands open."""
    n, height, width = case.truth.shape[:3]
    x = np.arange(width)[None, :, None] / width
    lamp = (1 + 0.5 * np.exp(-(((x - 0.8) / 0.18) ** 2))).astype(np.float32)
    door = (slice(height // 10, height * 6 // 10), slice(width * 3 // 10, width * 42 // 100))
    frames, truth = [], case.truth.copy()
    for i, frame in enumerate(case.frames):
        if i < n // 2:
            frames.append(frame)
            continue
        image = frame.rgb.copy()
        open_door = np.zeros((height, width), np.bool_)
        open_door[door] = True
        truth[i][open_door] //= 4
        image[open_door & ~frame.hidden] //= 4
        truth[i] = np.clip(truth[i] * lamp, 0, 255).astype(np.uint8)
        image = np.clip(image * lamp, 0, 255).astype(np.uint8)
        frames.append(MaskedFrame(frame.index, image, frame.hidden, frame.surely))
    return Case(tuple(frames), truth)


def without_shadows(case: Case) -> Case:
    """The same people pasted into the truth, with noise: they throw no shadows and mirror in nothing."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(1 << 21).astype(np.float32) * 1.7
    frames = []
    for frame, truth in zip(case.frames, case.truth):
        grain = np.resize(np.roll(noise, int(rng.integers(len(noise)))), truth.shape)
        image = np.clip(truth + grain + 0.5, 0, 255).astype(np.uint8)
        people = frame.surely if frame.surely is not None else frame.hidden
        soft = cv2.blur(people.astype(np.float32), (3, 3))[..., None]
        image = np.clip(image * (1 - soft) + frame.rgb * soft + 0.5, 0, 255).astype(np.uint8)
        frames.append(MaskedFrame(frame.index, image, frame.hidden, frame.surely))
    return Case(tuple(frames), case.truth)
