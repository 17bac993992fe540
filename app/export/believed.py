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
from backends.deidentify.belief import limb_belief, limb_support, stands_out
from backends.keypoints.types import Keypoints
from backends.masks import CropMask

U1 = npt.NDArray[np.uint8]
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


def _keep(kept: OrderedDict[tuple[int, int], F4], key: tuple[int, int], values: F4) -> None:
    kept[key] = values
    if len(kept) > _KEPT:
        kept.popitem(last=False)


class LimbBeliefs:
    """Belief in the pieces of everybody's limbs, from the frame and those around it."""

    def __init__(self, whereabouts: Whereabouts, body: BodyModel, camera: Camera, fps: float) -> None:
        self._whereabouts = whereabouts
        self._body = body
        self._camera = camera
        self._reach = int(np.clip(round(FADE_S * fps), 1, _MOST_FRAMES))
        self._supports: OrderedDict[tuple[int, int], F4] = OrderedDict()
        self._looks: OrderedDict[tuple[int, int], F4] = OrderedDict()

    def at(self, frame: int, presence: Presence, rgb: U1) -> F4:
        """(40,) belief of the pieces of :mod:`backends.deidentify.belief`, in [0, 1].

        Args:
            rgb: (H, W, 3) the frame.
        """
        looks = self._looks_of(frame, presence, rgb)
        supports, weights = [], []
        for step in range(-self._reach, self._reach + 1):
            support = self._of(frame + step, presence) if step else self._here(frame, presence)
            if support is not None:
                supports.append(support * looks)
                weights.append(1.0 - abs(step) / (self._reach + 1))
        return limb_belief(supports, weights) if supports else np.ones(0, np.float32)

    def _looks_of(self, frame: int, presence: Presence, rgb: U1) -> F4 | float:
        """Whether limbs look like limbs, in this frame and those shown just before, so that none flickers."""
        if presence.params is None:
            return 1.0
        track = presence.track.track_id
        joints = posed_joints(self._body, presence.params)
        _keep(self._looks, (frame, track), stands_out(joints, self._camera, rgb, presence.keypoints))
        steps = [s for s in range(self._reach + 1) if (frame - s, track) in self._looks]
        weights = [1.0 - s / (self._reach + 1) for s in steps]
        every = [self._looks[frame - s, track] for s in steps]
        return np.average(every, axis=0, weights=weights).astype(np.float32)

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
        _keep(self._supports, key, support)
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
