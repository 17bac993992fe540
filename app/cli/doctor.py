"""``understudy doctor``: what works on this machine and what is missing."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from app import system
from app.cli import console

State = Literal["works", "limited", "missing"]
_COLOURS: dict[State, str] = {"works": "green", "limited": "yellow", "missing": "red"}
_CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
_PACKAGES = (
    "PySide6_Essentials", "vispy", "PyOpenGL", "pyqtgraph", "torch", "smplx", "roma", "av",
    "opencv-python-headless", "numba", "ai-edge-litert", "onnxruntime", "onnx", "trimesh", "typer", "rich",
    "pydantic", "platformdirs", "scipy", "numpy", "safetensors",
)  # fmt: skip
_PROBE_S = 60

_WINDOW_PROBE = """
import json, sys
from PySide6 import __version__
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
app = QGuiApplication(["doctor"])
surface = QOffscreenSurface(); surface.create()
context = QOpenGLContext()
found = {"qt": __version__, "platform": app.platformName(), "screen": None, "renderer": None, "gl": None}
screen = app.primaryScreen()
if screen is not None:
    found["screen"] = f"{screen.size().width()} x {screen.size().height()}"
if context.create() and context.makeCurrent(surface):
    from OpenGL import GL
    found["renderer"] = GL.glGetString(GL.GL_RENDERER).decode()
    found["gl"] = GL.glGetString(GL.GL_VERSION).decode()
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``needed`` where the command line cannot do its work without it."""

    name: str
    state: State
    detail: str
    hint: str = ""
    needed: bool = False


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Say what works on this machine and what is missing: packages, window, GPU, networks, video.

    Ends with 1 where something is missing that a run or an export needs.
    """
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python, _packages, _body, _networks, _video, _device, _libraries, _window, _folders,
    )  # fmt: skip
    findings = [finding for check in checks for finding in check()]
    broken = any(f.needed and f.state == "missing" for f in findings)
    if as_json:
        console.print_json({"sound": not broken, "findings": [asdict(f) for f in findings]})
    else:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for f in findings:
            hint = f"\n[dim]{escape(console.localised(f.hint))}[/]" if f.hint else ""
            table.add_row(f"[{_COLOURS[f.state]}]{f.state}[/]", f.name, escape(f.detail) + hint)
        console.out.print(table)
    raise typer.Exit(1 if broken else 0)


def _python() -> Iterator[Finding]:
    cores = os.cpu_count() or 1
    yield Finding(
        "Python", "works", f"{platform.python_version()}, {platform.platform()}, {cores} cores", needed=True
    )


def _packages() -> Iterator[Finding]:
    from app.bootstrap import normalised, read_pins

    pins = read_pins(_CONSTRAINTS.read_text(encoding="utf-8")) if _CONSTRAINTS.is_file() else {}
    missing, other = [], []
    for name in _PACKAGES:
        pin = pins.get(normalised(name), "").partition("==")[2]
        try:
            found = version(name).partition("+")[0]
        except PackageNotFoundError:
            missing.append(name)
            continue
        if pin and found != pin:
            other.append(f"{name} {found} instead of {pin}")
    if missing:
        yield Finding(
            "Packages", "missing", ", ".join(missing), "Start with main.py: it installs them.", needed=True
        )
    elif other:
        yield Finding("Packages", "limited", "; ".join(other), "Only the pinned versions were tested.")
    else:
        yield Finding("Packages", "works", f"{len(_PACKAGES)} in the tested versions", needed=True)


def _body() -> Iterator[Finding]:
    from backends.body import load_body
    from backends.errors import BackendError

    try:
        body = load_body()
    except BackendError as error:
        yield Finding("Body", "missing", str(error), "Get the program anew.", needed=True)
    else:
        yield Finding("Body", "works", f"{body.name}, {body.n_vertices:,} vertices", needed=True)


def _networks() -> Iterator[Finding]:
    from app.models.store import ModelStore

    store = ModelStore()
    for entry in store.entries():
        status = store.status(entry.id)
        if status.state == "installed":
            yield Finding(f"Network {entry.id}", "works", entry.purpose, needed=entry.default)
        elif entry.default or status.state == "damaged":
            hint = f"Type: understudy models install {entry.id}"
            yield Finding(f"Network {entry.id}", "missing", status.state, hint, needed=entry.default)


def _video() -> Iterator[Finding]:
    import av
    from av.codec import Codec

    def has(name: str, mode: Literal["r", "w"]) -> bool:
        try:
            Codec(name, mode)
        except (av.FFmpegError, ValueError):
            return False
        return True

    lost = [n for n in ("h264", "hevc", "mpeg4", "vp9", "mjpeg", "prores") if not has(n, "r")]
    lost_out = [n for n in ("libx264", "aac") if not has(n, "w")]
    if lost_out:
        yield Finding("Video", "missing", f"cannot write {', '.join(lost_out)}", needed=True)
    elif lost:
        yield Finding("Video", "limited", f"cannot read {', '.join(lost)}", needed=True)
    else:
        yield Finding("Video", "works", f"PyAV {av.__version__}: reads and writes H.264", needed=True)


def _device() -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("PyTorch", "missing", f"does not load: {error}", "Start with main.py.")
        return
    if torch.cuda.is_available():
        yield Finding("GPU", "works", str(torch.cuda.get_device_name(0)))
    elif torch.backends.mps.is_available():
        yield Finding("GPU", "works", "Apple (MPS)")
    else:
        yield Finding("GPU", "limited", "none: everything runs on the processor")


def _libraries() -> Iterator[Finding]:
    missing = system.missing_libraries()
    if missing:
        line = f"Type: {system.install_line(missing)}"
        yield Finding("System libraries", "missing", ", ".join(missing), line)
    else:
        yield Finding("System libraries", "works", "all that the window needs")


def _window() -> Iterator[Finding]:
    environment = dict(os.environ)
    screen = system.has_screen()
    if not screen:
        environment["QT_QPA_PLATFORM"] = "offscreen"
    try:
        # In a child: a broken driver ends the process that asks it.
        done = subprocess.run(
            [sys.executable, "-c", _WINDOW_PROBE], capture_output=True, text=True, env=environment,
            timeout=_PROBE_S, check=False,
        )  # fmt: skip
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        yield Finding("Window", "missing", "Qt cannot start", "See 'System libraries' above.")
        return
    if not screen:
        yield Finding("Window", "limited", f"Qt {found['qt']} starts, but there is no screen")
        return
    yield Finding("Window", "works", f"Qt {found['qt']} on {found['platform']}, screen {found['screen']}")
    if found["renderer"]:
        yield Finding("OpenGL", "works", f"{found['renderer']}, {found['gl']}")
    else:
        yield Finding("OpenGL", "missing", "no context", "Install the graphics driver, or libgl1-mesa-dri.")


def _folders() -> Iterator[Finding]:
    from app.models.store import default_root

    root = default_root()
    near = next((p for p in (root, *root.parents) if p.exists()), root)
    if os.access(near, os.W_OK):
        yield Finding("Networks folder", "works", str(root))
    else:
        hint = "Set UNDERSTUDY_MODELS to a folder of yours."
        yield Finding("Networks folder", "limited", f"{root} cannot be written", hint)
