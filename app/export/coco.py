"""COCO person keypoints: the 17 body points, and COCO-WholeBody's six of the feet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import ExportError
from app.export.atomic import written_whole
from app.export.types import ExportSource, Step, Written
from app.project.records import PersonRecord
from backends.keypoints.layout import KEYPOINT_NAMES, SKELETON
from backends.keypoints.types import Source, Visibility

_BODY = 17


def _flat(person: PersonRecord, points: slice) -> list[float]:
    kp = person.estimate.keypoints
    rows: list[float] = []
    for (x, y), v in zip(kp.xy[points].tolist(), kp.visibility[points].tolist()):
        rows += [round(x, 2), round(y, 2), int(v)] if v != Visibility.ABSENT else [0.0, 0.0, 0]
    return rows


def _annotation(number: int, person: PersonRecord) -> dict[str, Any]:
    kp = person.estimate.keypoints
    x0, y0, x1, y1 = (float(v) for v in person.estimate.box)
    entry: dict[str, Any] = {
        "id": number,
        "image_id": person.frame,
        "category_id": 1,
        "track_id": person.track_id,
        "bbox": [round(x0, 2), round(y0, 2), round(x1 - x0, 2), round(y1 - y0, 2)],
        "area": round((x1 - x0) * (y1 - y0), 1),
        "iscrowd": 0,
        "score": round(person.estimate.score, 4),
        "num_keypoints": int((kp.visibility[:_BODY] != Visibility.ABSENT).sum()),
        "keypoints": _flat(person, slice(0, _BODY)),
        "foot_kpts": _flat(person, slice(_BODY, None)),
        "keypoint_scores": [round(float(s), 4) for s in kp.score],
        "placed_by_hand": [KEYPOINT_NAMES[k] for k in np.flatnonzero(kp.source == Source.PERSON)],
        "reviewed": person.reviewed,
    }
    mask = person.estimate.mask
    if mask is not None:
        entry["mask"] = {
            "x": mask.x0, "y": mask.y0, "size": [mask.height, mask.width], "counts": mask.counts.tolist(),
        }  # fmt: skip
    return entry


def write_coco(source: ExportSource, target: Path, step: Step) -> Written:
    """Write ``target`` (json). Image ids are frame numbers; ``time_s`` counts from the first frame.

    Keypoints are x, y in pixels ((0, 0) the centre of the top left pixel) and COCO's visibility.

    Raises:
        ExportError, StorageError: it cannot be written or read back.
    """
    footage, count = source.footage, 0
    head = {
        "info": {"description": "Keypoints by Understudy", "version": "1.0"},
        "images": [
            {"id": i, "file_name": f"{i:06d}", "width": footage.width, "height": footage.height,
             "time_s": round(float(footage.times[i]), 6)}
            for i in range(source.first, source.last + 1)
        ],
        "categories": [
            {"id": 1, "name": "person", "supercategory": "person", "keypoints": list(KEYPOINT_NAMES[:_BODY]),
             "foot_keypoints": list(KEYPOINT_NAMES[_BODY:]),
             "skeleton": [[a + 1, b + 1] for a, b in SKELETON if a < _BODY and b < _BODY]}
        ],
    }  # fmt: skip
    with written_whole(target) as part:
        # Annotations are written as they come: of hours of footage they do not fit into memory.
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps(head, separators=(",", ":"))[:-1] + ',"annotations":[')
            for _, people in source.people(step):
                for person in people:
                    count += 1
                    file.write(("," if count > 1 else "") + "\n")
                    json.dump(_annotation(count, person), file, separators=(",", ":"))
            file.write("\n]}")
        _check(source, part, count, source.n_frames)
    return Written("coco", target, count, "poses")


def _check(source: ExportSource, path: Path, annotations: int, images: int) -> None:
    """Read the file back line by line, as it was written, and count.

    Raises:
        ExportError: it is no JSON or lacks something. Cancelled: asked to stop.
    """
    whole = 0
    try:
        with path.open(encoding="utf-8") as file:
            head = json.loads(file.readline() + "]}")
            line = file.readline()
            while line and line != "]}":
                source.control.check()
                following = file.readline()
                # All but the last end with the comma that parts it from the next.
                if following != "]}" and not line.endswith(",\n"):
                    raise ValueError("a comma is missing")
                entry = json.loads(line if following == "]}" else line[:-2])
                whole += len(entry["keypoints"]) == 3 * _BODY and len(entry["foot_kpts"]) == 18
                line = following
    except (ValueError, KeyError) as error:
        raise ExportError("The written keypoints cannot be read back. Export again.") from error
    if line != "]}" or whole != annotations or len(head["images"]) != images:
        raise ExportError("The written keypoints are not whole. Export again.")
