"""How far everybody's limbs, and guesses of whole people, are to be believed in every frame."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.export.coverage import Presence, Whereabouts
from app.project.records import PersonRecord
from backends.body import BodyModel, BodyParams, posed_joints
from backends.camera import Camera
from backends.deidentify.belief import limb_belief, limb_support
from backends.keypoints.types import Keypoints
from backends.masks import CropMask

F4 = npt.NDArray[np.float32]

FADE_S = 0.2
"""A limb fades in and out within so much time on either side."""
_MOST_FRAMES = 6
_KEPT = 512
"""Supports that are kept: a frame asks for its neighbours' again and again."""

_ELSE, _SAME = 0.45, 0.65
"""Of a guess so much lies where somebody was found: from the first share on it fades, at the second it is
taken for the same person under another number, or for somebody who is hidden behind them."""


def guess_belief(presence: Presence, people: Sequence[Presence]) -> float:
    """How far a guessed body is to be believed beside those who were found, in [0, 1]; of others 1.

    Two bodies where one person stands read as two people.
    """
    if presence.slack <= 0:
        return 1.0
    low, high = presence.box[:2], presence.box[2:]
    area = max(float(np.prod(high - low)), 1.0)
    shares = [
        float(np.prod(np.maximum(np.minimum(high, p.box[2:]) - np.maximum(low, p.box[:2]), 0.0))) / area
        for p in people
        if p.slack <= 0 and p.drawn
    ]
    t = np.clip((max(shares, default=0.0) - _ELSE) / (_SAME - _ELSE), 0.0, 1.0)
    return float(1 - t * t * (3 - 2 * t))


class LimbBeliefs:
    """Belief in the pieces of everybody's limbs, from the frame and those around it."""

    def __init__(self, whereabouts: Whereabouts, body: BodyModel, camera: Camera, fps: float) -> None:
        self._whereabouts = whereabouts
        self._body = body
        self._camera = camera
        self._reach = int(np.clip(round(FADE_S * fps), 1, _MOST_FRAMES))
        self._supports: OrderedDict[tuple[int, int], F4] = OrderedDict()

    def at(self, frame: int, presence: Presence) -> F4:
        """(40,) belief of the pieces of :mod:`backends.deidentify.belief`, in [0, 1]."""
        supports, weights = [], []
        for step in range(-self._reach, self._reach + 1):
            support = self._of(frame + step, presence) if step else self._here(frame, presence)
            if support is not None:
                supports.append(support)
                weights.append(1.0 - abs(step) / (self._reach + 1))
        return limb_belief(supports, weights) if supports else np.ones(0, np.float32)

    def _here(self, frame: int, presence: Presence) -> F4 | None:
        found = self._of(frame, presence)
        if found is not None or presence.params is None:
            return found
        return self._support(presence.params, presence.keypoints, presence.masks, None)

    def _of(self, frame: int, presence: Presence) -> F4 | None:
        """What was found of the person in a frame; None where they were not found there."""
        key = (frame, presence.track.track_id)
        known = self._supports.get(key)
        if known is not None:
            return known
        person = self._whereabouts.stored(frame, presence.track.track_id)
        if person is None or person.body is None:
            return None
        support = self._of_record(person)
        self._supports[key] = support
        if len(self._supports) > _KEPT:
            self._supports.popitem(last=False)
        return support

    def _of_record(self, person: PersonRecord) -> F4:
        assert person.body is not None
        estimate, sure = person.estimate, person.confidence
        masks = () if estimate.mask is None else (estimate.mask,)
        mm = None if sure is None else sure.keypoint_mm
        return self._support(person.body.params, estimate.keypoints, masks, mm)

    def _support(
        self, params: BodyParams, keypoints: Keypoints, masks: tuple[CropMask, ...], mm: F4 | None
    ) -> F4:
        return limb_support(posed_joints(self._body, params), self._camera, keypoints, masks, mm)
