"""``understudy info``: the program, a project, or footage in numbers."""

from __future__ import annotations

import platform
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import console

_SQLITE_MAGIC = b"SQLite format 3\x00"
_PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def program_version() -> str:
    """The program's version."""
    try:
        return version("understudy")
    except PackageNotFoundError:  # run from a checkout
        return str(tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]["version"])


def version_text() -> str:
    """Version, Python and system in one line."""
    return f"Understudy {program_version()}, Python {platform.python_version()}, {platform.system()}"


def info(
    path: Annotated[
        Path | None, typer.Argument(help="A project or footage; the program itself if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say what a project or a video holds."""
    if path is None:
        facts = _program()
    elif _is_project(path):
        facts = _project(path)
    else:
        facts = _footage(path)
    if as_json:
        console.print_json(facts)
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        shown = _shown(value)
        console.out.print(f"{name.replace('_', ' '):{width}}  {shown}", soft_wrap=True, markup=False)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return "".join(f"\n    {item}" for item in value) or "none"
    return str(value)


def _is_project(path: Path) -> bool:
    if path.suffix == ".understudy":
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    except OSError:
        return False


def _program() -> dict[str, Any]:
    from app.models.store import ModelStore

    store = ModelStore()
    return {
        "version": program_version(), "python": platform.python_version(), "system": platform.platform(),
        "networks_folder": str(store.root),
        "networks": [e.id for e in store.entries() if store.has(e.id)],
    }  # fmt: skip


def _footage(path: Path) -> dict[str, Any]:
    import numpy as np

    from app.footage import open_footage

    with open_footage(path) as footage:
        steps = np.diff(footage.pts)
        return {
            "file": footage.path.name, "kind": footage.kind, "width": footage.width, "height": footage.height,
            "frames": footage.n_frames, "seconds": round(float(footage.times[-1]), 3),
            "frames_per_second": round(footage.fps, 3),
            "variable_rate": bool(len(steps) and steps.min() != steps.max()),
            "sound": footage.has_audio, "sha256": footage.sha256(),
        }  # fmt: skip


def _project(path: Path) -> dict[str, Any]:
    from app.pipeline.bodies import project_ref
    from app.pipeline.depth import chosen_depth
    from app.pipeline.focal_stage import focal_word
    from app.project.store import ProjectStore

    store = ProjectStore.open(path)
    try:
        footage, camera = store.footage(), store.camera()
        depth = chosen_depth(store)
        processed = sum(last - first + 1 for first, last in store.processed())
        corrected = store.query("SELECT count(*) FROM observations WHERE reviewed = 1")[0][0]
        exports = store.query("SELECT at FROM exports ORDER BY id")
        people = []
        for track in store.tracks():
            span = store.track_span(track.track_id)
            where = f"frames {span[0]} to {span[1]}" if span else "no frames"
            people.append(f"{track.name}, {where}{', hidden' if track.hidden else ''}")
        return {
            "project": path.name, "footage": footage.path.name, "footage_is_there": footage.path.exists(),
            "width": footage.width, "height": footage.height, "frames": footage.n_frames,
            "focal_length": f"{camera.fx:.0f} pixels, {focal_word(camera)}",
            "body": project_ref(store).name, "depth": depth.path.name if depth is not None else "none",
            "processed_frames": processed, "people": people, "corrected": int(corrected),
            "exports": [row["at"] for row in exports], "read_only": store.read_only,
        }  # fmt: skip
    finally:
        store.close()
