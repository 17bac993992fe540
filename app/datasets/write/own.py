"""The project's own layout, "understudy": everything that a scene knows, written exactly.

::

    dataset.json            what this is, units and conventions
    calibration.json        K, dist, R, t of each camera; R and t for each frame where it moves
    videos/cam01.mp4        colour
    depth/cam01/000000.png  uint16 millimetres along z, as a sensor gives them; 0 is a hole
    clouds/000000.ply       all cameras' points with colour, world metres
    plates/cam01.png        the empty room, as the camera sees it in frame 0
    truth/world.npz         ids, betas, pose, transl, joints, keypoints_3d, rest_pelvis, time
    truth/cam01.npz         keypoints_2d, visibility, box, seen, face_box, face_seen, head_box, face_mask
    truth/masks/cam01/000000.png  uint8: the id of the person seen in each pixel, 0 for none
    truth/heads/cam01/000000.png  uint8: the same of heads alone, with hair, cap and mask
    truth/vertices/000000.npz     float32 vertices of everybody, world metres (only where asked for)

Arrays run over frames, then people in the order of ``ids``. Boxes are x0 y0 x1 y1, the last pixel
included; NaN where there is none. The bytes of truth depend on nothing but the truth.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.datasets.clouds import fused_cloud, write_ply
from app.datasets.npz import NpzLog, save_npz
from app.datasets.pictures import write_colour, write_grey
from app.datasets.scene import CameraPath, SceneInfo, SceneWriter
from app.footage.writer import VideoWriter
from backends.body import load_body, posed_vertices
from backends.body.load import FREE_BODY
from backends.body.pose import shaped_joints
from backends.synthetic.types import CameraFrame, PersonTruth, PersonWorld, SceneFrame

FORMAT: Final = "understudy data set"
SCHEMA: Final = 1

_CONVENTIONS: Final = {
    "pixels": "x right, y down, (0, 0) is the centre of the top-left pixel",
    "camera": "OpenCV: x right, y down, z forward; x_cam = R @ x_world + t; dist is k1 k2 p1 p2 k3",
    "world": "metres, z up",
    "angles": "axis-angle, radians; joints in the order of smplx.joint_names, row 0 turns the whole body",
    "body": "transl is added after posing; the root turns about the pelvis joint (rest_pelvis + transl)",
    "keypoints": "COCO's 17, then left big toe, left small toe, left heel, and the same of the right",
    "visibility": "0 out of view, 1 hidden, 2 visible",
    "boxes": "x0 y0 x1 y1 in pixels, the last pixel included; NaN where there is none",
    "depth": "uint16 millimetres along z with a sensor's noise; 0 where it has none",
}


@lru_cache(maxsize=1)
def free_body_sha256() -> str:
    """Which body file ``pose`` and ``betas`` are about."""
    return hashlib.sha256(FREE_BODY.read_bytes()).hexdigest()


class OwnWriter(SceneWriter):
    """Writes the layout above.

    Args:
        clouds, vertices: whether to write ``clouds`` and ``truth/vertices``.
    """

    def __init__(self, folder: Path, info: SceneInfo, *, clouds: bool = True, vertices: bool = False) -> None:
        self._folder, self._info = folder, info
        self._clouds, self._vertices = clouds, vertices
        self._ids: tuple[int, ...] | None = None
        self._betas: npt.NDArray[np.float64] = np.zeros((0, 0))
        self._paths: list[CameraPath] = []
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="write")
        for name in info.cameras:
            for part in ("depth", "truth/masks", "truth/heads"):
                (folder / part / name).mkdir(parents=True)
        for part, wanted in (
            ("videos", True), ("plates", True), ("clouds", clouds), ("truth/vertices", vertices),
        ):  # fmt: skip
            if wanted:
                (folder / part).mkdir()
        for name, plate in zip(info.cameras, info.plates):
            write_colour(folder / "plates" / f"{name}.png", plate)
        rate = Fraction(info.fps).limit_denominator(1001)
        pts = np.arange(info.n_frames, dtype=np.int64)
        self._videos = [
            VideoWriter(folder / "videos" / f"{name}.mp4", info.width, info.height, pts, 1 / rate)
            for name in info.cameras
        ]
        self._world = NpzLog(folder / ".world")
        self._logs = [NpzLog(folder / f".{name}") for name in info.cameras]

    def add(self, frame: SceneFrame) -> None:
        """See :meth:`SceneWriter.add`."""
        if self._ids is None:
            self._begin(frame)
        self._add_world(frame)
        work = [self._pool.submit(self._add_view, frame.index, k, view) for k, view in enumerate(frame.views)]
        if self._clouds:
            write_ply(self._folder / "clouds" / f"{frame.index:06d}.ply", fused_cloud(frame.views))
        if self._vertices:
            self._add_vertices(frame)
        for part in work:
            part.result()

    def _begin(self, frame: SceneFrame) -> None:
        self._ids = tuple(person.person_id for person in frame.world)
        if frame.world:
            self._betas = np.stack([person.params.betas for person in frame.world])
        self._paths = [CameraPath(view) for view in frame.views]

    def _add_world(self, frame: SceneFrame) -> None:
        people = frame.world
        if tuple(p.person_id for p in people) != self._ids or any(
            not np.array_equal(p.params.betas, betas) for p, betas in zip(people, self._betas)
        ):
            raise ValueError(f"frame {frame.index} has other people than the first")

        def of(shape: tuple[int, ...], values: list[Any]) -> npt.NDArray[np.float64]:
            return np.asarray(values, np.float64).reshape(len(people), *shape)

        self._world.append("time", np.array(frame.time, np.float64))
        self._world.append("pose", of((55, 3), [p.params.pose for p in people]))
        self._world.append("transl", of((3,), [p.params.transl for p in people]))
        self._world.append("joints", of((55, 3), [p.joints for p in people]))
        self._world.append("keypoints_3d", of((23, 3), [p.keypoints_3d for p in people]))

    def _add_view(self, index: int, k: int, view: CameraFrame) -> None:
        name = self._info.cameras[k]
        self._paths[k].add(view)
        self._videos[k].write(view.image)
        write_grey(self._folder / "depth" / name / f"{index:06d}.png", view.depth_mm)
        write_grey(self._folder / "truth" / "masks" / name / f"{index:06d}.png", view.instances)
        write_grey(self._folder / "truth" / "heads" / name / f"{index:06d}.png", view.heads)
        people = {person.person_id: person for person in view.people}
        for key, row in _rows([people[i] for i in self._ids or ()]).items():
            self._logs[k].append(key, row)

    def _add_vertices(self, frame: SceneFrame) -> None:
        body = load_body()

        def vertices(person: PersonWorld) -> npt.NDArray[np.float32]:
            return posed_vertices(body, person.params).astype(np.float32)

        stack = np.asarray([vertices(p) for p in frame.world], np.float32)
        path = self._folder / "truth" / "vertices" / f"{frame.index:06d}.npz"
        save_npz(path, {"vertices": stack.reshape(len(frame.world), body.n_vertices, 3)})

    def finish(self) -> None:
        """See :meth:`SceneWriter.finish`."""
        self._pool.shutdown()
        for video in self._videos:
            video.close()
        ids = np.array(self._ids or (), np.int32)
        body = load_body()
        pelvis = [shaped_joints(body, betas)[0] for betas in self._betas]
        first: dict[str, npt.NDArray[Any]] = {
            "ids": ids,
            "betas": self._betas,
            "rest_pelvis": np.asarray(pelvis, np.float64).reshape(len(ids), 3),
        }
        self._world.save(self._folder / "truth" / "world.npz", first)
        for name, log in zip(self._info.cameras, self._logs):
            log.save(self._folder / "truth" / f"{name}.npz", {"ids": ids})
        _write_json(self._folder / "calibration.json", {"cameras": [_calibration(p) for p in self._paths]})
        _write_json(self._folder / "dataset.json", self._description(len(ids)))

    def _description(self, people: int) -> dict[str, Any]:
        info = self._info
        return {
            "format": FORMAT, "schema": SCHEMA, "preset": info.preset, "seed": info.seed, "fps": info.fps,
            "frames": info.n_frames, "width": info.width, "height": info.height,
            "cameras": list(info.cameras), "people": people,
            "body": {"name": "free", "sha256": free_body_sha256(), "betas": int(self._betas.shape[1])},
            "clouds": self._clouds, "vertices": self._vertices, "heads": True,
            "conventions": _CONVENTIONS,
        }  # fmt: skip

    def abort(self) -> None:
        """See :meth:`SceneWriter.abort`."""
        self._pool.shutdown(cancel_futures=True)
        for video in self._videos:
            video.abort()
        for log in (self._world, *self._logs):
            log.close()


def _rows(people: list[PersonTruth]) -> dict[str, npt.NDArray[Any]]:
    n = len(people)
    nothing = np.full(4, np.nan, np.float32)

    def boxes(values: list[npt.NDArray[np.float32] | None]) -> npt.NDArray[Any]:
        filled = [nothing if box is None else box for box in values]
        return np.asarray(filled, np.float32).reshape(n, 4)

    return {
        "keypoints_2d": np.asarray([p.keypoints_2d for p in people], np.float64).reshape(n, 23, 2),
        "visibility": np.asarray([p.visibility for p in people], np.uint8).reshape(n, 23),
        "box": boxes([p.box for p in people]),
        "seen": np.asarray([p.seen for p in people], np.float64),
        "face_box": boxes([p.face_box for p in people]),
        "face_seen": np.asarray([p.face_seen for p in people], np.float64),
        "head_box": boxes([p.head_box for p in people]),
        "face_mask": np.asarray([p.face_mask for p in people], np.bool_),
    }


def _calibration(path: CameraPath) -> dict[str, Any]:
    camera = path.first
    R, t = path.places()
    return {
        "name": path.name, "width": camera.width, "height": camera.height, "K": camera.K.tolist(),
        "dist": camera.dist.tolist(), "assumed": camera.assumed, "moves": path.moves, "R": R, "t": t,
    }  # fmt: skip


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8", newline="\n")
