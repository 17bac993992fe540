"""Work that runs in a process of its own: everything is opened anew there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.export.cameras import CameraExport, export_cameras
from app.export.run import run_export
from app.footage import open_footage
from app.pipeline.bodies import project_body
from app.pipeline.engine import default_engine
from app.pipeline.events import Listener
from app.pipeline.job import Control
from app.pipeline.run import run_pipeline
from app.project.store import ProjectStore
from app.review.types import DeidSettings, ExportRequest, RunOptions
from backends.background import Plate, StillRoom


def run_task(
    control: Control, listener: Listener, project: Path, footage: Path, options: RunOptions
) -> dict[str, Any]:
    """Find people and fit bodies; see :func:`app.pipeline.run.run_pipeline`."""
    engine = default_engine()
    with open_footage(footage) as frames:
        store = ProjectStore.open(project, durable=False)
        try:
            summary = run_pipeline(store, frames, engine, options, control, listener)
            if not store.footage().sha256:
                store.set_footage_hash(frames.sha256(lambda: _pass(control)))
            return summary
        finally:
            store.close()


def export_task(
    control: Control, listener: Listener, project: Path, footage: Path, request: ExportRequest,
    settings: DeidSettings, plate: Plate | StillRoom | None,
) -> dict[str, Any]:  # fmt: skip
    """Write video and data; see :func:`app.export.run.run_export`."""
    with open_footage(footage) as frames:
        store = ProjectStore.open(project)
        try:
            body = project_body(store)
            return run_export(store, frames, body, request, settings, control, listener, plate=plate)
        finally:
            store.close()


def export_cameras_task(
    control: Control, listener: Listener, cameras: tuple[CameraExport, ...], request: ExportRequest,
    settings: DeidSettings,
) -> dict[str, Any]:  # fmt: skip
    """Write all cameras of a room; see :func:`app.export.cameras.export_cameras`."""

    def export(camera: CameraExport, told: Listener) -> dict[str, Any]:
        wanted = camera.of(request)
        return export_task(control, told, camera.project, camera.footage, wanted, settings, None)

    return export_cameras(cameras, export, request, listener)


def _pass(control: Control) -> None:
    control.check()
