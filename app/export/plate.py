"""The empty room of a project: from frames spread over the whole footage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.export.coverage import Presence, Whereabouts
from app.footage import Footage
from app.pipeline.events import Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.rate import RateMeter
from app.project.store import ProjectStore
from backends.background import Plate, PlateBuilder
from backends.deidentify import PersonCover, person_region

SAMPLES = 48


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
    meter = RateMeter(len(wanted))
    for index in wanted:
        control.check()
        mask = np.zeros((footage.height, footage.width), np.bool_)
        for presence in whereabouts.at(int(index)):
            _paint(mask, presence)
        builder.add(footage.frame(int(index)), mask)
        meter.advance()
        listener(Progress("plate", meter.done, meter.total, meter.rate, meter.remaining_s))
    control.check()
    return builder.finish()


def _paint(mask: npt.NDArray[np.bool_], presence: Presence) -> None:
    height, width = mask.shape
    box = presence.box
    size = float(max(box[3] - box[1], 0.6 * (box[2] - box[0]), 8.0))
    # Farther than the cover itself: a rim of a person in the empty room would show beside every mesh.
    cover = PersonCover(box, presence.keypoints, presence.masks, None, None, None, 1.3 * size, presence.slack)
    region = person_region(cover, None, width, height)
    if region is not None:
        mask[region.window] |= region.mask > 0
