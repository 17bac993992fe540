"""Covers the frames of a project: the preview and the export call the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.deidentify.editing import read_plan
from app.deidentify.plan import DeidPlan, Method
from app.deidentify.sources import installed_sources
from app.export.background import SeenCount
from app.export.believed import LimbBeliefs, guess_belief
from app.export.coverage import Presence, Whereabouts
from app.export.looks import Wardrobe
from app.export.plate import LEAST_S
from app.pipeline.faces import as_sightings
from app.pipeline.upright import camera_up
from app.project.notes import faces
from app.project.store import ProjectStore
from app.review.types import DeidSettings
from backends.background import Plate, StillRoom
from backends.body import BodyModel, BodyParams, FixedBody
from backends.camera import Camera
from backends.deidentify import Foreground, FreeArea, How, PersonCover, cover_frame
from backends.deidentify.belief import foot_belief
from backends.deidentify.outline import outline
from backends.deidentify.shadows import feet_of, soles
from backends.deidentify.sources import PersonMasks, box_of, owners
from backends.deidentify.strays import link
from backends.masks import CropMask

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_EVERY = 97
"""From one vertex to the next of those that tell how tall a body stands in the picture."""
_HEAD_OF_FACE = 1.7
"""A head with hair and chin, as a multiple of the face that a detector finds."""
_PERSON_OF_FACE = 7.0
_UNSURE = 0.25
"""How much farther a stray head's cover reaches between two sightings, as a share of the face."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A frame (H, W, 3) and what it is covered with. ``room`` is shown where people were, ``known_room`` is
    not."""

    rgb: U1
    covers: Sequence[PersonCover]
    areas: Sequence[FreeArea]
    room: Plate | None
    foreground: Foreground | None
    known_room: Plate | None = None


class FrameCoverer:
    """De-identifies single frames; cheap to make. Not thread-safe, but for :meth:`paint`.

    Args:
        settings: what holds where the project's plan has no rule for a person.
        plate: the empty room; needed where it is shown. Where it is not, it tells who is there beside those
            who were found. One of a moving camera is not used: then each frame brings its own.
        seed: of the pixel grid's phase; another for each export.
        sources: further masks of people; by default of whatever segmentation is installed.
        wardrobe: of an earlier one, so that nobody has to be dressed again.
        up: (3,) against gravity, camera axes; by default what the people tell.

    Raises:
        ModelError: a segmentation is installed that does not start.
    """

    def __init__(
        self, store: ProjectStore, body: BodyModel, camera: Camera, settings: DeidSettings,
        plate: Plate | StillRoom | None, *, seed: int = 0, sources: Sequence[PersonMasks] | None = None,
        wardrobe: Wardrobe | None = None, up: F8 | None = None,
    ) -> None:  # fmt: skip
        self._body = body
        self._camera = camera
        self.plan: DeidPlan = replace(read_plan(store), settings=settings)
        self.seen = SeenCount()
        steady = plate if plate is not None and plate.steady else None
        self._plate = steady if self.plan.shows_room else None
        facts = store.footage()
        tells = facts.n_frames >= LEAST_S * facts.fps
        self._known = steady if self._plate is None and tells else None
        erases = settings.cover == "whole" and settings.fill in ("mesh", "remove")
        self.whereabouts = Whereabouts(
            store, store.footage().fps, camera, doubtful=erases and self._plate is not None
        )
        self._shadows = settings.shadows
        self._marks = _Marks(body)
        self._up = up
        if settings.shadows and up is None:
            self._up = camera_up(store, body, camera)
        self._beliefs: LimbBeliefs | None = None
        if settings.believed_only:
            self._beliefs = LimbBeliefs(self.whereabouts, body, camera, store.footage().fps)
        self._foreground: tuple[Plate, Foreground] | None = None
        self._phase = tuple(float(v) for v in np.random.default_rng(seed).random(2))
        self._wardrobe = wardrobe or Wardrobe(body)
        self._sources = installed_sources() if sources is None else tuple(sources)
        self._strays = link(as_sightings(faces(store)))

    def cover(self, index: int, rgb: U1, room: Plate | None = None) -> U1:
        """Frame ``index`` (H, W, 3) with everybody covered; ``room`` is its own, of a moving camera."""
        return self.cover_with_mask(index, rgb, room)[0]

    def cover_with_mask(
        self, index: int, rgb: U1, room: Plate | None = None
    ) -> tuple[U1, npt.NDArray[np.bool_]]:
        """The same, with (H, W) which pixels were replaced."""
        return self.paint(self.prepare(index, rgb, room))

    def prepare(self, index: int, rgb: U1, room: Plate | None = None) -> Prepared:
        """Look up all that :meth:`paint` needs to cover a frame."""
        if self._plate is not None:
            room = self._plate.at(index)
        people = [*self.whereabouts.at(index), *self.whereabouts.followed(index)]
        self._wardrobe.expect(len(people))
        covers = [self._cover_of(p, index, rgb, people) for p in people]
        covers = self._with_masks(index, rgb, covers)
        covers += self._heads_of_nobody(index, covers)
        areas = [
            # Above the bodies, because that is where the audit saw something.
            FreeArea(points, region.fill, on_top=bool(region.event_id))
            for region, points in self.plan.regions_at(index)
        ]
        known = self._known.at(index) if self._known is not None and room is None else None
        return Prepared(rgb, covers, areas, room, self._foreground_of(room or known), known)

    def paint(self, frame: Prepared, *, alone: bool = True) -> tuple[U1, npt.NDArray[np.bool_]]:
        """The covered picture and (H, W) which pixels were replaced. Several threads may paint at once; where
        they do, none is ``alone``, and each draws bodies without help."""
        covered, replaced = cover_frame(
            frame.rgb, frame.covers, self._camera, plate=frame.room, phase=(self._phase[0], self._phase[1]),
            areas=frame.areas, foreground=frame.foreground, room=frame.known_room,
            rest=self.plan.settings.fill, up=self._up, threads=None if alone else 1,
        )  # fmt: skip
        if frame.room is not None:
            self.seen.add(replaced, frame.room)
        return covered, replaced

    def cover_known_heads(self, index: int, rgb: U1) -> tuple[U1, npt.NDArray[np.bool_]]:
        """Only the heads of people who were found in this very frame: what tools do that look at each
        frame alone. A baseline, never an export."""
        known = [
            replace(self._cover_of(p, index, rgb), how=How("head", "solid"))
            for p in self.whereabouts.at(index)
            if p.slack == 0
        ]
        return cover_frame(rgb, known, self._camera, plate=None)

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

    def _cover_of(
        self, presence: Presence, index: int, rgb: U1, people: Sequence[Presence] = ()
    ) -> PersonCover:
        """What is known of one of the ``people``: which pixels have to go, the body to show instead."""
        method = self.plan.method_for(presence.track.track_id, index)
        box = presence.box
        size = float(max(box[3] - box[1], 0.6 * (box[2] - box[0]), 8.0))
        shown, head_xy, face_xy, belief, feet = None, None, None, None, None
        if presence.params is not None:
            marks = self._marks.of(presence.params)
            shown = self._wardrobe.shown(presence, presence.params, method or Method("whole", "mesh"))
            standing = (1.0, 1.0)
            if self._beliefs is not None and method is not None and method.cover == "whole":
                pieces, guess = self._beliefs.at(index, presence, rgb), guess_belief(presence, people)
                belief = guess * shown.limbs.belief(pieces)
                left, right = foot_belief(pieces)
                standing = guess * left, guess * right
            if self._shadows:
                feet = feet_of(marks.soles, self._camera, standing, self._up)
            head_xy, face_xy = self._seen(marks.head), self._seen(marks.face)
            reach = self._camera.project(marks.some)
            reach = reach[np.isfinite(reach).all(axis=1)]
            if len(reach) > 10:
                size = max(size, 0.9 * float(np.ptp(reach[:, 1])))
        return PersonCover(
            box, presence.keypoints, presence.masks, shown.mesh if shown is not None else None,
            shown.head_faces if shown is not None else None, head_xy, size, presence.slack,
            None if method is None else How(method.cover, method.fill), face_xy, presence.drawn,
            method is not None and method.look == "confidence", belief, feet, presence.depth,
        )  # fmt: skip

    def _with_masks(self, index: int, rgb: U1, covers: list[PersonCover]) -> list[PersonCover]:
        """People with what other segmentations know of them, and those whom only these have found."""
        if not self._sources:
            return covers
        masks = [m for source in self._sources for m in source.masks(index, rgb)]
        own: list[list[CropMask]] = [[] for _ in covers]
        fill = self.plan.settings.fill
        how = How("whole", "solid" if fill == "mesh" and self._plate is None else fill)
        others = []
        for mask, owner in zip(masks, owners(masks, [c.box for c in covers])):
            if owner is not None:
                own[owner].append(mask)
            else:
                size = float(max(mask.width, mask.height))
                others.append(PersonCover(box_of(mask), None, (mask,), None, None, None, size, how=how))
        return [replace(c, masks=(*c.masks, *m)) if m else c for c, m in zip(covers, own)] + others

    def _heads_of_nobody(self, index: int, people: list[PersonCover]) -> list[PersonCover]:
        """Heads that no track owns. No more than a face is known of them, so the head is what is covered.

        A face of somebody spared among ``people`` is theirs.
        """
        fill = self.plan.settings.fill
        how = How("head", "solid" if fill == "mesh" else fill)
        if self._plate is not None and fill == "mesh":
            how = How("head", "remove")
        spared = [p.box for p in people if p.how is None]
        found = []
        for stray in self._strays:
            place = stray.at(index, self.whereabouts.lead)
            if place is None:
                continue
            box, seen = place
            size, middle = float((box[2:] - box[:2]).max()), (box[:2] + box[2:]) / 2
            if any((b[:2] < middle).all() and (middle < b[2:]).all() for b in spared):
                continue
            reach = 0.5 * _HEAD_OF_FACE * size
            head = np.concatenate([middle - reach, middle + reach]).astype(np.float32)
            corners = head[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2)
            slack = 0.0 if seen else _UNSURE * size
            found.append(PersonCover(head, None, (), None, None, corners, _PERSON_OF_FACE * size, slack, how))
        return found

    def _seen(self, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
        """(K, 2) pixels of those of the points (N, 3) that make their outline, or None where one of the
        points lies behind the camera."""
        xy = self._camera.project(points).astype(np.float32)
        if not np.isfinite(xy).all():
            return None
        corners = outline(xy)
        return corners if len(corners) >= 3 else xy


@dataclass(frozen=True, slots=True, eq=False)
class _Marked:
    """Places on a posed body, (N, 3) float32 each, camera coordinates.

    Attributes:
        soles: of the left and the right foot; head, face: their skin; some: all over the body.
    """

    soles: tuple[F4, F4]
    head: F4
    face: F4
    some: F4


class _Marks:
    """Poses those vertices of the bare body by which a cover is measured, and no others."""

    def __init__(self, body: BodyModel) -> None:
        parts = [
            *soles(body), np.flatnonzero(body.head_vertices), np.flatnonzero(body.face_vertices),
            np.arange(0, body.n_vertices, _EVERY),
        ]  # fmt: skip
        self._ends = np.cumsum([len(p) for p in parts])[:-1]
        self._body = FixedBody(body, np.concatenate(parts))

    def of(self, params: BodyParams) -> _Marked:
        posed = self._body.posed(params).astype(np.float32)
        left, right, head, face, some = np.split(posed, self._ends)
        return _Marked((left, right), head, face, some)
