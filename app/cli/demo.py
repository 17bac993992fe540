"""``understudy demo``: everything once, on a clip that the program makes itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import console
from app.cli.progress import Interruptible, ProgressView
from app.cli.window import show_window
from app.pipeline.job import Control
from app.system import has_screen


@dataclass
class _Times:
    """What was done and how long it took."""

    rows: list[tuple[str, float]] = field(default_factory=list)
    _start: float = field(default_factory=time.monotonic)

    def done(self, what: str) -> None:
        now = time.monotonic()
        self.rows.append((what, now - self._start))
        console.err.print(f"  {what}: {console.duration(now - self._start)}", markup=False)
        self._start = now


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for everything.")] = Path(
        "demo_output"
    ),
    seconds: Annotated[float, typer.Option(min=0.2, max=600, help="Length of the clip.")] = 8.0,
    people: Annotated[int, typer.Option(min=1, max=8, help="People in the room.")] = 4,
    width: Annotated[int, typer.Option(min=320, max=3840, help="Width of the clip, pixels.")] = 1280,
    seed: Annotated[int, typer.Option(help="Another number, other movements.")] = 0,
    window: Annotated[bool, typer.Option(help="Open the window at the end where there is a screen.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make a clip of an operating room, find the people, fit bodies, and export it de-identified."""
    from app.demo import write_demo_clip

    with Interruptible() as control, ProgressView() as view:
        times = _Times()
        output.mkdir(parents=True, exist_ok=True)
        clip, project = output / "operating_room.mp4", output / "operating_room.understudy"
        for old in (project, *_sidecars(project)):
            old.unlink(missing_ok=True)
        frames = write_demo_clip(clip, control, view, seconds=seconds, people=people, width=width, seed=seed)
        times.done(f"Drew {frames} frames of a room with {people} people")
        result = _process(clip, project, output, control, view, times)
    result = {**result, "frames": frames, "times_s": {what: round(s, 2) for what, s in times.rows}}
    if as_json:
        console.print_json(result)
    else:
        _tell(result, times)
    if window and has_screen() and not as_json:
        raise typer.Exit(show_window(project=project))


def _sidecars(project: Path) -> tuple[Path, ...]:
    from app.project.database import sidecars

    return sidecars(project)


def _process(
    clip: Path, project: Path, output: Path, control: Control, view: ProgressView, times: _Times
) -> dict[str, Any]:
    from app.cli.contact_sheet import contact_sheet
    from app.cli.documents import project_of
    from app.export.run import run_export
    from app.footage import open_footage
    from app.pipeline.bodies import project_body
    from app.pipeline.engine import default_engine
    from app.pipeline.run import run_pipeline
    from app.review.deid import store_deid
    from app.review.types import DeidSettings, ExportRequest, RunOptions

    engine = default_engine()
    with project_of(clip, project) as (store, footage):
        # Staff in scrubs: nobody who opens the demo is met by bare mannequins.
        deid = DeidSettings()
        store_deid(store, deid)
        found = run_pipeline(store, footage, engine, RunOptions(), control, view)
        times.done(f"Found {found['people']} people and fitted their bodies")
        # Overwriting: the demo may be run again. It shows even a frame where somebody was missed.
        request = ExportRequest(output, overwrite=True, allow_uncovered=True)
        written = run_export(store, footage, project_body(store), request, deid, control, view)
        times.done("Exported the de-identified video and the data, each file checked")
        files = [Path(f) for f in written["files"]]
        video = next(f for f in files if f.suffix == ".mp4")
        sheet = output / "contact_sheet.png"
        with open_footage(output / video.name) as deidentified:
            contact_sheet(footage, deidentified, store, project_body(store), sheet)
        times.done("Drew the contact sheet")
    return {
        "folder": str(output.resolve()), "clip": clip.name, "project": project.name,
        "people": found["people"],
        "frames_with_people": found["frames_with_people"], "files": [f.name for f in files],
        "contact_sheet": sheet.name,
    }  # fmt: skip


def _tell(result: dict[str, Any], times: _Times) -> None:
    total = sum(seconds for _, seconds in times.rows)
    console.out.print(f"\n{result['folder']}  ({console.duration(total)})", soft_wrap=True, markup=False)
    for name, what in (
        (result["clip"], "the clip, drawn by the program"),
        (result["project"], "the project: open it in the window"),
        *((name, _what(name)) for name in result["files"]),
        (result["contact_sheet"], "original, bodies with confidence, de-identified, at several times"),
    ):  # fmt: skip
        console.out.print(f"  {name:44} {what}", soft_wrap=True, markup=False)


def _what(name: str) -> str:
    return next((words for ending, words in _WHAT.items() if name.endswith(ending)), "data")


_WHAT = {
    "_deidentified.mp4": "the de-identified video", "_unverified.mp4": "the same, not verified",
    "_report.html": "the report", "_report.pdf": "the same as a PDF", "_keypoints.json": "keypoints (COCO)",
    "_manifest.json": "what was written, with hashes and settings",
    "_smplx.npz": "body parameters (SMPL-X)", "_confidence.csv": "the confidence of every keypoint",
}  # fmt: skip
