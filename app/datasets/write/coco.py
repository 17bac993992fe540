"""COCO person keypoints (cocodataset.org, "Data format"), with COCO-WholeBody's feet where asked for.

``images/cam01/000000.jpg`` and ``annotations/person_keypoints.json``. A person is listed where at least
one pixel is seen. A keypoint that is hidden has v = 1, a visible one v = 2; out of view it is 0, 0, 0.
Keypoints are in pixels with (0, 0) the centre of the top-left one; ``bbox`` counts from pixel edges, so
that its width is the number of pixels. Beyond COCO's own fields: ``track_id`` is the person's number
through all cameras, ``camera``, ``frame`` and ``time_s`` say where a picture belongs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np

from app.datasets.pictures import write_colour
from app.datasets.scene import SceneInfo, SceneWriter
from backends.keypoints.layout import KEYPOINT_NAMES, SKELETON
from backends.masks import encode_mask
from backends.synthetic.types import CameraFrame, PersonTruth, SceneFrame

N_BODY: Final = 17


class CocoWriter(SceneWriter):
    """Writes the layout above.

    Args:
        feet: whether to write COCO-WholeBody's six points of the feet (``foot_kpts``) too.
    """

    def __init__(self, folder: Path, info: SceneInfo, *, feet: bool = False) -> None:
        self._folder, self._info, self._feet = folder, info, feet
        for name in info.cameras:
            (folder / "images" / name).mkdir(parents=True)
        (folder / "annotations").mkdir()
        self._path = folder / "annotations" / "person_keypoints.json"
        self._images: list[dict[str, Any]] = []
        self._count = 0
        self._file: TextIO = self._path.open("w", encoding="utf-8", newline="\n")
        head = {"description": "Made by Understudy", "version": "1.0", "fps": info.fps}
        self._file.write(f'{{"info":{json.dumps(head)},"licenses":[],"annotations":[')

    def add(self, frame: SceneFrame) -> None:
        """See :meth:`SceneWriter.add`."""
        for view in frame.views:
            number = len(self._images) + 1
            name = f"{view.name}/{frame.index:06d}.jpg"
            write_colour(self._folder / "images" / name, view.image)
            self._images.append(
                {"id": number, "file_name": name, "width": view.camera.width, "height": view.camera.height,
                 "camera": view.name, "frame": frame.index, "time_s": frame.time}
            )  # fmt: skip
            for person in view.people:
                if person.box is not None:
                    self._annotate(number, view, person)

    def _annotate(self, image: int, view: CameraFrame, person: PersonTruth) -> None:
        assert person.box is not None
        x0, y0, x1, y1 = (float(v) for v in person.box)
        mask = encode_mask(view.instances == person.person_id, 0, 0)
        entry: dict[str, Any] = {
            "id": self._count + 1, "image_id": image, "category_id": 1, "track_id": person.person_id,
            "iscrowd": 0, "bbox": [x0, y0, x1 - x0 + 1, y1 - y0 + 1],
            "area": int(mask.counts[1::2].sum()),
            "segmentation": {"size": [mask.height, mask.width], "counts": mask.counts.tolist()},
            "num_keypoints": int((person.visibility[:N_BODY] > 0).sum()),
            "keypoints": _flat(person, slice(0, N_BODY)),
        }  # fmt: skip
        if self._feet:
            entry |= {"foot_kpts": _flat(person, slice(N_BODY, None)), "foot_valid": True}
        self._file.write((",\n" if self._count else "\n") + json.dumps(entry, separators=(",", ":")))
        self._count += 1

    def finish(self) -> None:
        """See :meth:`SceneWriter.finish`."""
        body = [[a + 1, b + 1] for a, b in SKELETON if max(a, b) < N_BODY]
        category = {
            "id": 1, "name": "person", "supercategory": "person", "skeleton": body,
            "keypoints": list(KEYPOINT_NAMES[:N_BODY]),
        }  # fmt: skip
        images = ",\n".join(json.dumps(image, separators=(",", ":")) for image in self._images)
        self._file.write(f'\n],"images":[\n{images}\n],"categories":[{json.dumps(category)}]}}\n')
        self._file.close()

    def abort(self) -> None:
        """See :meth:`SceneWriter.abort`."""
        self._file.close()


def _flat(person: PersonTruth, points: slice) -> list[float]:
    values: list[float] = []
    for (x, y), v in zip(person.keypoints_2d[points].tolist(), person.visibility[points].tolist()):
        values += [x, y, int(v)] if v and np.isfinite(x) else [0.0, 0.0, 0]
    return values
