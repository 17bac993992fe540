"""One mesh a person and frame: obj, ply or glb."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import trimesh

from app.errors import ExportError
from app.export.atomic import written_whole
from app.export.types import ExportSource, Step, Written
from app.project.records import PersonRecord
from backends.body import BodyModel, posed_vertices
from backends.confidence import confidence_rgb, vertex_mm

_FLIP = np.array([1.0, -1.0, -1.0])
"""Camera coordinates (y down, z away) to what mesh viewers expect (y up, z towards the viewer)."""


def mesh_of(source: ExportSource, person: PersonRecord) -> trimesh.Trimesh:
    """The body in metres with y up; vertex colours are its confidence.

    Raises:
        ExportError: the person has no body.
    """
    if person.body is None:
        raise ExportError(f"Person {person.track_id} has no body in frame {person.frame}.")
    params, _ = source.export_body.of(person.track_id, person.body.params)
    body, known = source.export_body.model, person.confidence
    vertices = posed_vertices(body, params) * _FLIP
    if known is not None:
        # How errors of single places hang together is known of the fitted body only.
        known = replace(known, sites=None) if source.export_body.carried else known
        rgb = confidence_rgb(vertex_mm(body, known))
    else:
        rgb = np.full((len(vertices), 3), 180, np.uint8)
    rgba = np.concatenate([rgb, np.full((len(rgb), 1), 255, np.uint8)], axis=1)
    return trimesh.Trimesh(vertices, body.faces, vertex_colors=rgba, process=False)


def write_meshes(source: ExportSource, target: Path, suffix: str, step: Step) -> Written:
    """Write the folder ``target`` with ``<frame>_person<id>.<suffix>``; suffix "obj", "ply" or "glb".

    Raises:
        ExportError, StorageError: a mesh cannot be written or read back.
    """
    count = 0
    with written_whole(target) as part:
        part.mkdir(parents=True)
        for frame, people in source.people(step):
            source.control.check()
            for person in people:
                if person.body is None:
                    continue
                path = part / f"{frame:06d}_person{person.track_id}.{suffix}"
                data = mesh_of(source, person).export(file_type=suffix)
                path.write_bytes(data if isinstance(data, bytes) else str(data).encode("ascii"))
                _check(path, source.export_body.model)
                count += 1
        if len(list(part.iterdir())) != count:
            raise ExportError("Not every mesh was written. Export again.")
    return Written(f"meshes_{suffix}", target, count, "meshes")


def _check(path: Path, body: BodyModel) -> None:
    """Read a mesh back and count.

    Raises:
        ExportError: it does not open, or lacks vertices, faces or colours.
    """
    try:
        back = trimesh.load(path, force="mesh", process=False, maintain_order=True)
    except ValueError as error:
        raise ExportError(f"The written mesh {path.name} cannot be read back. Export again.") from error
    if len(back.vertices) != body.n_vertices or len(back.faces) != len(body.faces):
        raise ExportError(f"The written mesh {path.name} is not whole. Export again.")
