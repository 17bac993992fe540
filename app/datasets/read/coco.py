"""Reads COCO person keypoints (cocodataset.org, "Data format"; feet as in COCO-WholeBody).

Keypoints: x, y, v with v = 0 not labelled, 1 labelled but hidden, 2 visible; pixels counted from the
centre of the top-left one. ``bbox`` is x, y, width, height counted from pixel edges; here boxes include
their last pixel, so x1 = x + width - 1. ``segmentation`` holds polygons, run lengths, or COCO's packed run
lengths; a polygon takes the pixels whose centres lie in it. People without keypoints, and crowds
(``iscrowd``), are left out.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError, damaged
from app.datasets.files import (
    MAX_JSON_BYTES,
    field,
    integer,
    numbers,
    read_json,
    relative,
    rows,
    table,
)
from app.datasets.layouts import COCO17, KEYPOINTS23
from app.datasets.types import JointLayout, Points2D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from backends.masks import CropMask, encode_mask

F8 = npt.NDArray[np.float64]

KIND: Final = "coco"
_MAX_SIDE = 65535
_KEYS = {"images", "annotations", "categories"}


def find(path: Path) -> Path | None:
    """The table of annotations that ``path`` is or holds; None where there is none.

    Raises:
        DataSetError: there are several to choose from.
    """
    if path.is_file():
        return path if path.suffix == ".json" and _looks_right(path) else None
    found = [
        p
        for folder in (path, path / "annotations")
        for p in sorted(folder.glob("*.json"))
        if p.is_file() and _looks_right(p)
    ]
    if len(found) > 1:
        raise DataSetError(
            f"{path.name} holds several tables of annotations ({', '.join(p.name for p in found[:5])}). "
            "Choose one of these files."
        )
    return found[0] if found else None


def _looks_right(path: Path) -> bool:
    """Whether a file begins as COCO's do; the rest is read only when it is opened."""
    with path.open("rb") as file:
        head = file.read(4096).lstrip(b"\xef\xbb\xbf \r\n\t")
    if not head.startswith(b"{"):
        return False
    return any(f'"{word}"'.encode() in head for word in ("annotations", "images", "licenses", "info"))


def open_coco(path: Path) -> TruthSet:
    """Open a table of annotations.

    One view with every picture a frame; where the table says which camera a picture is from (as the
    program's own do), one view a camera, its people numbered through it by ``track_id``.

    Raises:
        DataSetError: damaged, or no person keypoints.
    """
    value = table(path, read_json(path, MAX_JSON_BYTES), "the file")
    if not value.keys() >= _KEYS:
        raise damaged(path, f"it lacks {', '.join(sorted(_KEYS - value.keys()))}")
    images = [_image(path, e) for e in rows(path, value["images"], "images")]
    if not images:
        raise damaged(path, "it lists no pictures")
    by_image: dict[int, list[dict[str, Any]]] = defaultdict(list)
    known = {image["id"] for image in images}
    if len(known) != len(images):
        raise damaged(path, "two pictures have the same id")
    for entry in rows(path, value["annotations"], "annotations"):
        person = table(path, entry, "an annotation")
        image_id = field(path, person, "image_id")
        if not isinstance(image_id, int) or image_id not in known:
            raise damaged(path, f"an annotation is about picture {str(image_id)[:20]}, which is not listed")
        if not person.get("iscrowd") and "keypoints" in person:
            by_image[image_id].append(person)
    if not by_image:
        raise DataSetError(f"{path.name} holds no person keypoints. Choose COCO's 'person_keypoints' file.")
    info = value.get("info")
    fps = info.get("fps") if isinstance(info, dict) else None
    with_cameras = all(isinstance(image.get("camera"), str) for image in images)
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for image in images:
        groups[image["camera"] if with_cameras else path.stem].append(image)
    root = path.parent.parent if path.parent.name == "annotations" else path.parent
    views = []
    for name, members in groups.items():
        if with_cameras:
            members.sort(key=lambda image: integer(path, image.get("frame"), "frame"))
        view = _View(path, members, by_image)
        rate = float(fps) if with_cameras and isinstance(fps, int | float) and fps > 0 else None
        views.append(ReadView(name, len(members), rate, view.sources(root), view.frame))
    return TruthSet(KIND, root, tuple(views))


def _image(path: Path, entry: Any) -> dict[str, Any]:
    image = table(path, entry, "a picture")
    for key in ("width", "height"):
        integer(path, field(path, image, key), key, 1, _MAX_SIDE)
    if not isinstance(field(path, image, "id"), int) or not isinstance(field(path, image, "file_name"), str):
        raise damaged(path, "a picture has no proper id or file_name")
    return image


