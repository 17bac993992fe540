"""A contact sheet of a rendered data set: pictures, the truth drawn over them, depth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.datasets.open import open_truth
from app.datasets.pictures import read_grey
from app.datasets.types import TruePerson
from app.footage import open_footage
from app.picture_sheet import PictureSheet
from backends.keypoints.layout import SKELETON
from backends.render import Mesh, composite, rasterize

U1 = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

_COLUMNS = ("Picture", "Truth: body, keypoints, face", "Depth from the sensor (black: none)")
_TINTS: tuple[Color, ...] = (
    (86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
    (204, 121, 167), (160, 160, 160),
)  # fmt: skip
"""Okabe and Ito's colours: they can be told apart by everybody."""
_FAR_MM = 7000.0


def contact_sheet(folder: Path, path: Path, rows: int = 4) -> None:
    """Draw a data set of the program's own layout as one picture; each row shows another time and camera.

    Raises:
        DataSetError, FootageError: the data set is damaged. StorageError: it cannot be written.
    """
    truth = open_truth(folder)
    views = truth.views
    n = views[0].n_frames
    times = np.linspace(0, n - 1, rows + 2).round().astype(int)[1:-1] if n > rows else np.arange(n)
    first = views[0].frame(0).camera
    assert first is not None
    sheet = PictureSheet(_COLUMNS, len(times), first.height / first.width)
    for row, index in enumerate(int(t) for t in times):
        view = views[row % len(views)]
        assert isinstance(view.source, Path)
        with open_footage(view.source) as footage:
            image = footage.frame(index)
        depth = read_grey(folder / "depth" / view.name / f"{index:06d}.png", np.uint16)
        cells = (image, _truth_over(image, view.frame(index).people, view.frame(index).camera), _depth(depth))
        seconds = index / (view.fps or 1.0)
        sheet.row(row, cells, f"{view.name}  {seconds:.1f} s")
    sheet.save(path)


def _truth_over(image: U1, people: tuple[TruePerson, ...], camera: object) -> U1:
    from backends.body import load_body, posed_vertices
    from backends.camera import Camera

    assert isinstance(camera, Camera)
    body = load_body()
    meshes = [
        Mesh(posed_vertices(body, p.params), body.faces, _TINTS[(p.person_id - 1) % len(_TINTS)])
        for p in people
        if p.params is not None
    ]
    out = composite(image, rasterize(meshes, camera), opacity=0.55) if meshes else image.copy()
    for person in people:
        points = person.points_2d[0]
        for a, b in SKELETON:
            if min(points.visibility[a], points.visibility[b]) > 0:
                cv2.line(out, _pixel(points.xy[a]), _pixel(points.xy[b]), (250, 250, 250), 2, cv2.LINE_AA)
        for xy, seen in zip(points.xy, points.visibility):
            if seen:
                color = (40, 200, 120) if seen == 2 else (230, 90, 60)
                cv2.circle(out, _pixel(xy), 4, color, -1, cv2.LINE_AA)
        if person.face_box is not None and (person.face_seen or 0) > 0.3:
            low, high = _pixel(person.face_box[:2]), _pixel(person.face_box[2:])
            cv2.rectangle(out, low, high, (255, 220, 60), 2, cv2.LINE_AA)
    return out


def _pixel(xy: npt.NDArray[np.floating]) -> tuple[int, int]:
    return round(float(xy[0])), round(float(xy[1]))


def _depth(depth_mm: npt.NDArray[np.uint16]) -> U1:
    """Near is light, far is dark, holes are black."""
    share = np.clip(1 - depth_mm / _FAR_MM, 0, 1)
    grey = (40 + 210 * share).astype(np.uint8)
    colored = cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    colored[depth_mm == 0] = 0
    return np.asarray(colored, np.uint8)
