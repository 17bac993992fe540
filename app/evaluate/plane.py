"""Rows about keypoints in the picture, identities, masks, faces and coverage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.evaluate.people import SIGMAS
from app.evaluate.report import Row, row
from app.evaluate.samples import Samples
from backends.metrics.average_precision import average_precision
from backends.metrics.faces import COVERED, Leaks, face_recall, leak_events
from backends.metrics.pose2d import pck
from backends.metrics.score import Score, mean_known
from backends.metrics.tracking import tracking_scores

F8 = npt.NDArray[np.float64]
Missing = list[tuple[str, str]]

_SET = "23 keypoints, those labelled"
_HEAD = "seen pixels of the true head"
_HEAD_BOX = "seen pixels within the true head's box"


def picture_rows(samples: Samples) -> tuple[list[Row], Missing]:
    """Average precision, PCK, and pixels."""
    if not samples.labelled:
        return [], [("Keypoints in the picture", "the truth labels no keypoints in pictures")]
    ap = average_precision(samples.images, SIGMAS)
    joints = f"{_SET}, projected from the truth in space" if samples.projected else _SET
    rows = [
        row("2d", key, name, Score(value, ap.n, 0), "%", "people", joint_set=joints, better="higher",
            note="OKS with COCO-WholeBody's deviations", perfect=100.0)
        for key, name, value in (
            ("ap", "AP, OKS 0.50-0.95", ap.ap), ("ap50", "AP, OKS 0.50", ap.ap50),
            ("ap75", "AP, OKS 0.75", ap.ap75), ("ar", "AR, OKS 0.50-0.95", ap.ar),
        )
    ]  # fmt: skip
    if not samples.pixels:
        return rows, []
    estimate, body, truth = (np.array([p[i] for p in samples.pixels]) for i in range(3))
    labelled = np.array([p[3] for p in samples.pixels])
    side = np.array([p[4] for p in samples.pixels])
    whose = ((estimate, "", "keypoints"), (body, "body_", "reprojected body"))
    for points, prefix, what in whose:
        if np.isnan(points).all():
            continue
        for alpha in (0.05, 0.2):
            rows.append(
                row("2d", f"{prefix}pck_{alpha:g}", f"PCK at {alpha:g} of the box, {what}",
                    pck(points, truth, labelled, side, alpha), "%", "keypoints", joint_set=joints,
                    better="higher", note="of people who were found", perfect=100.0)
            )  # fmt: skip
        distance = np.linalg.norm(points - truth, axis=-1)[labelled]
        rows.append(
            row("2d", f"{prefix}pixels", f"Mean distance, {what}", mean_known(distance), "px", "keypoints",
                joint_set=joints, better="lower", note="of people who were found", perfect=0.0)
        )  # fmt: skip
    return rows, []


def tracking_rows(samples: Samples, fps: float | None) -> tuple[list[Row], Missing]:
    """HOTA, IDF1, switches."""
    if fps is None:
        return [], [("Identities", "the truth is of separate pictures: nobody has an identity over time")]
    s = tracking_scores(samples.tracked)
    note = "similarity: OKS, or the boxes' IoU where no keypoint is labelled"
    rows = [
        row("tracking", key, name, Score(value, s.n_true, 0), "%", "people", better="higher", note=note,
            perfect=100.0)
        for key, name, value in (
            ("hota", "HOTA", s.hota), ("det_a", "Detection accuracy (DetA)", s.det_a),
            ("ass_a", "Association accuracy (AssA)", s.ass_a), ("idf1", "IDF1", s.idf1),
            ("mota", "MOTA", s.mota),
        )
    ]  # fmt: skip
    rows.append(
        row("tracking", "switches", "Identity switches", Score(float(s.switches), s.n_true, 0), "count",
            "people", better="lower", note="similarity of 0.5", perfect=0.0)
    )  # fmt: skip
    return rows, []


def mask_rows(samples: Samples) -> tuple[list[Row], Missing]:
    """Region and outline."""
    if not samples.mask_iou:
        side = "the truth has" if not samples.true_masks else "the people found have"
        return [], [("Masks", f"{side} no masks")]
    note = "of people who were found; visible pixels"
    return [
        row("masks", "mask_iou", "Mask IoU", mean_known(samples.mask_iou), "%", "people", better="higher",
            note=note, perfect=100.0),
        row("masks", "boundary_f", "Outline F (DAVIS)", mean_known(samples.mask_f), "%", "people",
            better="higher", note=note, perfect=100.0),
    ], []  # fmt: skip


def face_rows(samples: Samples, times_s: F8, *, measured: bool = True) -> tuple[list[Row], Missing]:
    """Face boxes of the bodies, share of heads and people covered, leak events.

    Args:
        times_s: (F,) when the frames compared are shown.
        measured: whether coverage was looked at.
    """
    rows: list[Row] = []
    missing: Missing = []
    if samples.true_faces:
        recall, precision = face_recall(samples.faces)
        for key, name, score in (
            ("face_recall", "Face recall at IoU 0.5", recall),
            ("face_precision", "Face precision at IoU 0.5", precision),
        ):
            rows.append(row("faces", key, name, score, "%", "faces", better="higher",
                            note="faces as the bodies show them", perfect=100.0))  # fmt: skip
    else:
        missing.append(("Face recall", "the truth has no face boxes"))
    missing.append(("Holistic recall", "it needs several cameras, and the project has one"))
    if samples.persons:
        share = mean_known(samples.persons)
        rows.append(row("faces", "person_coverage", "Person covered", share, "%", "people", better="higher",
                        note="share of the true person's seen pixels"))  # fmt: skip
    if not measured:
        return rows, [*missing, ("Coverage and leaks", "they were not asked for")]
    if not samples.heads:
        return rows, [*missing, ("Coverage and leaks", "the truth does not say where heads are")]
    covered = np.concatenate([h.covered[h.seen > 0] for h in samples.heads.values()])
    rows.append(row("faces", "head_coverage", "Head covered", mean_known(covered), "%", "heads",
                    better="higher", note=_HEAD if samples.head_masks else _HEAD_BOX))  # fmt: skip
    leaks = [leak_events(h.covered, h.seen, times_s) for h in samples.heads.values()]
    return rows + _leak_rows(leaks), missing


def _leak_rows(leaks: list[Leaks]) -> list[Row]:
    note = f"a run of frames with less than {COVERED:.0%} of a seen head covered"
    seen, unknown = sum(k.seen for k in leaks), sum(k.unknown for k in leaks)
    return [
        row("faces", key, name, Score(float(value), seen, unknown), unit, "heads", better="lower", note=note)
        for key, name, value, unit in (
            ("leak_events", "Leak events", sum(len(k.events) for k in leaks), "count"),
            ("leak_frames", "Leaking frames", sum(k.frames for k in leaks), "count"),
            ("longest_leak", "Longest leak", max(k.longest_ms for k in leaks), "ms"),
        )
    ]  # fmt: skip
