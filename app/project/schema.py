"""The project's tables, and how an older file becomes a newer one."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x55445354
"""SQLite's application id, "UDST": tells a project from any other SQLite file."""

_V1 = """
CREATE TABLE footage (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, sha256 TEXT NOT NULL, kind TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, n_frames INTEGER NOT NULL, fps REAL NOT NULL,
    time_base_num INTEGER NOT NULL, time_base_den INTEGER NOT NULL, pts BLOB NOT NULL,
    has_audio INTEGER NOT NULL
) STRICT;
CREATE TABLE views (
    id INTEGER PRIMARY KEY, footage_id INTEGER NOT NULL REFERENCES footage(id), name TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL,
    k BLOB NOT NULL, r BLOB NOT NULL, t BLOB NOT NULL, dist BLOB NOT NULL, assumed INTEGER NOT NULL
) STRICT;
CREATE TABLE tracks (
    id INTEGER PRIMARY KEY, view_id INTEGER NOT NULL REFERENCES views(id), name TEXT NOT NULL,
    color_index INTEGER NOT NULL, hidden INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'kept' CHECK (state IN ('kept', 'discarded', 'deleted')), betas BLOB
) STRICT;
CREATE TABLE observations (
    view_id INTEGER NOT NULL, frame INTEGER NOT NULL, track_id INTEGER NOT NULL REFERENCES tracks(id),
    box BLOB NOT NULL, score REAL NOT NULL, xy BLOB NOT NULL, kp_score BLOB NOT NULL,
    visibility BLOB NOT NULL, source BLOB NOT NULL, world BLOB,
    mask_box BLOB, mask_counts BLOB, reviewed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (view_id, frame, track_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX observations_by_track ON observations (view_id, track_id, frame);
CREATE TABLE bodies (
    view_id INTEGER NOT NULL, frame INTEGER NOT NULL, track_id INTEGER NOT NULL REFERENCES tracks(id),
    betas BLOB NOT NULL, pose BLOB NOT NULL, transl BLOB NOT NULL, reprojected BLOB NOT NULL,
    rms_px REAL NOT NULL,
    PRIMARY KEY (view_id, frame, track_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX bodies_by_track ON bodies (view_id, track_id, frame);
CREATE TABLE confidence (
    view_id INTEGER NOT NULL, frame INTEGER NOT NULL, track_id INTEGER NOT NULL REFERENCES tracks(id),
    mean_mm REAL NOT NULL, joint_mm BLOB NOT NULL, keypoint_mm BLOB NOT NULL,
    PRIMARY KEY (view_id, frame, track_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX confidence_by_track ON confidence (view_id, track_id, frame, mean_mm);
CREATE TABLE chunks (
    view_id INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (view_id, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE reviews (item_id TEXT PRIMARY KEY, done INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
    label TEXT NOT NULL, frame INTEGER, track_id INTEGER, target INTEGER REFERENCES edits(id),
    changes TEXT NOT NULL
) STRICT;
CREATE TRIGGER edits_are_never_changed BEFORE UPDATE ON edits
    BEGIN SELECT RAISE(ABORT, 'the log of edits is append-only'); END;
CREATE TRIGGER edits_are_never_deleted BEFORE DELETE ON edits
    BEGIN SELECT RAISE(ABORT, 'the log of edits is append-only'); END;
CREATE TABLE exports (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, manifest TEXT NOT NULL
) STRICT;
"""

_V2 = """
ALTER TABLE observations ADD COLUMN left_hand BLOB;
ALTER TABLE observations ADD COLUMN right_hand BLOB;
ALTER TABLE observations ADD COLUMN face BLOB;
"""

_V3 = """
CREATE TABLE deid_rules (
    id INTEGER PRIMARY KEY, track_id INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    spared INTEGER NOT NULL, cover TEXT NOT NULL, fill TEXT NOT NULL, look TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE deid_regions (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL, fill TEXT NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, frames BLOB NOT NULL, points BLOB NOT NULL, event_id TEXT NOT NULL
) STRICT;
CREATE TABLE audits (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    output_sha256 TEXT NOT NULL, result TEXT NOT NULL
) STRICT;
CREATE TABLE leaks (
    id TEXT PRIMARY KEY, audit_id INTEGER NOT NULL, kind TEXT NOT NULL, track_id INTEGER,
    first INTEGER NOT NULL, last INTEGER NOT NULL, frames BLOB NOT NULL, boxes BLOB NOT NULL,
    score REAL NOT NULL, severity INTEGER NOT NULL, found_by TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'covered', 'released')), reason TEXT NOT NULL,
    who TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE leak_pictures (
    leak_id TEXT PRIMARY KEY, jpeg BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""

_V4 = """
ALTER TABLE bodies ADD COLUMN single BLOB;
ALTER TABLE confidence ADD COLUMN sites BLOB;
ALTER TABLE confidence ADD COLUMN alike BLOB;
CREATE TABLE findings (
    view_id INTEGER NOT NULL, track_id INTEGER NOT NULL, frame INTEGER NOT NULL, kind TEXT NOT NULL,
    joint TEXT NOT NULL, severity REAL NOT NULL, words TEXT NOT NULL,
    PRIMARY KEY (view_id, frame, track_id, kind, joint)
) STRICT, WITHOUT ROWID;
"""

_V5 = """
ALTER TABLE observations ADD COLUMN depth_place BLOB;
ALTER TABLE observations ADD COLUMN depth_mm BLOB;
"""

MIGRATIONS: Final[tuple[str, ...]] = (_V1, _V2, _V3, _V4, _V5)
"""Script ``i`` takes a file from version ``i`` to ``i + 1``; never edit one that was released."""

VERSION: Final = len(MIGRATIONS)
