"""``bench raster``: one body drawn at 1280x720, against plain numpy."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from app.cli.bench.report import JsonOption, report, timings


def raster(
    repeats: Annotated[int, typer.Option(min=1, help="How often.")] = 40,
    as_json: JsonOption = False,
) -> None:
    """The rasterizer on one body at 1280x720 (target: 10 ms for 10,000 vertices)."""
    import numpy as np

    from backends.body import BodyParams, load_body, posed_vertices
    from backends.camera import assumed_camera
    from backends.render import Mesh, rasterize

    body = load_body()
    camera = assumed_camera(1280, 720)
    pose = np.zeros((55, 3))
    pose[0] = (np.pi, 0.0, 0.0)  # the body's y axis is up, the camera's down
    params = BodyParams(np.zeros(body.n_betas), pose, np.array([0.0, 0.0, 3.6]))
    vertices = posed_vertices(body, params)
    mesh = Mesh(vertices.astype(np.float32), body.faces, np.array((200, 180, 170), np.uint8))
    small = Mesh(*_ellipsoid(100, 100), mesh.colors)
    rows: list[dict[str, Any]] = []
    slow = timings(lambda: _numpy_depth(vertices, body.faces, camera.K, 1280, 720), 1, warm=0)
    for what, m in (("ellipsoid of 10,000 vertices", small), (f"body of {body.n_vertices:,} vertices", mesh)):
        for threads in (2, 1):
            taken = 1e3 * timings(partial(rasterize, [m], camera, threads=threads), repeats)
            rows.append(
                {
                    "what": f"rasterize, {what}, {threads} thread{'s' if threads > 1 else ''}",
                    "median_ms": float(np.median(taken)), "p95_ms": float(np.percentile(taken, 95)),
                    "times_faster": float(1e3 * slow[0] / np.median(taken)),
                }
            )  # fmt: skip
    skin = 1e3 * timings(lambda: posed_vertices(body, params), repeats)
    rows.append(
        {"what": "posing the vertices (not in the above)", "median_ms": float(np.median(skin)),
         "p95_ms": float(np.percentile(skin, 95)), "times_faster": float("nan")}
    )  # fmt: skip
    rows.append(
        {"what": "baseline: numpy, a face at a time, depth only", "median_ms": float(1e3 * slow[0]),
         "p95_ms": float("nan"), "times_faster": 1.0}
    )  # fmt: skip
    report("raster, 1280x720", rows, as_json)


def _ellipsoid(rings: int, segments: int) -> tuple[Any, Any]:
    """A person-sized ellipsoid 3.6 m away: (rings * segments, 3) vertices and their faces."""
    import numpy as np

    polar = np.linspace(1e-3, np.pi - 1e-3, rings)[:, None]
    around = np.linspace(0.0, 2 * np.pi, segments, endpoint=False)[None]
    x = 0.27 * np.sin(polar) * np.cos(around)
    y = 0.87 * np.cos(polar) + 0.0 * around
    z = 0.20 * np.sin(polar) * np.sin(around) + 3.6
    ring, segment = np.meshgrid(np.arange(rings - 1), np.arange(segments), indexing="ij")
    a = (ring * segments + segment).reshape(-1)
    b = (ring * segments + (segment + 1) % segments).reshape(-1)
    faces = np.concatenate([np.stack([a, b, a + segments], 1), np.stack([b, b + segments, a + segments], 1)])
    return np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32), faces.astype(np.int32)


def _numpy_depth(vertices: Any, faces: Any, K: Any, width: int, height: int) -> Any:
    """The baseline: barycentric coordinates of each face's box in numpy, nearest depth kept."""
    import numpy as np

    z = vertices[:, 2]
    xy = vertices[:, :2] / z[:, None] * (K[0, 0], K[1, 1]) + (K[0, 2], K[1, 2])
    depth = np.full((height, width), np.inf)
    for face in faces:
        (ax, ay), (bx, by), (cx, cy) = xy[face]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        x0, x1 = max(int(min(ax, bx, cx)), 0), min(int(max(ax, bx, cx)) + 2, width)
        y0, y1 = max(int(min(ay, by, cy)), 0), min(int(max(ay, by, cy)) + 2, height)
        if area == 0 or x0 >= x1 or y0 >= y1:
            continue
        px, py = np.arange(x0, x1)[None], np.arange(y0, y1)[:, None]
        u = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
        v = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
        w = 1.0 - u - v
        inside = (u >= 0) & (v >= 0) & (w >= 0)
        near = 1.0 / (u / z[face[0]] + v / z[face[1]] + w / z[face[2]] + 1e-12)
        box = depth[y0:y1, x0:x1]
        np.copyto(box, near, where=inside & (near < box))
    return depth
