"""``bench fit``: fitting one body, against autograd and L-BFGS on the same keypoints."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from app.cli import console
from app.cli.bench.report import JsonOption, report


def fit(
    frames: Annotated[int, typer.Option(min=2, help="Frames of the rendered room.")] = 50,
    noise: Annotated[float, typer.Option(min=0, help="Noise of the keypoints, pixels.")] = 1.5,
    baseline_frames: Annotated[int, typer.Option(min=1, help="Fits of the slow baseline.")] = 4,
    as_json: JsonOption = False,
) -> None:
    """Fit bodies to the keypoints of the rendered room, whose truth is known (target: a refit in 15 ms)."""
    import numpy as np

    from backends.body import BodyParams, load_body, posed_joints
    from backends.fitting import BodyFitter

    body = load_body()
    fitter = BodyFitter(body)
    camera, series = _observations(frames, noise)
    taken: dict[str, list[float]] = {"cold": [], "warm": [], "drag": []}
    gap: dict[str, list[float]] = {"cold": [], "warm": []}
    pixels: dict[str, list[float]] = {"cold": [], "warm": [], "drag": []}
    fitter.fit(series[0][0][1], series[0][0][2], camera)  # compiles
    for person in series:
        before: BodyParams | None = None
        for truth, keypoints, world in person:
            for kind in ("cold", "warm"):
                start = None if kind == "cold" else before
                begun = time.perf_counter()
                result = fitter.fit(keypoints, world, camera, init=start, temporal=start)
                if kind == "cold" or start is not None:
                    taken[kind].append(1e3 * (time.perf_counter() - begun))
                    gap[kind].append(_aligned_mm(posed_joints(body, result.params)[:22], truth))
                    pixels[kind].append(result.rms_px)
            before = result.params
            moved = keypoints.moved(9, tuple(keypoints.xy[9] + 12.0))
            begun = time.perf_counter()
            dragged = fitter.fit(moved, world, camera, betas=before.betas, init=before)
            taken["drag"].append(1e3 * (time.perf_counter() - begun))
            pixels["drag"].append(dragged.rms_px)
    names = {"cold": "fit, no start, shape free", "warm": "fit, from the frame before, shape free",
             "drag": "refit while a wrist is dragged"}  # fmt: skip
    rows: list[dict[str, Any]] = [
        {
            "what": names[kind], "median_ms": float(np.median(taken[kind])),
            "p95_ms": float(np.percentile(taken[kind], 95)), "rms_px": float(np.median(pixels[kind])),
            "joints_mm": float(np.mean(gap[kind])) if kind in gap else float("nan"),
        }
        for kind in names
    ]  # fmt: skip
    console.err.print("Fitting with autograd, which takes a while", markup=False)
    slow, slow_px, slow_mm = [], [], []
    for truth, keypoints, _ in [person[0] for person in series][:baseline_frames]:
        begun = time.perf_counter()
        joints, rms = _autograd_fit(body, keypoints, camera)
        slow.append(1e3 * (time.perf_counter() - begun))
        slow_px.append(rms)
        slow_mm.append(_aligned_mm(joints[:22], truth))
    rows.append(
        {"what": "baseline: torch autograd, L-BFGS, keypoints only", "median_ms": float(np.median(slow)),
         "p95_ms": float(np.max(slow)), "rms_px": float(np.median(slow_px)),
         "joints_mm": float(np.mean(slow_mm))}
    )  # fmt: skip
    for row in rows:
        row["times_faster"] = rows[-1]["median_ms"] / row["median_ms"]
    note = f"{noise} px of noise on 1280x720; joints_mm: 22 body joints after Procrustes alignment, mean."
    report("fit, one person", rows, as_json, note)


def _observations(frames: int, noise: float) -> tuple[Any, list[list[tuple[Any, Any, Any]]]]:
    """The camera, and per person and frame: true joints (22, 3), noisy keypoints, world landmarks."""
    import numpy as np

    from backends.keypoints.types import Keypoints
    from backends.synthetic import make_clip, room_camera

    rng = np.random.default_rng(5)
    camera = room_camera(1280, 720)
    series: list[list[tuple[Any, Any, Any]]] = [[], [], []]
    for _, truth in make_clip(frames / 25, 25, 64, 36):
        for person in truth.people:
            xy = camera.project(person.keypoints_3d) + rng.normal(0, noise, (23, 2))
            keypoints = Keypoints(
                xy.astype(np.float32), np.full(23, 0.9, np.float32), np.full(23, 2, np.uint8),
                np.zeros(23, np.uint8),
            )  # fmt: skip
            centred = person.keypoints_3d - person.keypoints_3d[11:13].mean(axis=0)
            world = (centred + rng.normal(0, 0.03, (23, 3))).astype(np.float32)
            series[person.person_id - 1].append((person.joints[:22], keypoints, world))
    return camera, series


def _aligned_mm(found: Any, truth: Any) -> float:
    """Mean distance in mm after the best rotation, scale and shift (PA-MPJPE)."""
    import numpy as np

    a, b = found - found.mean(axis=0), truth - truth.mean(axis=0)
    u, s, vt = np.linalg.svd(a.T @ b)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (s * np.diag(flip)).sum() / (a * a).sum()
    return float(1e3 * np.linalg.norm(scale * a @ (u @ flip @ vt) - b, axis=1).mean())


def _autograd_fit(body: Any, keypoints: Any, camera: Any) -> tuple[Any, float]:
    """The baseline: the same keypoints with automatic derivatives, weak priors on pose and shape."""
    import numpy as np
    import roma
    import torch

    def tensor(a: Any) -> Any:
        return torch.as_tensor(np.ascontiguousarray(a), dtype=torch.float64)

    J0, Jd, T0, Td, W = (
        tensor(a)
        for a in (body.J_template, body.J_shapedirs, body.kp_template, body.kp_shapedirs, body.kp_weight)
    )
    K, target = tensor(camera.K), tensor(keypoints.xy)
    n = 22
    size = float(np.ptp(keypoints.xy[:, 1]))
    middle = np.linalg.inv(camera.K) @ np.append(keypoints.xy[11:13].mean(axis=0), 1.0)
    pose = torch.zeros(n, 3, dtype=torch.float64)
    pose[0, 0] = np.pi
    pose.requires_grad_(True)
    place = tensor(middle * camera.fx * 1.7 / size).requires_grad_(True)
    betas = torch.zeros(body.n_betas, dtype=torch.float64, requires_grad=True)

    def forward() -> tuple[Any, Any]:
        J = J0 + Jd @ betas
        local = roma.rotvec_to_rotmat(pose)
        G: list[Any] = []
        P: list[Any] = []
        for j, parent in enumerate(int(p) for p in body.parents):
            if parent < 0:
                G.append(local[0])
                P.append(J[0] + place)
            else:
                G.append(G[parent] @ local[j] if j < n else G[parent])
                P.append(P[parent] + G[parent] @ (J[j] - J[parent]))
        rotation, position = torch.stack(G), torch.stack(P)
        offset = position - (rotation @ J[..., None])[..., 0]
        points = torch.einsum("jrc,kjc->kr", rotation, T0 + Td @ betas) + W @ offset
        pixel = points @ K.T
        return position, pixel[:, :2] / pixel[:, 2:]

    optimiser = torch.optim.LBFGS([pose, place, betas], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimiser.zero_grad()
        _, pixel = forward()
        loss = ((pixel - target) ** 2).mean() / 4 + 0.5 * (pose[1:] ** 2).mean() + 0.05 * (betas**2).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        joints, pixel = forward()
        rms = float(((pixel - target) ** 2).sum(dim=1).mean().sqrt())
    return joints.numpy(), rms
