"""What was exported, from what, with what: for the record, without a patient's file name."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from app.deidentify.segmentations import segmentations
from app.export.atomic import written_whole
from app.export.record_of import audit_of, codes_of, people_of, regions_of
from app.export.types import ExportSource, Written
from app.export.verdict import Verdict
from app.pipeline.bodies import confidence_words, project_ref
from app.project.notes import from_views
from app.project.store import now

_PACKAGES = ("understudy", "numpy", "numba", "av", "opencv-python-headless", "ai-edge-litert", "trimesh",
             "onnxruntime", "pydicom", "reportlab")  # fmt: skip


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files in order of their names."""
    digest = hashlib.sha256()
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "from source"
    return found


def make_manifest(
    source: ExportSource, written: Sequence[Written], hashes: Mapping[str, str], uncovered: Sequence[int],
    *, verdict: Verdict | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Plain values: input and output hashes, settings, networks, versions, people, uncovered frames.

    Args:
        verdict: what the search of the video came to; None where no video was written.
    """
    record, ref = source.store.footage(), project_ref(source.store)
    verified = verdict is not None and verdict.verified
    return {
        "made": now(),
        "verified": verified,
        "input": {
            "sha256": record.sha256 or source.footage.sha256(lambda: _check(source)),
            "frames": record.n_frames, "width": record.width, "height": record.height, "fps": record.fps,
            "sound": record.has_audio,
        },
        "frames": [source.first, source.last],
        "deidentification": asdict(source.deid),
        "people": people_of(source),
        "regions": regions_of(source),
        "audit": audit_of(source, verdict),
        "dicom_codes": codes_of(source, verified=verified),
        "frames_where_a_found_person_is_uncovered": list(uncovered),
        "outputs": [
            {"kind": w.kind, "name": w.path.name, "count": w.count, "unit": w.unit,
             "sha256": sha256_of(w.path)}
            for w in written
        ],
        "background": next((dict(w.background) for w in written if w.background is not None), None),
        "networks": dict(hashes),
        "segmentations": {s.name: s.sha256 for s in segmentations()},
        "body": source.body.name,
        "body_sha256": ref.sha256,
        "versions": _versions(),
        "confidence": " ".join(
            ["expected error in mm after aligning the body as a whole (place, turn, size).",
             confidence_words(ref, from_views(source.store))]
        ).strip(),
    }  # fmt: skip


def _check(source: ExportSource) -> None:
    source.control.check()


def write_manifest(manifest: Mapping[str, Any], target: Path) -> None:
    """Write ``target`` (json)."""
    with written_whole(target) as part:
        part.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        json.loads(part.read_text(encoding="utf-8"))
