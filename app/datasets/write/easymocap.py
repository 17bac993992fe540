"""EasyMocap's layout (github.com/zju3dv/EasyMocap, "Prepare your own dataset").

::

    intri.yml, extri.yml         OpenCV FileStorage: names, K_cam01, dist_cam01; R_cam01 (Rodrigues),
                                 Rot_cam01, T_cam01; metres, world z up, x_cam = Rot x_world + T
    images/cam01/000000.jpg
    annots/cam01/000000.json     filename, height, width, annots: [{personID, bbox, keypoints}]
    keypoints3d/000000.json      [{id, keypoints3d}], world metres

Keypoints are OpenPose's BODY_25: x, y and a confidence that here is 1 for a visible point, 0.5 for a
hidden one and 0 out of view; the same is said in the extra field ``visibility``. Neck and mid-hip are the
middles of shoulders and hips. A box is x0 y0 x1 y1 (the last pixel included) and 1. Each annotation lists
the people of whom a pixel is seen; ``keypoints3d`` lists everybody.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.datasets.opencv_yaml import write_storage
from app.datasets.pictures import write_colour
from app.datasets.scene import CameraPath, SceneInfo, SceneWriter, still_only
from backends.keypoints.convert import from_default
from backends.synthetic.types import CameraFrame, PersonTruth, SceneFrame

F8 = npt.NDArray[np.float64]

CONFIDENCE = (0.0, 0.5, 1.0)
"""What is written for a point out of view, hidden, visible."""

LAYOUT = "easymocap"


class EasyMocapWriter(SceneWriter):
    """Writes the layout above; cameras must stand still."""

    def __init__(self, folder: Path, info: SceneInfo) -> None:
        self._folder, self._info = folder, info
        self._paths: list[CameraPath] = []
        for name in info.cameras:
            for part in ("images", "annots"):
                (folder / part / name).mkdir(parents=True)
        (folder / "keypoints3d").mkdir()

    def add(self, frame: SceneFrame) -> None:
        """See :meth:`SceneWriter.add`."""
        self._paths = self._paths or [CameraPath(view) for view in frame.views]
        for path, view in zip(self._paths, frame.views):
            path.add(view)
            still_only(path, LAYOUT)
            self._annotate(frame.index, view)
        people = [
            {"id": p.person_id, "keypoints3d": _with_confidence(p.keypoints_3d, np.full(23, 2)).tolist()}
            for p in frame.world
        ]
        _write_json(self._folder / "keypoints3d" / f"{frame.index:06d}.json", people)

    def _annotate(self, index: int, view: CameraFrame) -> None:
        picture = f"images/{view.name}/{index:06d}.jpg"
        write_colour(self._folder / picture, view.image)
        value = {
            "filename": picture, "height": view.camera.height, "width": view.camera.width,
            "annots": [_annotation(p) for p in view.people if p.box is not None], "isKeyframe": False,
        }  # fmt: skip
        _write_json(self._folder / "annots" / view.name / f"{index:06d}.json", value)

    def finish(self) -> None:
        """See :meth:`SceneWriter.finish`."""
        intri: dict[str, F8] = {}
        extri: dict[str, F8] = {}
        for path in self._paths:
            camera = path.first
            intri |= {f"K_{path.name}": camera.K, f"dist_{path.name}": camera.dist.reshape(1, 5)}
            extri |= {
                f"R_{path.name}": np.asarray(cv2.Rodrigues(camera.R)[0], np.float64),
                f"Rot_{path.name}": camera.R,
                f"T_{path.name}": camera.t.reshape(3, 1),
            }
        names = self._info.cameras
        write_storage(self._folder / "intri.yml", intri, names)
        write_storage(self._folder / "extri.yml", extri, names)


def _annotation(person: PersonTruth) -> dict[str, Any]:
    assert person.box is not None
    box = [float(v) for v in person.box]
    keypoints = _with_confidence(person.keypoints_2d, person.visibility)
    visibility = np.searchsorted(CONFIDENCE, keypoints[:, 2])
    return {
        "personID": person.person_id, "bbox": [*box, 1.0], "keypoints": keypoints.tolist(),
        "visibility": visibility.tolist(), "area": (box[2] - box[0] + 1) * (box[3] - box[1] + 1),
        "isKeyframe": False,
    }  # fmt: skip


def _with_confidence(points: F8, visibility: npt.NDArray[Any]) -> F8:
    """(25, C + 1) the points of BODY_25 and a confidence; a middle counts as its worse end."""
    result = from_default(np.column_stack([points, np.take(CONFIDENCE, visibility)]), "body25")
    result[:, -1] = np.where(result[:, -1] >= 1.0, 1.0, np.where(result[:, -1] > 0.5, 0.5, result[:, -1]))
    for k, ends in ((1, (5, 6)), (8, (11, 12))):
        result[k, -1] = min(CONFIDENCE[int(visibility[end])] for end in ends)
    gone = (result[:, -1] == 0) | ~np.isfinite(result).all(axis=1)
    result[gone] = 0.0
    return result


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8", newline="\n")
