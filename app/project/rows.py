"""Between the project's rows and the arrays that the stages work with."""

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np

from app.project.arrays import pack, unpack
from app.project.confidence_rows import pack_single, read_confidence, read_single, site_blobs
from app.project.depth_rows import depth_blobs, read_depth
from app.project.detail_rows import detail_blobs, read_details
from app.project.records import FittedBody, PersonRecord, TrackRecord
from backends.body.params import N_JOINTS, BodyParams
from backends.confidence.types import BodyConfidence
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints, PoseEstimate
from backends.masks import CropMask

N = N_KEYPOINTS

OBSERVATION_COLUMNS = (
    "view_id", "frame", "track_id", "box", "score", "xy", "kp_score", "visibility", "source", "world",
    "mask_box", "mask_counts", "reviewed", "left_hand", "right_hand", "face", "depth_place", "depth_mm",
)  # fmt: skip
BODY_COLUMNS = (
    "view_id", "frame", "track_id", "betas", "pose", "transl", "reprojected", "rms_px", "single",
)  # fmt: skip
CONFIDENCE_COLUMNS = (
    "view_id", "frame", "track_id", "mean_mm", "joint_mm", "keypoint_mm", "sites", "alike",
)  # fmt: skip

LATER_COLUMNS = (
    ("observations", "o", ("left_hand", "right_hand", "face", "depth_place", "depth_mm")),
    ("bodies", "b", ("single",)), ("confidence", "c", ("sites", "alike")),
)  # fmt: skip
"""Table, its name in :data:`PERSON_QUERY`, and columns that files of earlier versions lack."""

PERSON_QUERY = """
SELECT o.frame, o.track_id, o.box, o.score, o.xy, o.kp_score, o.visibility, o.source, o.world,
       o.mask_box, o.mask_counts, o.reviewed, o.left_hand, o.right_hand, o.face, o.depth_place, o.depth_mm,
       b.betas, b.pose, b.transl, b.reprojected, b.rms_px, b.single,
       c.mean_mm, c.joint_mm, c.keypoint_mm, c.sites, c.alike
FROM observations o
LEFT JOIN bodies b ON b.view_id = o.view_id AND b.frame = o.frame AND b.track_id = o.track_id
LEFT JOIN confidence c ON c.view_id = o.view_id AND c.frame = o.frame AND c.track_id = o.track_id
"""


def insert_statement(table: str, columns: tuple[str, ...]) -> str:
    """An upsert of one whole row."""
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def observation_row(view: int, person: PersonRecord) -> dict[str, Any]:
    """The ``observations`` row of one person in one frame."""
    estimate, kp, mask = person.estimate, person.estimate.keypoints, person.estimate.mask
    mask_box = mask_counts = None
    if mask is not None:
        mask_box = pack([mask.x0, mask.y0, mask.width, mask.height], np.int32)
        small = mask.counts.size == 0 or int(mask.counts.max()) < 2**16
        mask_counts = pack(mask.counts, np.uint16 if small else np.uint32)
    return {
        "view_id": view, "frame": person.frame, "track_id": person.track_id,
        "box": pack(estimate.box, np.float32), "score": float(estimate.score),
        "xy": pack(kp.xy, np.float32), "kp_score": pack(kp.score, np.float16),
        "visibility": pack(kp.visibility, np.uint8), "source": pack(kp.source, np.uint8),
        "world": None if estimate.world is None else pack(estimate.world, np.float32),
        "mask_box": mask_box, "mask_counts": mask_counts, "reviewed": int(person.reviewed),
        **detail_blobs(estimate.details), **depth_blobs(estimate.depth),
    }  # fmt: skip


def body_row(view: int, frame: int, track: int, body: FittedBody) -> dict[str, Any]:
    """The ``bodies`` row of one fitted body."""
    return {
        "view_id": view, "frame": frame, "track_id": track,
        "betas": pack(body.params.betas, np.float32), "pose": pack(body.params.pose, np.float32),
        "transl": pack(body.params.transl, np.float64),
        "reprojected": pack(body.reprojected, np.float32), "rms_px": float(body.rms_px),
        "single": pack_single(body.single),
    }  # fmt: skip


def confidence_row(view: int, frame: int, track: int, confidence: BodyConfidence) -> dict[str, Any]:
    """The ``confidence`` row of one fitted body."""
    return {
        "view_id": view, "frame": frame, "track_id": track, "mean_mm": float(confidence.mean_mm),
        "joint_mm": pack(np.minimum(confidence.joint_mm, 60000), np.float16),
        "keypoint_mm": pack(np.minimum(confidence.keypoint_mm, 60000), np.float16),
        **site_blobs(confidence),
    }  # fmt: skip


def read_person(row: sqlite3.Row) -> PersonRecord:
    """One row of :data:`PERSON_QUERY`."""
    keypoints = Keypoints(
        xy=unpack(row["xy"], shape=(N, 2)),
        score=unpack(row["kp_score"], shape=(N,)).astype(np.float32),
        visibility=unpack(row["visibility"], shape=(N,)),
        source=unpack(row["source"], shape=(N,)),
    )
    mask = None
    if row["mask_box"] is not None and row["mask_counts"] is not None:
        x0, y0, width, height = (int(v) for v in unpack(row["mask_box"], shape=(4,)))
        mask = CropMask(
            x0, y0, width, height, unpack(row["mask_counts"], shape=(-1,)).astype(np.uint32, copy=False)
        )
    estimate = PoseEstimate(
        keypoints=keypoints,
        box=unpack(row["box"], shape=(4,)),
        score=float(row["score"]),
        world=None if row["world"] is None else unpack(row["world"], shape=(N, 3)),
        mask=mask,
        details=read_details(row["left_hand"], row["right_hand"], row["face"]),
        depth=read_depth(row["depth_place"], row["depth_mm"]),
    )
    body = None
    if row["pose"] is not None:
        params = BodyParams(
            betas=unpack(row["betas"], shape=(-1,)).astype(np.float64),
            pose=unpack(row["pose"], shape=(N_JOINTS, 3)).astype(np.float64),
            transl=unpack(row["transl"], shape=(3,)),
        )
        body = FittedBody(
            params, unpack(row["reprojected"], shape=(N, 2)), float(row["rms_px"]), read_single(row["single"])
        )
    confidence = read_confidence(row)
    reviewed = bool(row["reviewed"])
    return PersonRecord(int(row["frame"]), int(row["track_id"]), estimate, body, confidence, reviewed)


def read_track(row: sqlite3.Row) -> TrackRecord:
    """One row of ``tracks``."""
    betas = None if row["betas"] is None else unpack(row["betas"], shape=(-1,)).astype(np.float64)
    return TrackRecord(
        int(row["id"]), row["name"], int(row["color_index"]), bool(row["hidden"]), row["state"], betas
    )
