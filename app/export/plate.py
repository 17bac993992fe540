"""The empty room of a project: of a fixed camera from frames spread over the footage, else frame by frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.errors import ModelError
from app.export.coverage import Presence, Whereabouts
from app.export.plate_looks import choose_looks
from app.footage import Footage
from app.footage.base import Image
from app.models.store import ModelStore
from app.pipeline.engine import DETECTOR, FACES, LANDMARKS
from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.project.store import ProjectStore
from backends.background import Inpainter, MaskedFrame, MovingRoom, Plate, StillRoom, survey
from backends.deidentify import PersonCover, person_region
from backends.deidentify.left_in import LeftIn, without
from backends.detection.faces import FullRangeFace
from backends.errors import WeightsError
from backends.tracking.stream import PeopleStream

BoolArray = npt.NDArray[np.bool_]

PLATE_STAGE = ("plate", "Building the empty room")
"""The stage's name, and what people read."""
LEAST_S = 1.0
"""Of shorter footage the room is of use only where it is shown: everybody stands before it all the time."""
_LEAD_S = 3.0
"""Whoever is found in mid-picture stood there before, and would come into the room: for so long their place
counts as theirs. Where nothing else was ever seen, the room is filled, and what is there is covered."""
_ABOUT = 20
"""One frame of a moving camera is shown from so many before and after it: the export looks farther."""
_FACE = 0.6
_HEAD_OF_FACE = 0.9
"""Half the side of a head with hair, as a share of the face's longer side."""


class Hidden:
    """Where people are in a frame, and a little beyond: a rim of a person in the empty room would show."""

    def __init__(self, store: ProjectStore, footage: Footage) -> None:
        self._whereabouts = Whereabouts(store, footage.fps, doubtful="brief", lead_s=_LEAD_S)
        self._shape = (footage.height, footage.width)

    def in_frame(self, index: int) -> BoolArray:
        """(H, W) bool."""
        return self.and_surely(index)[0]

    def and_surely(self, index: int) -> tuple[BoolArray, BoolArray]:
        """The same, and (H, W) which pixels surely are people."""
        mask, surely = np.zeros((2, *self._shape), np.bool_)
        for presence in (*self._whereabouts.at(index), *self._whereabouts.followed(index)):
            _paint(mask, presence)
            for known in presence.masks if presence.slack == 0 else ():
                known.paint(surely)
        return mask, surely


def build_plate(store: ProjectStore, footage: Footage, control: Control, listener: Listener) -> StillRoom:
    """Look at frames spread over the footage and take people out.

    Returns:
        The room, not ``steady`` where the camera moved: then it is of no use, see :func:`with_rooms`.

    Raises:
        Cancelled: when asked to stop.
        FootageError: a frame cannot be read.
    """
    listener(StageStarted(*PLATE_STAGE))
    hidden = Hidden(store, footage)
    wanted = choose_looks(store, footage)
    left_in = LeftIn(footage.height, footage.width)
    meter = RateMeter(len(wanted))

    def look(index: int) -> MaskedFrame:
        control.check()
        mask, surely = hidden.and_surely(index)
        frame = MaskedFrame(index, footage.frame(index), mask, surely)
        if meter.done < meter.total:  # then some frames are looked at once more
            left_in.add(frame.rgb, surely)
            meter.advance()
            listener(Progress("plate", meter.done, meter.total, meter.rate, meter.remaining_s))
        return frame

    room = survey(wanted, look)
    control.check()
    plates = [_without_left_in(plate, left_in.found(plate)) for plate in room.plates]
    if room.steady:
        plates = [_without_people_in(plate) for plate in plates]
    return replace(room, plates=tuple(plates))


def _without_left_in(plate: Plate, people: BoolArray) -> Plate:
    return replace(without(plate, people), doubted=people) if people.any() else plate


def _without_people_in(plate: Plate) -> Plate:
    people = _people_in(plate)
    doubted = None if plate.doubted is None else plate.doubted & ~people
    return replace(without(plate, people), doubted=doubted) if people.any() else plate


def _people_in(plate: Plate) -> BoolArray:
    """(H, W) people with a face in the room itself: they stood there all the time and were never found.

    A body alone is no proof: a drape over a patient has the shape of one. Nobody where the networks are not
    installed.
    """
    height, width = plate.rgb.shape[:2]
    found = np.zeros((height, width), np.bool_)
    models = ModelStore()
    try:
        faces = FullRangeFace(models.path(FACES)).detect(plate.rgb, _FACE)
        if not faces:
            return found
        stream = PeopleStream(models.path(DETECTOR), models.path(LANDMARKS))
    except (ModelError, WeightsError):
        return found
    people = [p.estimate for p in stream.step(0, plate.rgb)]
    for face in faces:
        middle, size = (face.box[:2] + face.box[2:]) / 2, float((face.box[2:] - face.box[:2]).max())
        head = np.concatenate([middle - _HEAD_OF_FACE * size, middle + _HEAD_OF_FACE * size])
        covers = [PersonCover(head.astype(np.float32), None, (), None, None, None, 4 * size)]
        for e in people:
            if (middle > e.box[:2]).all() and (middle < e.box[2:]).all():
                masks = () if e.mask is None else (e.mask,)
                length = float(e.box[3] - e.box[1])
                covers.append(PersonCover(e.box, e.keypoints, masks, None, None, None, length))
        for cover in covers:
            region = person_region(cover, None, width, height)
            if region is not None:
                found[region.window] |= region.mask > 0
    return found


def with_rooms(
    frames: Iterable[tuple[int, Image]], hidden: Hidden, inpainter: Inpainter
) -> Iterator[tuple[int, Image, Plate]]:
    """Frames in order, each with the empty room of that frame; some are read ahead, none is kept."""
    waiting: deque[MaskedFrame] = deque()

    def masked() -> Iterator[MaskedFrame]:
        for index, image in frames:
            waiting.append(MaskedFrame(index, image, *hidden.and_surely(index)))
            yield waiting[-1]

    for room in inpainter.rooms(masked()):
        frame = waiting.popleft()
        yield frame.index, frame.rgb, room


def room_of_frame(store: ProjectStore, footage: Footage, index: int, control: Control) -> Plate:
    """The empty room of one frame of a moving camera, from the frames about it.

    Raises:
        Cancelled: when asked to stop.
        FootageError: a frame cannot be read.
    """
    hidden = Hidden(store, footage)
    first, last = max(index - _ABOUT, 0), min(index + _ABOUT, footage.n_frames - 1)

    def about() -> Iterator[MaskedFrame]:
        for number, image in footage.iter_frames(first, last + 1):
            control.check()
            yield MaskedFrame(number, image, *hidden.and_surely(number))

    return MovingRoom(ahead=_ABOUT, behind=_ABOUT).room_of(about(), index)


def _paint(mask: BoolArray, presence: Presence) -> None:
    height, width = mask.shape
    box = presence.box
    size = float(max(box[3] - box[1], 0.6 * (box[2] - box[0]), 8.0))
    # Farther than the cover itself: a rim of a person in the empty room would show beside every mesh.
    cover = PersonCover(box, presence.keypoints, presence.masks, None, None, None, 1.3 * size, presence.slack)
    region = person_region(cover, None, width, height)
    if region is not None:
        mask[region.window] |= region.mask > 0
