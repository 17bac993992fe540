"""Draws the scenes of the recipe and keeps what the program sees in them; goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2

from app.pipeline.engine import Perception
from app.train.evidence import Collector, save_evidence
from app.train.recipe import SceneRecipe, open_recipe, scene_recipe
from backends.synthetic import Scene

Opener = Callable[[SceneRecipe], Scene]


def evidence_path(folder: Path, recipe: SceneRecipe, camera: int) -> Path:
    """Where the evidence of one camera of a scene is kept."""
    return folder / f"{recipe.name}_cam{camera + 1:02d}.npz"


def make_evidence(
    folder: Path,
    indices: Iterable[int],
    perception: Callable[[], Perception],
    *,
    tell: Callable[[str], None] = lambda _: None,
    open_scene: Opener = open_recipe,
) -> list[Path]:
    """Draw the scenes ``indices`` of the recipe, find and follow people in them, and keep the evidence.

    The same index gives the same files. Scenes whose files are there are left as they are, so a stopped
    run goes on, and several processes may share a folder when they are given different indices.

    Args:
        folder: where to; made if missing.
        perception: makes what finds people, a fresh one for each camera.
        tell: is told about each finished scene.

    Scenes that the renderer cannot draw are told about and left out, everywhere the same ones.

    Returns:
        The files of all the other scenes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for index in indices:
        recipe = scene_recipe(index)
        files = [evidence_path(folder, recipe, c) for c in range(recipe.cameras)]
        if not all(f.is_file() for f in files):
            scene = open_scene(recipe)
            try:
                count = _make(scene, files, perception)
            except cv2.error as error:
                tell(f"{recipe.name}: left out, it cannot be drawn ({error.err})")
                continue
            tell(f"{recipe.name}: {scene.n_frames} frames, {len(files)} cameras, {count} sightings")
        paths += files
    return paths


def _make(scene: Scene, files: list[Path], perception: Callable[[], Perception]) -> int:
    seers = [perception() for _ in files]
    collectors = [Collector(scene.fps) for _ in files]
    count = 0
    for frame in scene.frames():
        for view, seer, collector in zip(frame.views, seers, collectors):
            people = seer.step(frame.index, view.image)
            collector.add(frame.index, view, people)
            count += len(people)
    for path, seer, collector in zip(files, seers, collectors):
        save_evidence(collector.finish(seer.finish()), path)
    return count
