"""One picture that shows what a run did: original, bodies with confidence, de-identified."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.footage import Footage
from app.picture_sheet import CELL_W, DIM, GAP, MARGIN, PictureSheet
from app.project.store import ProjectStore
from app.review.colormap import confidence_rgb
from app.review.scene import SceneBuilder
from backends.body import BodyModel
from backends.render import Mesh, composite, rasterize

U1 = npt.NDArray[np.uint8]
I4 = npt.NDArray[np.int32]

_FOOT = 72
_COLUMNS = ("Original", "Bodies with confidence", "De-identified")


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
    sheet = PictureSheet(_COLUMNS, len(frames), original.height / original.width, _FOOT)
    builder = SceneBuilder(store, body, store.camera())
    for row, frame in enumerate(int(f) for f in frames):
        image = original.frame(frame)
        covered = deidentified.frame(frame)[: original.height, : original.width]
        bodies = bodies_over(image, frame, store, builder, body.faces)
        sheet.row(row, (image, bodies, covered), f"{original.times[frame]:.2f} s")
    _legend(sheet, sheet.foot + 18)
    sheet.save(path)


def _legend(sheet: PictureSheet, y: int) -> None:
    """The confidence map under the middle column, in millimetres."""
    x, w = MARGIN + CELL_W + GAP, 260
    sheet.pixels[y : y + 12, x : x + w] = confidence_rgb(np.linspace(0.0, 100.0, w))[None]
    for mm, place in ((0, 0), (50, w // 2 - 12), (100, w - 20)):
        sheet.write(f"{mm}", x + place, y + 30, 14, DIM)
    sheet.write("mm expected error", x + w + 16, y + 13, 15, DIM)
