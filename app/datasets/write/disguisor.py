"""The layout of DisguisOR's published data (arXiv 2307.14241), so that its code runs on our scenes.

::

    cn01/0000000000_color.jpg     colour
    cn01/0000000000_rgbd.tiff     uint16 millimetres along z, aligned to colour, 0 where there is none
    cn01/0000_pointcloud.ply      this camera's points with colour (every second pixel at 1280 x 720),
                                  world metres, z up
    cn01/camera_calibration.yml   OpenCV FileStorage; lengths in millimetres
    cn01/world2camera.json        translation (metres) and rotation (quaternion x, y, z, w)
    hard_2d_kps.pkl               {"<camera from 0>_<frame>": [person: 17 x (x, y, confidence)]}
    keypoints3d/000000.json       EasyMocap's [{id, keypoints3d: 17 x (x, y, z, confidence)}], world

Despite its name, ``world2camera`` takes points from the camera to the world, and from OpenGL's camera
(y up, z backwards) to a world with y up: ``camera_to_world = Rx(90) W Rx(180)`` in our conventions
(OpenCV's camera, z up). The pickle holds plain lists of numbers and nothing else.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from app.datasets.clouds import fused_cloud, write_ply
from app.datasets.opencv_yaml import write_storage
from app.datasets.pictures import write_colour, write_grey
from app.datasets.scene import CameraPath, SceneInfo, SceneWriter, still_only
from app.datasets.write.easymocap import CONFIDENCE
from app.errors import ExportError
from backends.camera import Camera
from backends.synthetic.types import CameraFrame, PersonTruth, SceneFrame

F8 = npt.NDArray[np.float64]

LAYOUT: Final = "disguisor"
N_BODY: Final = 17
Y_TO_Z_UP: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Rx(90): from a world with y up to one with z up."""
FLIP: Final = np.diag([1.0, -1.0, -1.0])
"""Rx(180): between OpenCV's and OpenGL's camera."""
KEYPOINTS_FILE: Final = "hard_2d_kps.pkl"


class DisguisorWriter(SceneWriter):
    """Writes the layout above; cameras must stand still."""

    def __init__(self, folder: Path, info: SceneInfo) -> None:
        self._folder = folder
        self._names = [f"cn{k + 1:02d}" for k in range(len(info.cameras))]
        self._paths: list[CameraPath] = []
        self._keypoints: dict[str, list[list[list[float]]]] = {}
        for name in (*self._names, "keypoints3d"):
            (folder / name).mkdir()

    def add(self, frame: SceneFrame) -> None:
        """See :meth:`SceneWriter.add`."""
        self._paths = self._paths or [CameraPath(view) for view in frame.views]
        for k, (path, view) in enumerate(zip(self._paths, frame.views)):
            path.add(view)
            still_only(path, LAYOUT)
            if view.camera.dist.any():
                raise ExportError(f"{view.name} has a distorted lens; the layout '{LAYOUT}' holds none.")
            self._add_view(frame.index, k, view)
        people = [
            {"id": p.person_id, "keypoints3d": [[*xyz, 1.0] for xyz in p.keypoints_3d[:N_BODY].tolist()]}
            for p in frame.world
        ]
        _write_json(self._folder / "keypoints3d" / f"{frame.index:06d}.json", people)

    def _add_view(self, index: int, k: int, view: CameraFrame) -> None:
        folder = self._folder / self._names[k]
        write_colour(folder / f"{index:010d}_color.jpg", view.image)
        write_grey(folder / f"{index:010d}_rgbd.tiff", view.depth_mm)
        write_ply(folder / f"{index:04d}_pointcloud.ply", fused_cloud([view]))
        self._keypoints[f"{k}_{index}"] = [_rows(p) for p in view.people if p.box is not None]

    def finish(self) -> None:
        """See :meth:`SceneWriter.finish`."""
        for name, path in zip(self._names, self._paths):
            _write_camera(self._folder / name, path.first)
        (self._folder / KEYPOINTS_FILE).write_bytes(pickle.dumps(self._keypoints, protocol=2))


def _rows(person: PersonTruth) -> list[list[float]]:
    rows = []
    for (x, y), v in zip(person.keypoints_2d[:N_BODY].tolist(), person.visibility[:N_BODY].tolist()):
        rows.append([x, y, CONFIDENCE[v]] if v and np.isfinite(x) else [0.0, 0.0, 0.0])
    return rows


def _write_camera(folder: Path, camera: Camera) -> None:
    dist = np.zeros((8, 1))
    dist[:5, 0] = camera.dist
    write_storage(
        folder / "camera_calibration.yml",
        {
            "undistorted_color_camera_matrix": camera.K, "color_camera_matrix": camera.K,
            "color_distortion_coefficients": dist,
            "depth2color_rotation": np.eye(3), "depth2color_translation": np.zeros((3, 1)),
        },
    )  # fmt: skip
    R, t = camera.R.T, -camera.R.T @ camera.t  # from the camera to the world
    x, y, z, w = (float(v) for v in Rotation.from_matrix(Y_TO_Z_UP.T @ R @ FLIP).as_quat())
    place = [float(v) for v in Y_TO_Z_UP.T @ t]
    _write_json(
        folder / "world2camera.json",
        {
            "translation": dict(zip(("m00", "m10", "m20"), place)),
            "rotation": {"x": x, "y": y, "z": z, "w": w},
        },
    )


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8", newline="\n")
