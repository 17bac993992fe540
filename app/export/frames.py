"""Covers the frames of a project: the preview and the export call the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.export.coverage import Presence, Whereabouts
from app.project.records import TrackRecord
from app.project.store import ProjectStore
from app.review.types import DeidSettings
from backends.background import Plate
from backends.body import BodyModel, posed_vertices
from backends.camera import Camera
from backends.deidentify import PersonCover, cover_frame
from backends.keypoints.types import Keypoints
from backends.masks import CropMask
from backends.render import Mesh

U1 = npt.NDArray[np.uint8]

_PEOPLE = np.array(
    [(86, 180, 233), (230, 159, 0), (0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0),
     (0, 114, 178)], np.float64,
)  # fmt: skip
"""Okabe and Ito's colours, as in the window."""
_CLAY = np.array([186.0, 190.0, 196.0])
_TINT = 0.28


def mesh_color(track: TrackRecord) -> U1:
    """A calm clay with a hint of the person's colour, so that people can be told apart."""
    color = _CLAY + (_PEOPLE[track.color_index % len(_PEOPLE)] - _CLAY) * _TINT
    rgb: U1 = np.round(color).astype(np.uint8)
    return rgb


class FrameCoverer:
    """De-identifies single frames; not thread-safe, cheap to make.

    Args:
        plate: the empty room; needed where the settings say so.
        seed: of the pixel grid's phase; another for each export.
    """

    def __init__(
        self, store: ProjectStore, body: BodyModel, camera: Camera, settings: DeidSettings,
        plate: Plate | None, *, seed: int = 0,
    ) -> None:  # fmt: skip
        self._body = body
        self._camera = camera
        self._settings = settings
        self._plate = plate if settings.background == "plate" else None
        self.whereabouts = Whereabouts(store, store.footage().fps)
        self._phase = tuple(float(v) for v in np.random.default_rng(seed).random(2))
        head = body.head_vertices
        self._head_faces = np.flatnonzero(head[body.faces].all(axis=1))

    def cover(self, index: int, rgb: U1) -> U1:
        """Frame ``index`` (H, W, 3) with everybody covered."""
        return self.cover_with_mask(index, rgb)[0]

    def cover_with_mask(self, index: int, rgb: U1) -> tuple[U1, npt.NDArray[np.bool_]]:
        """The same, with (H, W) which pixels were replaced."""
        covers = [self._person(p) for p in self.whereabouts.at(index)]
        return cover_frame(
            rgb, covers, self._camera, cover=self._settings.cover, fill_with=self._settings.fill,
            plate=self._plate, phase=(self._phase[0], self._phase[1]),
        )  # fmt: skip

    def uncovered(self, index: int) -> list[int]:
        """Tracks of people who are there and of whom too little is known to cover them."""
        return self.whereabouts.lost(index)

    def _person(self, presence: Presence) -> PersonCover:
        keypoints: Keypoints | None = None
        mask: CropMask | None = None
        if presence.person is not None:
            keypoints = presence.person.estimate.keypoints
            mask = presence.person.estimate.mask
        box = presence.box
        size = float(max(box[3] - box[1], 0.6 * (box[2] - box[0]), 8.0))
        mesh, head_xy = None, None
        if presence.params is not None:
            vertices = posed_vertices(self._body, presence.params).astype(np.float32)
            mesh = Mesh(vertices, self._body.faces, mesh_color(presence.track))
            head_xy = self._camera.project(vertices[self._body.head_vertices]).astype(np.float32)
            if not np.isfinite(head_xy).all():
                head_xy = None
            reach = self._camera.project(vertices[::97])
            reach = reach[np.isfinite(reach).all(axis=1)]
            if len(reach) > 10:
                size = max(size, 0.9 * float(np.ptp(reach[:, 1])))
        return PersonCover(box, keypoints, mask, mesh, self._head_faces, head_xy, size)
