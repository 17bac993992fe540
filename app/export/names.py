"""How the files of an export are called, after the project's name."""

from __future__ import annotations

VERIFIED = "_deidentified.mp4"
UNVERIFIED = "_deidentified_unverified.mp4"
"""The video's, until nothing is left open that the search of it has found."""

DICOM, DICOM_UNVERIFIED = "_deidentified.dcm", "_deidentified_unverified.dcm"

MANIFEST = "_manifest.json"
