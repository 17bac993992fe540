"""How the files of an export are called, after the project's name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

VERIFIED = "_deidentified.mp4"
UNVERIFIED = "_deidentified_unverified.mp4"
"""The video's, until nothing is left open that the search of it has found."""

DICOM, DICOM_UNVERIFIED = "_deidentified.dcm", "_deidentified_unverified.dcm"

MANIFEST = "_manifest.json"


Earlier = Literal["", "verified", "unverified", "earlier"]


def earlier_export(folder: Path, stem: str) -> Earlier:
    """What lies in ``folder`` of an export of the project ``stem``: its video, or only data ("earlier")."""
    marks: tuple[tuple[str, Earlier], ...] = (
        (VERIFIED, "verified"), (UNVERIFIED, "unverified"), (MANIFEST, "earlier")
    )  # fmt: skip
    try:
        return next((what for name, what in marks if (folder / f"{stem}{name}").exists()), "")
    except OSError:  # a name that the system refuses: the export says why
        return ""
