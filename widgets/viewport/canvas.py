"""The OpenGL surface: the picture, the bodies over it, and the room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor
from vispy import app as vispy_app
from vispy import gloo

from app.review.colormap import BEYOND_RGB
from app.review.types import CameraView, PersonScene, Scene, SceneModel
from widgets import theme
from widgets.viewport.layers import LineLayer, MeshLayer, PictureLayer, Topology
from widgets.viewport.projection import Orbit, PictureView
from widgets.viewport.renderer import edge_samples
from widgets.viewport.room import floor_height, room_extent, room_lines

U1 = npt.NDArray[np.uint8]

ORIGINAL, MESHES, DEIDENTIFIED, SPLIT = "original", "meshes", "deidentified", "split"
CAMERA, ROOM = "camera", "room"

_NEAREST_M, _ROOMY = 3.5, 1.8
"""How far from the bodies' middle the room is looked at from: at least, and in their reach."""


class GLCanvas(vispy_app.Canvas):
    """Draws what it is told; knows nothing of the mouse."""

    def __init__(self) -> None:
        super().__init__(
            app="pyside6", keys=None, show=False, autoswap=False, config={"samples": edge_samples()}
        )
        self.view = PictureView()
        self.orbit = Orbit()
        self._orbit_found = replace(self.orbit)
        self.mode = MESHES
        self.space = CAMERA
        self.divider = 0.5
        self.opacity = 1.0
        self.wireframe = False
        self.bodies_shown = True
        self.selected: int | None = None
        self._limit_mm = float("inf")
        self._model: SceneModel | None = None
        self._camera: CameraView | None = None
        self._scene: Scene | None = None
        self._topology: Topology | None = None
        self._people: dict[int, MeshLayer] = {}
        self._spare: list[MeshLayer] = []
        self._picture, self._covered = PictureLayer(), PictureLayer()
        self._lines = LineLayer()
        self._room_placed = False
        self.cameras: tuple[tuple[int, str, CameraView], ...] = ()
        """Number, name and place of all cameras of the room, where there are several."""
        self.current_camera = -1

    @property
    def widget(self) -> Any:
        """The Qt widget of the surface."""
        return self.native

    # --- what to draw -------------------------------------------------------------------------

    def set_model(
        self, model: SceneModel | None, camera: CameraView | None, *, same_room: bool = False
    ) -> None:
        """Another project; ``same_room``: by another camera of the room that is shown."""
        self._model, self._camera = model, camera
        self._topology = Topology(model.faces) if model is not None else None
        self._people.clear()
        self._spare.clear()
        self._scene = None
        self._room_placed = self._room_placed and same_room
        if camera is not None:
            self.view.picture = (camera.width, camera.height)
            self.view.fit()
        self.set_picture(None)
        self.set_covered(None)

    def set_camera(self, camera: CameraView) -> None:
        """The same project, whose focal length is known better now."""
        if camera is not self._camera:
            self._camera = camera
            self._room_placed = False

    def set_picture(self, image: U1 | None) -> None:
        """The frame as it was filmed."""
        self._picture.set_image(image)
        self.update()

    def set_covered(self, image: U1 | None) -> None:
        """The frame as it will be exported."""
        self._covered.set_image(image)
        self.update()

    @property
    def has_covered(self) -> bool:
        """Whether there is a frame as it will be exported."""
        return not self._covered.empty

    def set_scene(self, scene: Scene | None) -> None:
        """The bodies of the frame."""
        self._scene = scene
        seen = {}
        for person in scene.people if scene is not None else ():
            if person.vertices is not None and not person.hidden:
                seen[person.person_id] = person
        for gone in [i for i in self._people if i not in seen]:
            self._spare.append(self._people.pop(gone))
        for person in seen.values():
            self._put(person)
        if seen and not self._room_placed and self._camera is not None:
            self.centre_room()
            self._room_placed = True
        self.update()

    def set_person(self, person: PersonScene) -> None:
        """One body has changed."""
        self._put(person)
        self.update()

    def _put(self, person: PersonScene) -> None:
        if self._topology is None or person.vertices is None or person.normals is None:
            return
        layer = self._people.get(person.person_id)
        if layer is None:
            layer = self._spare.pop() if self._spare else MeshLayer(self._topology)
            self._people[person.person_id] = layer
        layer.set_body(person.vertices, person.normals, self._colors(person))

    def set_limit(self, mm: float) -> None:
        """Vertices that are expected to be farther off are grey; infinity for none."""
        self._limit_mm = mm
        self.set_scene(self._scene)

    def _colors(self, person: PersonScene) -> U1:
        rgb, mm = person.vertex_rgb, person.vertex_mm
        assert rgb is not None
        if mm is None or not np.isfinite(self._limit_mm):
            return rgb
        return np.where((mm > self._limit_mm)[:, None], np.array(BEYOND_RGB, np.uint8), rgb)

    def centre_room(self) -> None:
        """Look at the bodies from the front right."""
        if self._camera is not None:
            middle, reach = room_extent(self._camera, self._scene, [view for _, _, view in self.cameras])
            self.orbit = Orbit(target=middle, distance=max(_NEAREST_M, _ROOMY * reach))
            self._orbit_found = replace(self.orbit)

    def show_space(self, space: str) -> None:
        """From the camera, or from outside: from where everybody is seen, unless a person has turned it."""
        self.space = space
        if space == ROOM and self.orbit == self._orbit_found:
            self.centre_room()

    # --- drawing ------------------------------------------------------------------------------

    def on_resize(self, event: Any) -> None:
        """Vispy's hook."""
        self.view.screen = (max(1, self.size[0]), max(1, self.size[1]))

    def on_draw(self, event: Any) -> None:
        """Vispy's hook."""
        self.view.screen = (max(1, self.size[0]), max(1, self.size[1]))
        width, height = self.physical_size
        gloo.set_viewport(0, 0, width, height)
        color: QColor = theme.current().canvas
        gloo.set_state(depth_test=True, blend=False)
        gloo.clear(color=(color.redF(), color.greenF(), color.blueF(), 1.0), depth=1.0)
        if self._camera is None:
            return
        if self.space == ROOM:
            self._draw_room()
            return
        matrix = self.view.picture_matrix()
        if self.mode == DEIDENTIFIED:
            self._covered.draw(matrix, width)
        elif self.mode == SPLIT:
            self._picture.draw(matrix, width, 0.0, self.divider)
            self._covered.draw(matrix, width, self.divider, 1.0)
        else:
            self._picture.draw(matrix, width)
        if self.mode == MESHES and self.bodies_shown:
            self._draw_people(self.view.camera_matrix(self._camera), np.eye(3), np.zeros(3))

    def _draw_people(self, matrix: Any, axes: Any, eye: Any) -> None:
        for layer in self._people.values():
            layer.draw(matrix, axes.astype(np.float32), eye.astype(np.float32), self.opacity, self.wireframe)

    def _draw_room(self) -> None:
        camera = self._camera
        assert camera is not None
        palette = theme.current()
        centre, _ = room_extent(camera, self._scene)
        self._lines.set_lines(
            *room_lines(
                camera,
                floor_height(camera, self._scene),
                centre,
                palette.secondary,
                palette.accent,
                [view for i, _, view in self.cameras if i != self.current_camera],
            )
        )
        orbit = self.orbit.matrix(self.view.screen)
        self._lines.draw(orbit)
        to_world = np.eye(4)
        to_world[:3, :3] = camera.R
        to_world[3, :3] = -camera.t @ camera.R
        axes = camera.R @ self.orbit.axes()
        eye = camera.R @ self.orbit.eye + camera.t
        self._draw_people((to_world @ orbit).astype(np.float32), axes, eye)
