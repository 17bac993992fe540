"""The empty room of a project: from frames spread over the whole footage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.errors import ModelError
from app.export.coverage import Presence, Whereabouts
from app.footage import Footage
from app.models.store import ModelStore
from app.pipeline.engine import DETECTOR, LANDMARKS
from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.project.store import ProjectStore
from backends.background import Plate, PlateBuilder
from backends.deidentify import PersonCover, person_region
from backends.deidentify.left_in import LeftIn, without
from backends.errors import WeightsError
from backends.keypoints.plausible import bone_error
from backends.tracking.stream import PeopleStream

SAMPLES = 48
_ODD_BONES = 0.15
"""See :func:`backends.keypoints.plausible.bone_error`; a room has no second picture to make sure."""


def build_plate(
    store: ProjectStore, footage: Footage, control: Control, listener: Listener, *, samples: int = SAMPLES
) -> Plate:
    """Look at frames spread over the footage and take people out.

    Raises:
        Cancelled: when asked to stop.
        FootageError: a frame cannot be read.
    """
    listener(StageStarted("plate", "Building the empty room"))
    whereabouts = Whereabouts(store, footage.fps)
    n = min(samples, footage.n_frames)
    wanted = np.unique(np.linspace(0, footage.n_frames - 1, n).round().astype(int))
    builder = PlateBuilder(footage.height, footage.width, max_samples=samples)
    left_in = LeftIn(footage.height, footage.width)
    meter = RateMeter(len(wanted))
    for index in wanted:
        control.check()
        mask, surely = np.zeros((2, footage.height, footage.width), np.bool_)
        for presence in whereabouts.at(int(index)):
            _paint(mask, presence)
            for known in presence.masks if presence.slack == 0 else ():
                known.paint(surely)
        frame = footage.frame(int(index))
        builder.add(frame, mask)
        left_in.add(frame, surely)
        meter.advance()
        listener(Progress("plate", meter.done, meter.total, meter.rate, meter.remaining_s))
    control.check()
    plate = builder.finish()
    plate = without(plate, left_in.found(plate))
    return without(plate, _people_in(plate)) if plate.steady else plate


def _people_in(plate: Plate) -> npt.NDArray[np.bool_]:
    """(H, W) people whom the networks find in the room itself: they stood there all the time and were never
    found among the others. Nobody where the networks are not installed."""
    height, width = plate.rgb.shape[:2]
    found = np.zeros((height, width), np.bool_)
    models = ModelStore()
    try:
        stream = PeopleStream(models.path(DETECTOR), models.path(LANDMARKS))
    except (ModelError, WeightsError):
        return found
    for person in stream.step(0, plate.rgb):
        estimate = person.estimate
        if bone_error(estimate.world) > _ODD_BONES:
            continue  # a thing in the shape of a person
        size = float(max(estimate.box[3] - estimate.box[1], 8.0))
        masks = () if estimate.mask is None else (estimate.mask,)
        cover = PersonCover(estimate.box, estimate.keypoints, masks, None, None, None, size)
        region = person_region(cover, None, width, height)
        if region is not None:
            found[region.window] |= region.mask > 0
    return found


def _paint(mask: npt.NDArray[np.bool_], presence: Presence) -> None:
    height, width = mask.shape
    box = presence.box
    size = float(max(box[3] - box[1], 0.6 * (box[2] - box[0]), 8.0))
    # Farther than the cover itself: a rim of a person in the empty room would show beside every mesh.
    cover = PersonCover(box, presence.keypoints, presence.masks, None, None, None, 1.3 * size, presence.slack)
    region = person_region(cover, None, width, height)
    if region is not None:
        mask[region.window] |= region.mask > 0