class _View:
    def __init__(
        self, path: Path, images: list[dict[str, Any]], people: dict[int, list[dict[str, Any]]]
    ) -> None:
        self._path, self._images, self._people = path, images, people

    def sources(self, root: Path) -> tuple[Path, ...] | None:
        """The pictures, where they are found beside the table."""
        names = [relative(self._path, image["file_name"], "file_name") for image in self._images]
        for folder in (root / "images", root, self._path.parent):
            if (folder / names[0]).is_file():
                return tuple(folder / name for name in names)
        return None

    def frame(self, index: int) -> TrueFrame:
        image = self._images[index]
        found = self._people.get(image["id"], [])
        return TrueFrame(index, tuple(_person(self._path, entry, image) for entry in found))


def _person(path: Path, entry: dict[str, Any], image: dict[str, Any]) -> TruePerson:
    number = entry.get("track_id", field(path, entry, "id"))
    points = [_points(path, entry, "keypoints", COCO17)]
    if "foot_kpts" in entry:
        feet = _points(path, entry, "foot_kpts", JointLayout("", KEYPOINTS23.joints[17:]))
        xy = np.concatenate([points[0].xy, feet.xy])
        points.append(Points2D(KEYPOINTS23, xy, np.concatenate([points[0].visibility, feet.visibility])))
    x, y, width, height = numbers(path, field(path, entry, "bbox"), "bbox", (4,))
    return TruePerson(
        integer(path, number, "a person's id", 0, 2**62),
        points_2d=tuple(points),
        box=np.array([x, y, x + width - 1, y + height - 1]),
        mask=_mask(path, entry.get("segmentation"), image["width"], image["height"]),
    )


def _points(path: Path, entry: dict[str, Any], key: str, layout: JointLayout) -> Points2D:
    values = numbers(path, entry[key], key, (3 * len(layout.joints),)).reshape(-1, 3)
    if not np.isin(values[:, 2], (0, 1, 2)).all():
        raise damaged(path, f"{key} has a visibility other than 0, 1 and 2")
    return Points2D(layout, values[:, :2].copy(), values[:, 2].astype(np.uint8))


def _mask(path: Path, value: Any, width: int, height: int) -> CropMask | None:
    if not value:
        return None
    if isinstance(value, list):
        return _of_polygons(path, value, width, height)
    said = table(path, value, "segmentation")
    size = numbers(path, field(path, said, "size"), "size", (2,))
    if tuple(size) != (height, width):
        raise damaged(path, "a segmentation is of another size than its picture")
    counts = field(path, said, "counts")
    if isinstance(counts, str):
        runs = np.array(_unpacked(path, counts), np.int64)
    else:
        runs = numbers(path, counts, "counts", (None,)).astype(np.int64)
    if (runs < 0).any() or int(runs.sum()) != width * height:
        raise damaged(path, "a segmentation's run lengths do not fill its picture")
    return _cropped(CropMask(0, 0, width, height, runs.astype(np.uint32)).decode())


def _cropped(mask: npt.NDArray[np.bool_]) -> CropMask | None:
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(ys):
        return None
    return encode_mask(mask[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1], int(xs[0]), int(ys[0]))


def _of_polygons(path: Path, polygons: list[Any], width: int, height: int) -> CropMask | None:
    mask = np.zeros((height, width), np.bool_)
    for polygon in polygons:
        corners = numbers(path, polygon, "a polygon", (None,))
        if len(corners) % 2 or len(corners) < 6:
            raise damaged(path, "a polygon has too few corners")
        _fill(mask, corners.reshape(-1, 2) - 0.5)
    return _cropped(mask)


def _fill(mask: npt.NDArray[np.bool_], corners: F8) -> None:
    """Set the pixels whose centres lie in the polygon (even-odd rule)."""
    (x0, y0), (x1, y1) = corners.T, np.roll(corners, -1, axis=0).T
    top, bottom = np.ceil(max(y0.min(), 0)), np.floor(min(y0.max(), mask.shape[0] - 1))
    for row in range(int(top), int(bottom) + 1):
        cut = (y0 <= row) != (y1 <= row)
        at = np.sort(x0[cut] + (row - y0[cut]) * (x1[cut] - x0[cut]) / (y1[cut] - y0[cut]))
        for first, last in np.clip(np.ceil(at), 0, mask.shape[1]).astype(int).reshape(-1, 2):
            mask[row, first:last] = True


def _unpacked(path: Path, text: str) -> list[int]:
    """COCO's packed run lengths: 6-bit groups, 5 bits of value each, differences to the run before last."""
    counts: list[int] = []
    at = 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            if at >= len(text) or not 48 <= ord(text[at]) < 112 or shift > 60:
                raise damaged(path, "a segmentation's packed run lengths are cut off or no run lengths")
            group = ord(text[at]) - 48
            value |= (group & 0x1F) << shift
            more = bool(group & 0x20)
            at, shift = at + 1, shift + 5
            if not more and group & 0x10:
                value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts
