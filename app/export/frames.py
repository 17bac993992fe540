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
from backends.render import Mesh

U1 = npt.NDArray[np.uint8]

_CLAY = np.array(
    [(146, 184, 214), (150, 192, 168), (182, 172, 216), (134, 190, 194), (202, 176, 204), (176, 184, 194),
     (150, 162, 208)], np.uint8,
)  # fmt: skip
"""Cool, calm colours that tell people apart and are nobody's skin: a bare body in beige looks undressed."""


def mesh_color(track: TrackRecord) -> U1:
    """The colour of a person's body in the export."""
    color: U1 = _CLAY[track.color_index % len(_CLAY)]
    return color


def person_cover(presence: Presence, body: BodyModel, head_faces: npt.NDArray[np.int64], camera: Camera) -> (
    PersonCover
):  # fmt: skip
    """What is known of a person as the pixels that have to go, and the body to show instead."""
    box = presence.box
    size = float(max(box[3] - box[1], 0.6 * (box[2] - box[0]), 8.0))
    mesh, head_xy = None, None
    if presence.params is not None:
        vertices = posed_vertices(body, presence.params).astype(np.float32)
        if presence.drawn:
            mesh = Mesh(vertices, body.faces, mesh_color(presence.track))
        head_xy = camera.project(vertices[body.head_vertices]).astype(np.float32)
        if not np.isfinite(head_xy).all():
            head_xy = None
        reach = camera.project(vertices[::97])
        reach = reach[np.isfinite(reach).all(axis=1)]
        if len(reach) > 10:
            size = max(size, 0.9 * float(np.ptp(reach[:, 1])))
    return PersonCover(
        box, presence.keypoints, presence.masks, mesh, head_faces, head_xy, size, presence.slack
    )


def head_faces_of(body: BodyModel) -> npt.NDArray[np.int64]:
    """(K,) indices of the faces whose corners all belong to the head."""
    return np.flatnonzero(body.head_vertices[body.faces].all(axis=1))


class FrameCoverer:
    """De-identifies single frames; not thread-safe, cheap to make.

    Args:
        plate: the empty room; needed where the settings say so. One of a moving camera is not used.
        seed: of the pixel grid's phase; another for each export.
    """

    def __init__(
        self, store: ProjectStore, body: BodyModel, camera: Camera, settings: DeidSettings,
        plate: Plate | None, *, seed: int = 0,
    ) -> None:  # fmt: skip
        self._body = body
        self._camera = camera
        self._settings = settings
        self._plate = plate if settings.background == "plate" and plate is not None and plate.steady else None
        erases = self._plate is not None and settings.cover == "whole" and settings.fill == "mesh"
        self.whereabouts = Whereabouts(store, store.footage().fps, camera, doubtful=erases)
        self._phase = tuple(float(v) for v in np.random.default_rng(seed).random(2))
        self._head_faces = head_faces_of(body)

    def cover(self, index: int, rgb: U1) -> U1:
        """Frame ``index`` (H, W, 3) with everybody covered."""
        return self.cover_with_mask(index, rgb)[0]

    def cover_with_mask(self, index: int, rgb: U1) -> tuple[U1, npt.NDArray[np.bool_]]:
        """The same, with (H, W) which pixels were replaced."""
        covers = [
            person_cover(p, self._body, self._head_faces, self._camera) for p in self.whereabouts.at(index)
        ]
        return cover_frame(
            rgb, covers, self._camera, cover=self._settings.cover, fill_with=self._settings.fill,
            plate=self._plate, phase=(self._phase[0], self._phase[1]),
        )  # fmt: skip

    def uncovered(self, index: int) -> list[int]:
        """Tracks of people who are there and of whom too little is known to cover them."""
        return self.whereabouts.lost(index)
