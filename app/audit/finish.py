"""A video that was not verified becomes so once a person has released all that was found in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.audit.report import report_paths, write_report
from app.audit.store import last_audit, picture_of, read_events
from app.deidentify.editing import read_plan
from app.errors import ExportError
from app.export.atomic import plain_error
from app.export.dicom import write_dicom
from app.export.manifest import sha256_of, write_manifest
from app.export.names import DICOM, DICOM_UNVERIFIED, MANIFEST, UNVERIFIED, VERIFIED
from app.pipeline.job import Control
from app.project.store import ProjectStore, now

_AGAIN = "Export it again."


def may_be_verified(store: ProjectStore, folder: Path) -> bool:
    """Whether :func:`finish_verification` has something to do: nothing is open, and the video is there."""
    unverified = folder / f"{store.path.stem}{UNVERIFIED}"
    if not unverified.is_file() or not (folder / f"{store.path.stem}{MANIFEST}").is_file():
        return False
    record = last_audit(store)
    if record is None:
        return False
    events = read_events(store, record.audit_id)
    return len(events) == len(record.events) and all(e.state == "released" for e in events)


def finish_verification(store: ProjectStore, folder: Path) -> dict[str, Any]:
    """Give the exported video in ``folder`` its name, and say in manifest and report who released what.

    The video is the same file, byte for byte, that was searched: its hash is compared, only its name changes.

    Returns:
        ``verified`` True, ``path``, ``report`` and ``manifest`` as text.

    Raises:
        ExportError: it is not there, was changed, was not searched, or something in it is open or was
            covered afterwards. StorageError: it cannot be renamed.
    """
    stem = store.path.stem
    unverified, verified = folder / f"{stem}{UNVERIFIED}", folder / f"{stem}{VERIFIED}"
    manifest_path = folder / f"{stem}{MANIFEST}"
    manifest = _read(manifest_path)
    if not unverified.is_file():
        raise ExportError(f"There is no {unverified.name} in that folder. {_AGAIN}")
    if verified.exists():
        raise ExportError(f"{verified.name} is there already. Move it away first.")
    digest = sha256_of(unverified)
    video = next((o for o in manifest.get("outputs", ()) if o.get("kind") == "video"), None)
    record = last_audit(store, digest)
    if video is None or video.get("sha256") != digest or record is None:
        raise ExportError(f"{unverified.name} is not the file that was searched. {_AGAIN}")
    events = {e.event_id: e for e in read_events(store, record.audit_id)}
    if set(record.events) - set(events):
        raise ExportError(f"A later search has replaced that of {unverified.name}. {_AGAIN}")
    left = [e for e in events.values() if e.state == "open"]
    if left:
        raise ExportError(
            f"{len(left)} of {len(events)} findings are open. Cover or release them, then try again."
        )
    if any(e.state == "covered" for e in events.values()):
        raise ExportError(f"Something was covered after {unverified.name} was written. {_AGAIN}")
    audit = manifest.get("audit") or {}
    for values in audit.get("events", ()):
        event = events.get(str(values.get("id")))
        if event is None:
            raise ExportError(f"{manifest_path.name} speaks of another search. {_AGAIN}")
        values.update(state=event.state, reason=event.reason, who=event.who)
    audit["why"] = ""
    video["name"] = verified.name
    for code in manifest.get("dicom_codes", ()):
        code["applies"] = bool(code.get("applies_once_verified"))
    manifest.update(audit=audit, verified=True, verified_at=now())
    try:
        unverified.rename(verified)
    except OSError as error:
        raise plain_error(error, folder) from error
    try:
        _verified_dicom(store, verified, folder, manifest)
        write_manifest(manifest, manifest_path)
        if report_paths(folder, stem)[0].exists():
            write_report(manifest, folder, stem, _pictures(store, manifest, list(events)))
    except BaseException:
        verified.rename(unverified)  # a name that no record bears out is worse than none
        raise
    if not store.read_only:
        store.add_export(manifest)
    return {
        "verified": True, "path": str(verified), "report": str(report_paths(folder, stem)[0]),
        "manifest": str(manifest_path),
    }  # fmt: skip


def _pictures(store: ProjectStore, manifest: dict[str, Any], events: list[str]) -> dict[str, bytes]:
    """Those that the report has shown before, if it has."""
    if not manifest.get("report_pictures"):
        return {}
    found = {event_id: picture_of(store, event_id) for event_id in events}
    return {event_id: jpeg for event_id, jpeg in found.items() if jpeg}


def _verified_dicom(store: ProjectStore, video: Path, folder: Path, manifest: dict[str, Any]) -> None:
    """The DICOM file says of itself whether it is verified: it is made again from the same video."""
    stem = store.path.stem
    old, new = folder / f"{stem}{DICOM_UNVERIFIED}", folder / f"{stem}{DICOM}"
    output = next((o for o in manifest.get("outputs", ()) if o.get("kind") == "dicom"), None)
    if output is None or not old.is_file():
        return
    write_dicom(video, new, read_plan(store), Control(), lambda n: None, verified=True)
    output.update(name=new.name, sha256=sha256_of(new))
    old.unlink()


def _read(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExportError(f"{path.name} cannot be read. {_AGAIN}") from error
    except ValueError as error:
        raise ExportError(f"{path.name} is damaged. {_AGAIN}") from error
    if not isinstance(manifest, dict):
        raise ExportError(f"{path.name} is damaged. {_AGAIN}")
    return manifest
