"""``bench depth``: what a depth sensor adds to bodies fitted from one camera."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.cli import console
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible

_SCENES = (("or", 6, 71), ("interview", 2, 72))
"""Other scenes than those on which the thickness of clothes was found."""
_KEYPOINTS = {
    False: "keypoints with noise of 1 % of the size, landmarks of 3 cm (6 cm in depth)",
    True: "keypoints, landmarks and masks as the networks find them",
}


def depth(
    frames: Annotated[int, typer.Option(min=5, help="Frames of each scene, ten a second.")] = 20,
    cameras: Annotated[int, typer.Option(min=1, max=6, help="Cameras, each fitted by itself.")] = 2,
    detected: Annotated[
        bool,
        typer.Option("--detected", help="Keypoints and masks as the networks find them."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit drawn people from one camera, without and with its depth sensor, and compare with the truth."""
    from app.cli.bench.depth_people import fitted
    from app.pipeline.engine import default_engine
    from backends.body import load_body

    body = load_body()
    rows: list[dict[str, Any]] = []
    with Interruptible() as control:
        for preset, people, seed in _SCENES:
            console.err.print(f"Drawing and fitting {preset}", markup=False)
            found = fitted(
                body, preset, people=people, cameras=cameras, frames=frames, seed=seed,
                engine=default_engine() if detected else None, check=control.check,
            )  # fmt: skip
            for known, both in found.items():
                if both[True].joints:
                    rows += _rows(f"{preset}, lens {'known' if known else 'told by people'}", both)
    report(
        "depth", rows, as_json,
        f"Drawn people, 1280x720, {_KEYPOINTS[detected]}; the sensor's noise grows with the square of the "
        "distance, it has holes at edges and ends at 7 m. MPJPE and the pelvis in the camera's coordinates, "
        "nothing aligned; PA-MPJPE aligned. Bodies as a run ends with them; milliseconds of processor time a "
        "person and frame, fit and judgement.",
    )  # fmt: skip


def _rows(what: str, found: Any) -> list[dict[str, Any]]:
    import numpy as np

    bare, deep = found[False], found[True]
    n = f"{what}, {len(deep.joints)} bodies"

    def row(name: str, unit: str, value: Any) -> dict[str, Any]:
        a, b = float(value(bare)), float(value(deep))
        share = b / a if a else float("nan")
        return {"what": name, "without": a, "with depth": b, "unit": unit, "share": share}

    def held(e: Any) -> float:
        return 100 * float((np.stack(e.sites) <= np.stack(e.bounds)).mean())

    return [
        row(f"{n}: MPJPE", "mm", lambda e: np.mean(e.joints)),
        row("    pelvis along the camera's axis", "mm", lambda e: np.mean(e.pelvis)),
        row("    PA-MPJPE", "mm", lambda e: np.mean(e.aligned)),
        row("    expected error of sites, mean", "mm", lambda e: np.mean(np.stack(e.expected))),
        row("    error of sites, mean", "mm", lambda e: np.mean(np.stack(e.sites))),
        row("    90 % bounds hold", "%", held),
        row("    fit of a frame, median", "ms", lambda e: np.median(e.ms)),
    ]
