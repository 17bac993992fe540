"""Which scenes the confidence is trained, calibrated and tested on: the same list on every machine.

Whole scenes belong to one split, so that no person, movement or camera of the test was seen in training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.errors import UnderstudyError
from backends.synthetic import Occluder, Scene
from backends.synthetic.cameras import HandHeld, Mount
from backends.synthetic.presets import PRESETS

TRAIN, CALIBRATE, TEST = "train", "calibrate", "test"
SPLITS: Final = (TRAIN, CALIBRATE, TEST)

_TURN: Final = (TRAIN, TEST, TRAIN, CALIBRATE, TRAIN, TEST, CALIBRATE, TRAIN)
"""Scene after scene goes to these in turn: a recipe cut short still has all three, half of it to train."""

_PRESETS: Final = ("or", "or", "crowd", "or", "interview", "or", "walk", "or", "or", "crowd", "or")
"""Eleven in turn, which shares no factor with the eight above: every split gets every kind."""

_PEOPLE: Final = {"or": (3, 7), "crowd": (4, 8), "interview": (1, 3), "walk": (2, 5)}
_FPS: Final = (10.0, 12.5, 25.0)
_SIZES: Final = ((960, 540), (1280, 720), (960, 540))
_SEED: Final = 52_000
_EYE_M, _TARGET_M = (0.30, 0.30, 0.20), (0.35, 0.35, 0.25)


class RecipeError(UnderstudyError):
    """A scene of the recipe that does not exist."""


@dataclass(frozen=True, slots=True)
class SceneRecipe:
    """One scene of the recipe.

    Attributes:
        index: its place in the recipe; it decides everything else.
        split: ``train``, ``calibrate`` or ``test``.
        preset, people, cameras, seconds, fps, width, height, seed: as in :func:`open_scene`.
        hand_held: the first camera is carried.
        occluder: width of a card that slides before the first camera, as a share of the height, or None.
    """

    index: int
    split: str
    preset: str
    people: int
    cameras: int
    seconds: float
    fps: float
    width: int
    height: int
    seed: int
    hand_held: bool
    occluder: float | None

    @property
    def name(self) -> str:
        """What the scene's files are called."""
        return f"{self.split}_{self.index:04d}_{self.preset}"


def scene_recipe(index: int) -> SceneRecipe:
    """The scene at a place of the recipe.

    Raises:
        RecipeError: a negative index.
    """
    if index < 0:
        raise RecipeError(f"The recipe has no scene {index}. Scenes are numbered from 0.")
    rng = np.random.default_rng([_SEED, index])
    preset = _PRESETS[index % len(_PRESETS)]
    few, many = _PEOPLE[preset]
    fps = _FPS[int(rng.integers(len(_FPS)))]
    width, height = _SIZES[int(rng.integers(len(_SIZES)))]
    people = int(rng.integers(few, many))
    cameras = 3 if preset == "or" else 2
    frames = int(rng.integers(36, 49))
    hand_held = preset == "walk" or bool(rng.random() < 0.2)
    occluder = float(rng.uniform(0.15, 0.35)) if rng.random() < 0.3 else None
    return SceneRecipe(
        index, _TURN[index % len(_TURN)], preset, people, cameras, frames / fps, fps, width, height,
        _SEED + index, hand_held, occluder,
    )  # fmt: skip


def open_recipe(recipe: SceneRecipe) -> Scene:
    """The scene, with its own cast and with cameras moved and zoomed a little from where they usually are.

    Without that every scene of a kind would be seen from the same places, also those of the test.
    """
    found = PRESETS[recipe.preset]
    rng = np.random.default_rng([recipe.seed, 3])
    chosen = rng.permutation(len(found.cameras))[: recipe.cameras]
    rigs: list[Mount | HandHeld] = [_moved(found.cameras[k], rng) for k in chosen]
    if recipe.hand_held:
        eye, target, focal, follow = found.hand_held
        rigs[0] = HandHeld(eye, target, focal, np.random.default_rng([recipe.seed, 2]), follow=follow)
    return Scene(
        recipe.preset, found.room(), found.cast(recipe.people, np.random.default_rng([recipe.seed, 1])), rigs,
        seconds=recipe.seconds, fps=recipe.fps, width=recipe.width, height=recipe.height, seed=recipe.seed,
        occluder=None if recipe.occluder is None else Occluder(width=recipe.occluder, period_s=5.0),
    )  # fmt: skip


def _moved(mount: Mount, rng: np.random.Generator) -> Mount:
    eye = np.array(mount.eye) + rng.uniform(-1, 1, 3) * _EYE_M
    # Nearer to the middle of the room, never through a wall or the ceiling.
    eye[:2] = np.sign(mount.eye[:2]) * np.minimum(np.abs(eye[:2]), np.abs(mount.eye[:2]))
    eye[2] = min(eye[2], mount.eye[2])
    target = np.array(mount.target) + rng.uniform(-1, 1, 3) * _TARGET_M
    focal = mount.focal * float(rng.uniform(0.85, 1.25))
    return Mount(
        (float(eye[0]), float(eye[1]), float(eye[2])),
        (float(target[0]), float(target[1]), float(target[2])),
        focal,
    )
