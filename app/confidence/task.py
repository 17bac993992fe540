"""The sensitivity of one person as work in a process of its own, for the window."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.confidence.occlusion import Occlusion, occlude
from app.confidence.people import PersonEyes
from app.errors import FootageError
from app.pipeline.events import Job, Listener, Progress, StageStarted
from app.pipeline.job import Control
from app.pipeline.process_job import ProcessJob
from app.review.types import ABSENT, CameraView, PersonScene
from backends.camera import Camera

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

RESULT: Final = "occlusion"
"""The key of the :class:`Occlusion` in the summary of the finished work."""
_PAD = 0.12
_LEAST = 4


def box_of(person: PersonScene, width: int, height: int) -> F8:
    """(4,) pixels about the keypoints of a person that lie in the picture.

    Raises:
        FootageError: too few do.
    """
    xy = person.xy[(person.visibility != ABSENT) & np.isfinite(person.xy).all(axis=1)].astype(np.float64)
    xy = xy[((xy >= -0.5) & (xy <= np.array([width, height]) - 0.5)).all(axis=1)]
    if len(xy) < _LEAST:
        raise FootageError(f"Too little of {person.name} is in this picture. Choose another frame.")
    low, high = xy.min(axis=0), xy.max(axis=0)
    pad = _PAD * float(np.max(high - low))
    return np.array([*(low - pad), *(high + pad)])


def start_occlusion(image: U1, person: PersonScene, view: CameraView, listener: Listener) -> Job:
    """Slide the occluder over a person of a frame; the summary holds the result under :data:`RESULT`.

    Raises:
        FootageError: too little of the person is in the picture.
    """
    box = box_of(person, image.shape[1], image.shape[0])
    camera = Camera(view.K, view.width, view.height, assumed=view.assumed)
    return ProcessJob("sensitivity", occlusion_task, (image, box, camera), listener)


def occlusion_task(
    control: Control, listener: Listener, image: U1, box: F8, camera: Camera
) -> dict[str, Any]:
    """What the process does.

    Raises:
        Cancelled: asked to stop. ModelError: the networks are not installed. FootageError: nobody is
            recognised.
    """
    listener(StageStarted("occluder", "Looking at the person"))

    def check(done: int, total: int) -> None:
        control.check()
        listener(Progress("occluder", done, total, 0.0, None))

    with PersonEyes() as eyes:
        result: Occlusion = occlude(image, box, eyes, camera=camera, check=check)
    return {RESULT: result}
