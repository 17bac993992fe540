"""One picture that shows what a run did: original, bodies with confidence, de-identified."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.errors import StorageError
from app.footage import Footage
from app.project.store import ProjectStore
from app.review.colormap import confidence_rgb
from app.review.scene import SceneBuilder
from backends.body import BodyModel
from backends.render import Mesh, composite, rasterize

U1 = npt.NDArray[np.uint8]
I4 = npt.NDArray[np.int32]

_CELL_W = 560
_GAP = 14
_MARGIN = 28
_HEAD = 92
_FOOT = 72
_BACK, _TEXT, _DIM = (18, 21, 26), (231, 234, 240), (152, 162, 179)
_COLUMNS = ("Original", "Bodies with confidence", "De-identified")


def _write(
    sheet: U1, text: str, x: int, y: int, size: int, color: tuple[int, int, int], weight: int = 400
) -> None:
    cv2.putText(sheet, text, (x, y), color, cv2.FontFace("sans"), size, weight)


def bodies_over(image: U1, frame: int, store: ProjectStore, builder: SceneBuilder, faces: I4) -> U1:
    """The frame with everybody's body in the colours of its confidence."""
    tracks = {t.track_id: t for t in store.tracks()}
    people = builder.scene(frame, tracks, processed=True).people
    meshes = [
        Mesh(p.vertices, faces, p.vertex_rgb)
        for p in people
        if p.vertices is not None and p.vertex_rgb is not None
    ]
    if not meshes:
        return image
    return composite(image, rasterize(meshes, store.camera()), opacity=0.92)


def contact_sheet(
    original: Footage, deidentified: Footage, store: ProjectStore, body: BodyModel, path: Path, rows: int = 4
) -> None:
    """Write the sheet as png.

    Raises:
        StorageError: when it cannot be written.
        FootageError: when a frame cannot be read.
    """
    n = min(original.n_frames, deidentified.n_frames)
    frames = (
        np.unique(np.linspace(0, n - 1, rows + 2).round().astype(int)[1:-1]) if n > rows else np.arange(n)
    )
    cell_h = round(_CELL_W * original.height / original.width)
    width = 2 * _MARGIN + 3 * _CELL_W + 2 * _GAP
    height = _HEAD + len(frames) * (cell_h + _GAP) + _FOOT
    sheet = np.empty((height, width, 3), np.uint8)
    sheet[:] = _BACK
    for column, title in enumerate(_COLUMNS):
        _write(sheet, title, _MARGIN + column * (_CELL_W + _GAP), _HEAD - 24, 21, _TEXT, 600)
    builder = SceneBuilder(store, body, store.camera())
    for row, frame in enumerate(int(f) for f in frames):
        image = original.frame(frame)
        cells = (image, bodies_over(image, frame, store, builder, body.faces), deidentified.frame(frame))
        y = _HEAD + row * (cell_h + _GAP)
        for column, cell in enumerate(cells):
            x = _MARGIN + column * (_CELL_W + _GAP)
            small = cv2.resize(
                cell[: original.height, : original.width], (_CELL_W, cell_h), interpolation=cv2.INTER_AREA
            )
            sheet[y : y + cell_h, x : x + _CELL_W] = small
        label = f"{original.times[frame]:.2f} s"
        sheet[y : y + 30, _MARGIN : _MARGIN + 84] = _BACK
        _write(sheet, label, _MARGIN + 12, y + 21, 15, _TEXT)
    _legend(sheet, height - _FOOT + 18)
    ok, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    beside = path.with_name(f".{path.name}.part")
    try:
        if not ok:
            raise OSError("the picture cannot be encoded")
        beside.write_bytes(data.tobytes())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StorageError(f"{path.name} cannot be written: {error.strerror or error}.") from error


def _legend(sheet: U1, y: int) -> None:
    """The confidence map under the middle column, in millimetres."""
    x, w = _MARGIN + _CELL_W + _GAP, 260
    sheet[y : y + 12, x : x + w] = confidence_rgb(np.linspace(0.0, 100.0, w))[None]
    for mm, place in ((0, 0), (50, w // 2 - 12), (100, w - 20)):
        _write(sheet, f"{mm}", x + place, y + 30, 14, _DIM)
    _write(sheet, "mm expected error", x + w + 16, y + 13, 15, _DIM)
