"""Rendered scenes with people whose bodies are known exactly: for demos, tests, training and trials."""

from backends.synthetic.presets import MAX_CAMERAS, PRESETS, open_scene
from backends.synthetic.props import Occluder
from backends.synthetic.scene import Scene
from backends.synthetic.types import CameraFrame, PersonTruth, PersonWorld, SceneFrame

__all__ = [
    "MAX_CAMERAS", "PRESETS", "CameraFrame", "Occluder", "PersonTruth", "PersonWorld", "Scene", "SceneFrame",
    "open_scene",
]  # fmt: skip
