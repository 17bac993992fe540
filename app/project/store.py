"""The project: one SQLite file that holds everything but the footage itself."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import ProjectError
from app.project.arrays import from_json, pack, to_json, unpack
from app.project.database import create_database, open_database, plain_errors
from app.project.records import FootageRecord, PersonRecord, TrackRecord
from app.project.rows import (
    BODY_COLUMNS,
    CONFIDENCE_COLUMNS,
    LATER_COLUMNS,
    OBSERVATION_COLUMNS,
    PERSON_QUERY,
    body_row,
    confidence_row,
    insert_statement,
    observation_row,
    read_person,
    read_track,
)
from backends.body.params import BodyParams
from backends.camera import Camera, assumed_camera

VIEW = 1
"""The one view of a project with one camera."""

_KNOWN, _ASSUMED, _ESTIMATED = 0, 1, 2
"""What the column ``assumed`` says of the focal length; to older programs all but 0 is a guess."""

NOTES = "run:"
"""Settings whose names begin so are a run's own notes (:mod:`app.project.notes`), no person's choice."""


class ProjectStore:
    """One connection to one project. Give each thread its own; SQLite keeps them apart."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self.connection = connection
        self._lock = threading.RLock()
        self._person_query = self._query_for_people()

    @classmethod
    def create(cls, path: Path, footage: FootageRecord, camera: Camera) -> ProjectStore:
        """A new project for ``footage`` seen by ``camera``.

        Raises:
            ProjectError, StorageError: when the file exists or cannot be written.
        """
        store = cls(path, create_database(path), read_only=False)
        with store.transaction() as db:
            db.execute(
                "INSERT INTO footage VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (str(footage.path), footage.sha256, footage.kind, footage.width, footage.height,
                 footage.n_frames, footage.fps, footage.time_base.numerator, footage.time_base.denominator,
                 pack(footage.pts, np.int64), int(footage.has_audio)),
            )  # fmt: skip
            db.execute(
                "INSERT INTO views VALUES (?, 1, 'Camera', ?, ?, ?, ?, ?, ?, ?)",
                (VIEW, camera.width, camera.height, pack(camera.K), pack(camera.R), pack(camera.t),
                 pack(camera.dist), _focal_word(camera)),
            )  # fmt: skip
        return store

    @classmethod
    def open(cls, path: Path, *, durable: bool = True) -> ProjectStore:
        """An existing project; read-only where it is newer than the program or cannot be written.

        Args:
            durable: wait for the disk at every commit, as a person's edits must; the worker need not.
        """
        connection, read_only = open_database(path, durable=durable)
        return cls(path, connection, read_only=read_only)

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; nested use joins the outer transaction.

        Raises:
            ProjectError, StorageError: from SQLite, in plain words.
        """
        if self.read_only:
            raise ProjectError(f"{self.path.name} is open for reading only. Save a copy to work on it.")
        with self._lock, plain_errors(self.path):
            if self.connection.in_transaction:
                yield self.connection
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                self.connection.rollback()  # does nothing where SQLite has rolled back by itself
                raise

    def query(self, sql: str, parameters: Iterable[object] = ()) -> list[sqlite3.Row]:
        """Rows of a read."""
        with self._lock, plain_errors(self.path):
            return self.connection.execute(sql, tuple(parameters)).fetchall()

    def _query_for_people(self) -> str:
        """An older file that may not be written lacks columns; what they would hold is not there."""
        query = PERSON_QUERY
        for table, short, columns in LATER_COLUMNS:
            known = {row["name"] for row in self.query(f"PRAGMA table_info({table})")}
            for column in columns:
                if column not in known:
                    query = query.replace(f"{short}.{column}", f"NULL AS {column}")
        return query

    # --- footage and camera -------------------------------------------------------------------

    def footage(self) -> FootageRecord:
        """The footage this project belongs to."""
        rows = self.query("SELECT * FROM footage WHERE id = 1")
        if not rows:
            raise ProjectError(f"{self.path.name} names no footage. Make a new project from the video.")
        row = rows[0]
        return FootageRecord(
            path=Path(row["path"]), sha256=row["sha256"], kind=row["kind"], width=row["width"],
            height=row["height"], n_frames=row["n_frames"], fps=row["fps"],
            time_base=Fraction(row["time_base_num"], row["time_base_den"]),
            pts=unpack(row["pts"], shape=(row["n_frames"],)), has_audio=bool(row["has_audio"]),
        )  # fmt: skip

    def move_footage(self, path: Path) -> None:
        """The footage lies elsewhere now (the caller has checked its hash)."""
        with self.transaction() as db:
            db.execute("UPDATE footage SET path = ? WHERE id = 1", (str(path),))

    def set_footage_hash(self, sha256: str) -> None:
        """Record the footage's SHA-256 once it has been computed."""
        with self.transaction() as db:
            db.execute("UPDATE footage SET sha256 = ? WHERE id = 1", (sha256,))

    def camera(self) -> Camera:
        """The view's camera."""
        row = self.query("SELECT * FROM views WHERE id = ?", (VIEW,))[0]
        return Camera(
            K=unpack(row["k"], shape=(3, 3)), width=row["width"], height=row["height"],
            R=unpack(row["r"], shape=(3, 3)), t=unpack(row["t"], shape=(3,)),
            dist=unpack(row["dist"], shape=(5,)), assumed=row["assumed"] == _ASSUMED,
            estimated=row["assumed"] == _ESTIMATED,
        )  # fmt: skip

    def set_camera(self, camera: Camera) -> None:
        """The view's camera is known better now. Bodies are not changed."""
        with self.transaction() as db:
            db.execute(
                "UPDATE views SET k = ?, r = ?, t = ?, dist = ?, assumed = ? WHERE id = ?",
                (pack(camera.K), pack(camera.R), pack(camera.t), pack(camera.dist), _focal_word(camera),
                 VIEW),
            )  # fmt: skip

    # --- what the pipeline writes -------------------------------------------------------------

    def store_chunk(
        self, first: int, last: int, people: Iterable[PersonRecord], state: Mapping[str, Any]
    ) -> None:
        """Results of frames ``first`` .. ``last`` and the state to resume from, in one transaction.

        What a person has corrected stays as it is.
        """
        with self.transaction() as db:
            for person in people:
                self._ensure_track(person.track_id)
                if self._is_corrected(person.frame, person.track_id):
                    continue
                self.put_person(person)
            db.execute(
                "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?)", (VIEW, first, last, to_json(dict(state)))
            )
            # Only the newest state is needed to go on; the older ones would grow with the footage.
            db.execute("UPDATE chunks SET state = '' WHERE view_id = ? AND first < ?", (VIEW, first))

    def put_person(self, person: PersonRecord) -> None:
        """Write one person of one frame (inside a transaction of the caller's)."""
        frame, track = person.frame, person.track_id
        self._put("observations", OBSERVATION_COLUMNS, observation_row(VIEW, person))
        if person.body is not None:
            self._put("bodies", BODY_COLUMNS, body_row(VIEW, frame, track, person.body))
        if person.confidence is not None:
            self._put("confidence", CONFIDENCE_COLUMNS, confidence_row(VIEW, frame, track, person.confidence))

    def _put(self, table: str, columns: tuple[str, ...], row: Mapping[str, Any]) -> None:
        self.connection.execute(insert_statement(table, columns), [row[c] for c in columns])

    def _ensure_track(self, track: int) -> None:
        self.connection.execute(
            "INSERT OR IGNORE INTO tracks (id, view_id, name, color_index) VALUES (?, ?, ?, ?)",
            (track, VIEW, f"Person {track}", track - 1),
        )

    def _is_corrected(self, frame: int, track: int) -> bool:
        row = self.connection.execute(
            "SELECT reviewed FROM observations WHERE view_id = ? AND frame = ? AND track_id = ?",
            (VIEW, frame, track),
        ).fetchone()
        return row is not None and bool(row["reviewed"])

    def set_track_betas(self, track: int, betas: npt.NDArray[np.float64]) -> None:
        """The shape shared by all frames of a track."""
        with self.transaction() as db:
            db.execute("UPDATE tracks SET betas = ? WHERE id = ?", (pack(betas, np.float32), track))

    def set_track_state(self, tracks: Iterable[int], state: str) -> None:
        """Keep, discard or delete tracks; their rows stay."""
        with self.transaction() as db:
            db.executemany("UPDATE tracks SET state = ? WHERE id = ?", [(state, t) for t in tracks])

    def renumber_tracks(self, order: Iterable[int]) -> None:
        """Name and colour the kept tracks 1, 2, 3 ... in ``order``; names given by a person stay."""
        with self.transaction() as db:
            for number, track in enumerate(order, start=1):
                db.execute("UPDATE tracks SET color_index = ? WHERE id = ?", (number - 1, track))
                db.execute(
                    "UPDATE tracks SET name = ? WHERE id = ? AND name GLOB 'Person [0-9]*'",
                    (f"Person {number}", track),
                )

    def join_tracks(self, kept: int, other: int) -> None:
        """Give ``other``'s frames to ``kept`` where ``kept`` has none of its own."""
        with self.transaction() as db:
            for table in ("observations", "bodies", "confidence"):
                db.execute(
                    f"UPDATE OR IGNORE {table} SET track_id = ? WHERE view_id = ? AND track_id = ?",
                    (kept, VIEW, other),
                )
                db.execute(f"DELETE FROM {table} WHERE view_id = ? AND track_id = ?", (VIEW, other))
            db.execute("UPDATE tracks SET state = 'discarded' WHERE id = ?", (other,))

    def clear_results(self) -> None:
        """Forget all results and start anew; the log of edits stays."""
        with self.transaction() as db:
            for table in (
                "confidence", "bodies", "observations", "chunks", "reviews", "findings", "tracks",
                "deid_rules", "leaks", "leak_pictures", "audits",
            ):  # fmt: skip
                db.execute(f"DELETE FROM {table}")
            camera = self.camera()
            if camera.estimated:  # those people are gone
                self.set_camera(assumed_camera(camera.width, camera.height))
            db.execute("DELETE FROM settings WHERE name GLOB ?", (f"{NOTES}*",))

    def resume_point(self) -> tuple[int, dict[str, Any] | None]:
        """The first frame that is not processed, and the state stored with the last chunk."""
        row = self.query(
            "SELECT last, state FROM chunks WHERE view_id = ? ORDER BY first DESC LIMIT 1", [VIEW]
        )
        if not row:
            return 0, None
        return int(row[0]["last"]) + 1, from_json(row[0]["state"]) if row[0]["state"] else None

    def processed(self) -> list[tuple[int, int]]:
        """Ranges of processed frames, first and last inclusive."""
        rows = self.query("SELECT first, last FROM chunks WHERE view_id = ? ORDER BY first", (VIEW,))
        return [(int(r["first"]), int(r["last"])) for r in rows]

    def last_body(self, track: int, before: int) -> tuple[int, BodyParams] | None:
        """The newest body of a track before a frame: its frame and parameters."""
        rows = self.query(
            "SELECT frame FROM bodies WHERE view_id = ? AND track_id = ? AND frame < ?"
            " ORDER BY frame DESC LIMIT 1",
            (VIEW, track, before),
        )
        person = self.person(int(rows[0]["frame"]), track) if rows else None
        return (person.frame, person.body.params) if person is not None and person.body is not None else None

    def corrected_tracks(self) -> set[int]:
        """Tracks that a person has worked on."""
        rows = self.query("SELECT DISTINCT track_id FROM observations WHERE reviewed = 1")
        return {int(r["track_id"]) for r in rows}

    def reviewed_frames(self, track: int) -> set[int]:
        """The frames of a track that a person has looked at or corrected."""
        rows = self.query(
            "SELECT frame FROM observations WHERE view_id = ? AND track_id = ? AND reviewed = 1",
            (VIEW, track),
        )
        return {int(r["frame"]) for r in rows}

    def track_span(self, track: int) -> tuple[int, int] | None:
        """First and last frame of a track; None where it has no frames."""
        row = self.query(
            "SELECT min(frame) AS first, max(frame) AS last FROM observations"
            " WHERE view_id = ? AND track_id = ?",
            (VIEW, track),
        )[0]
        return None if row["first"] is None else (int(row["first"]), int(row["last"]))

    def shapes_of(self, track: int) -> list[tuple[int, npt.NDArray[np.float64]]]:
        """Each frame of a track with the shape its body was fitted with."""
        rows = self.query(
            "SELECT frame, betas FROM bodies WHERE view_id = ? AND track_id = ? ORDER BY frame", (VIEW, track)
        )
        return [(int(r["frame"]), unpack(r["betas"], shape=(-1,)).astype(np.float64)) for r in rows]

    # --- what everybody reads -----------------------------------------------------------------

    def tracks(self, *, every: bool = False) -> list[TrackRecord]:
        """The kept tracks in order of colour, or every one."""
        condition = "" if every else "WHERE state = 'kept'"
        rows = self.query(f"SELECT * FROM tracks {condition} ORDER BY color_index, id")
        return [read_track(r) for r in rows]

    def people(self, frame: int) -> list[PersonRecord]:
        """Everybody of the kept tracks in one frame."""
        rows = self.query(
            self._person_query + " JOIN tracks t ON t.id = o.track_id AND t.state = 'kept'"
            " WHERE o.view_id = ? AND o.frame = ? ORDER BY o.track_id",
            (VIEW, frame),
        )
        return [read_person(r) for r in rows]

    def track_ids(self, frame: int) -> list[int]:
        """Who of the kept tracks is in one frame."""
        rows = self.query(
            "SELECT o.track_id FROM observations o JOIN tracks t ON t.id = o.track_id AND t.state = 'kept'"
            " WHERE o.view_id = ? AND o.frame = ? ORDER BY o.track_id",
            (VIEW, frame),
        )
        return [int(r["track_id"]) for r in rows]

    def person(self, frame: int, track: int) -> PersonRecord | None:
        """One person in one frame."""
        rows = self.query(
            self._person_query + " WHERE o.view_id = ? AND o.frame = ? AND o.track_id = ?",
            (VIEW, frame, track),
        )
        return read_person(rows[0]) if rows else None

    def track_people(self, track: int, first: int, last: int) -> list[PersonRecord]:
        """One person in frames ``first`` .. ``last``."""
        rows = self.query(
            self._person_query
            + " WHERE o.view_id = ? AND o.track_id = ? AND o.frame BETWEEN ? AND ? ORDER BY o.frame",
            (VIEW, track, first, last),
        )
        return [read_person(r) for r in rows]

    def setting(self, name: str) -> Any:
        """A stored setting, or None."""
        rows = self.query("SELECT value FROM settings WHERE name = ?", (name,))
        return from_json(rows[0]["value"]) if rows else None

    def add_export(self, manifest: Mapping[str, Any]) -> None:
        """Remember what was exported: hashes, settings, versions."""
        with self.transaction() as db:
            db.execute("INSERT INTO exports (at, manifest) VALUES (?, ?)", (now(), to_json(dict(manifest))))


def now() -> str:
    """The time for the log: UTC, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _focal_word(camera: Camera) -> int:
    return _ESTIMATED if camera.estimated else _ASSUMED if camera.assumed else _KNOWN
