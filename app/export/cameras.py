"""The export of all cameras of a room in one go: one after the other, each searched and named by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.errors import ExportError, FootageError, ProjectError
from app.pipeline.camera_stages import CameraStages
from app.pipeline.events import Listener
from app.review.types import ExportRequest

ACTION = "De-identifying {}"


@dataclass(frozen=True, slots=True)
class CameraExport:
    """One camera: its name, its project, and where its footage lies now; its frames are ``shift`` later than
    those of which the request speaks."""

    name: str
    project: Path
    footage: Path
    shift: int = 0

    def of(self, request: ExportRequest) -> ExportRequest:
        """The request in this camera's frames."""
        first, last = request.first, request.last
        return replace(
            request, first=None if first is None else max(first + self.shift, 0),
            last=None if last is None else max(last + self.shift, 0),
        )  # fmt: skip


def export_cameras(
    cameras: Sequence[CameraExport], export: Callable[[CameraExport, Listener], dict[str, Any]],
    request: ExportRequest, listener: Listener,
) -> dict[str, Any]:  # fmt: skip
    """Write every camera; one that cannot be written does not keep the others from it.

    Args:
        export: writes one camera, as :func:`app.export.run.run_export` does.

    Returns:
        as :func:`app.export.run.run_export`, for all together, ``verified`` only where every written
        video is; and ``cameras``: name, ``verified``, ``open`` findings and ``error`` of each.

    Raises:
        ExportError: none could be written. StorageError, Cancelled: at once, for all that follow.
    """
    begun = time.monotonic()
    stages = CameraStages(listener, [c.name for c in cameras], ACTION)
    done: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for i, camera in enumerate(cameras):
        stages.begin(i)
        try:
            summary = export(camera, stages)
        except (ExportError, FootageError, ProjectError) as error:
            rows.append({"name": camera.name, "verified": False, "open": 0, "error": str(error)})
            continue
        done.append(summary)
        audit = summary["audit"] or {}
        rows.append(
            {
                "name": camera.name, "verified": summary["verified"], "open": int(audit.get("open", 0)),
                "why": summary["why_unverified"], "error": "",
            }
        )  # fmt: skip
    stages.end()
    if not done:
        raise ExportError("\n".join(f"{r['name']}: {r['error']}" for r in rows))
    return {**_together(done, rows, request.folder), "seconds": time.monotonic() - begun, "cameras": rows}


def _together(done: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    audits = [s["audit"] for s in done if s["audit"] is not None]
    why = [f"{r['name']}: {r['why']}" for r in rows if not r["error"] and not r["verified"] and r.get("why")]
    return {
        "folder": str(folder),
        "files": [f for s in done for f in s["files"]],
        "outputs": [o for s in done for o in s["outputs"]],
        "frames": sum(s["frames"] for s in done),
        "video_fps": None,
        "uncovered": sum(s["uncovered"] for s in done),
        "spared": max(s["spared"] for s in done),
        "background": None,
        "verified": all(s["verified"] for s in done),
        "why_unverified": " ".join(why),
        "audit": {k: sum(a[k] for a in audits) for k in audits[0]} if audits else None,
        "report": None,
    }
