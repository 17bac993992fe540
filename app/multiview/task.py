"""Several cameras in a process of its own, told as one stage a camera and a few for what follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.multiview.run import run_views
from app.multiview.types import ViewsRequest
from app.pipeline.camera_stages import CameraStages
from app.pipeline.engine import Engine
from app.pipeline.events import Event, FileEnded, FileStarted, Listener, Progress, StageStarted
from app.pipeline.job import Control

_BACK = ("projects", "Putting the bodies into the projects")
_AFTER = (
    ("views", "Fitting people in all cameras together"), ("motion", "Fitting each person's motion"), _BACK,
)  # fmt: skip
_TOUCH_UP = ("cameras", "Touching up the cameras")


def views_task(
    control: Control, listener: Listener, request: ViewsRequest, *, engine: Engine | None = None
) -> dict[str, Any]:
    """See :func:`app.multiview.run.run_views`; ``request.names`` names the cameras."""
    after = (_TOUCH_UP, *_AFTER) if request.refine_cameras else _AFTER
    stages = CameraStages(listener, request.names, "Looking for people in {}", after)
    found = back = False

    def tell(event: Event) -> None:
        nonlocal found, back
        if isinstance(event, FileStarted) and not found:
            stages.begin(event.index - 1)
        elif isinstance(event, FileEnded) and not found:
            found = event.index == event.total
            if found:
                stages.end()
        elif isinstance(event, FileStarted) and not back:
            back = True
            stages(StageStarted(*_BACK))
        elif back and isinstance(event, Progress):
            stages(replace(event, stage=_BACK[0]))
        elif not (isinstance(event, FileStarted | FileEnded) or (back and isinstance(event, StageStarted))):
            stages(event)

    return run_views(request, control, tell, engine=engine)
