"""How a batch treats its files, and what comes of one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.export.dicom import Form
from app.export.names import DICOM, DICOM_UNVERIFIED, MANIFEST, UNVERIFIED, VERIFIED
from app.review.types import DeidSettings

Seconds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ClipForm:
    """How clips of a data set are written: under their own names, without manifests.

    Attributes:
        size: width and height that every clip is scaled to first; None: its own.
        intermediate: also write the room without people, and the scaled clip.
    """

    size: tuple[int, int] | None = None
    intermediate: bool = False


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """How every file of a batch is treated.

    Attributes:
        out: the output folder.
        audit: search each finished video; without it nothing is called verified.
        between: seconds from the first frame, inclusive; only this part is written. None: everything.
        spare: tracks that may be seen, and ``reason`` why.
        dicom: also write the video as DICOM, in this form.
        projects: where projects are kept; None: nowhere.
        overwrite: replace outputs that were made otherwise, or by somebody else.
        clips: how clips of a data set are written; None for ordinary footage.
    """

    out: Path
    deid: DeidSettings = DeidSettings()  # noqa: RUF009  frozen
    audit: bool = True
    report: bool = True
    between: Seconds | None = None
    spare: tuple[int, ...] = ()
    reason: str = ""
    dicom: Form | None = None
    device: str = "auto"
    projects: Path | None = None
    overwrite: bool = False
    clips: ClipForm | None = None

    @property
    def endings(self) -> tuple[str, ...]:
        """What names of outputs may end in."""
        if self.clips is not None:
            return (".mp4", "_unverified.mp4")
        return (VERIFIED, UNVERIFIED, DICOM, DICOM_UNVERIFIED, MANIFEST)

    def digest(self) -> str:
        """SHA-256 of everything that changes what an output looks like."""
        told = {
            "deid": asdict(self.deid), "audit": self.audit, "report": self.report, "between": self.between,
            "spare": list(self.spare), "reason": self.reason, "dicom": self.dicom,
            "clips": None if self.clips is None else asdict(self.clips),
        }  # fmt: skip
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """A file that was worked through: its hash, the outputs with theirs, and plain values to show."""

    source: str
    files: dict[str, str]
    result: dict[str, Any]


def figures(summary: Mapping[str, Any], request: BatchRequest) -> dict[str, Any]:
    """What an export's summary says of a video, as plain values to show."""
    audit = summary["audit"] or {}
    verified = bool(summary["verified"])
    return {
        "frames": summary["frames"], "events": audit.get("events", 0), "open_events": audit.get("open", 0),
        "searched": bool(audit), "verified": verified, "uncovered": summary["uncovered"],
        "message": "" if verified or not request.audit else summary["why_unverified"],
    }  # fmt: skip
