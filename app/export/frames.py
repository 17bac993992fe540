"""Covers the frames of a project: the preview and the export call the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.deidentify.editing import read_plan
from app.deidentify.plan import DeidPlan, Method
from app.export.background import SeenCount
from app.export.coverage import Presence, Whereabouts
from app.export.looks import Wardrobe
from app.project.store import ProjectStore
from app.review.types import DeidSettings
from backends.background import Plate, StillRoom
from backends.body import BodyModel, posed_vertices
from backends.camera import Camera
from backends.deidentify import Foreground, FreeArea, How, PersonCover, cover_frame

U1 = npt.NDArray[np.uint8]


class FrameCoverer:
    """De-identifies single frames; not thread-safe, cheap to make.

    Args:
        settings: what holds where the project's plan has no rule for a person.
        plate: the empty room; needed where the settings say so. One of a moving camera is not used: then
            each frame brings its own.
        seed: of the pixel grid's phase; another for each export.
    """

    def __init__(
        self, store: ProjectStore, body: BodyModel, camera: Camera, settings: DeidSettings,
        plate: Plate | StillRoom | None, *, seed: int = 0,
    ) -> None:  # fmt: skip
        self._body = body
        self._camera = camera
        self.plan: DeidPlan = replace(read_plan(store), settings=settings)
        self.seen = SeenCount()
        self._plate = plate if settings.background == "plate" and plate is not None and plate.steady else None
        erases = settings.cover == "whole" and settings.fill in ("mesh", "remove")
        self.whereabouts = Whereabouts(
            store, store.footage().fps, camera, doubtful=erases and self._plate is not None
        )
        self._foreground: tuple[Plate, Foreground] | None = None
        self._phase = tuple(float(v) for v in np.random.default_rng(seed).random(2))
        self._wardrobe = Wardrobe(body)

    def cover(self, index: int, rgb: U1, room: Plate | None = None) -> U1:
        """Frame ``index`` (H, W, 3) with everybody covered; ``room`` is its own, of a moving camera."""
        return self.cover_with_mask(index, rgb, room)[0]

    def cover_with_mask(
        self, index: int, rgb: U1, room: Plate | None = None
    ) -> tuple[U1, npt.NDArray[np.bool_]]:
        """The same, with (H, W) which pixels were replaced."""
        if self._plate is not None:
            room = self._plate.at(index)
        covers = [self._cover_of(p, index) for p in self.whereabouts.at(index)]
        areas = [
            # Above the bodies, because that is where the audit saw something.
            FreeArea(points, region.fill, on_top=bool(region.event_id))
            for region, points in self.plan.regions_at(index)
        ]
        covered, replaced = cover_frame(
            rgb, covers, self._camera, plate=room, phase=(self._phase[0], self._phase[1]), areas=areas,
            foreground=self._foreground_of(room),
        )  # fmt: skip
        if room is not None:
            self.seen.add(replaced, room)
        return covered, replaced

    def _foreground_of(self, room: Plate | None) -> Foreground | None:
        """What tells a picture from its room, where the room is the same in many pictures."""
        if room is None or room.lit:
            return None
        if self._foreground is None or self._foreground[0] is not room:
            self._foreground = (room, Foreground(room))
        return self._foreground[1]

    def uncovered(self, index: int) -> list[int]:
        """Tracks of people who are there and of whom too little is known to cover them."""
        return [
            t for t in self.whereabouts.lost(index) if self.plan.method_for(t, index) is not None
        ]  # fmt: skip

    def _cover_of(self, presence: Presence, index: int) -> PersonCover:
        """What is known of a person as the pixels that have to go, and the body to show instead."""
        method = self.plan.method_for(presence.track.track_id, index)
        box = presence.box
        size = float(max(box[3] - box[1], 0.6 * (box[2] - box[0]), 8.0))
        shown, head_xy, face_xy = None, None, None
        if presence.params is not None:
            vertices = posed_vertices(self._body, presence.params).astype(np.float32)
            look = method or Method("whole", "mesh")
            shown = self._wardrobe.shown(presence, presence.params, vertices, look)
            head_xy = self._seen(vertices[self._body.head_vertices])
            face_xy = self._seen(vertices[self._body.face_vertices])
            reach = self._camera.project(vertices[::97])
            reach = reach[np.isfinite(reach).all(axis=1)]
            if len(reach) > 10:
                size = max(size, 0.9 * float(np.ptp(reach[:, 1])))
        return PersonCover(
            box, presence.keypoints, presence.masks, shown.mesh if shown is not None else None,
            shown.head_faces if shown is not None else None, head_xy, size, presence.slack,
            None if method is None else How(method.cover, method.fill), face_xy, presence.drawn,
        )  # fmt: skip

    def _seen(self, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
        """(N, 2) pixels, or None where one of the points lies behind the camera."""
        xy = self._camera.project(points).astype(np.float32)
        return xy if np.isfinite(xy).all() else None
