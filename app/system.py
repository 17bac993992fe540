"""What Qt and OpenGL need of the operating system. Standard library only.

Linux desktops have these libraries; bare machines and containers do not. On Windows and macOS the
packages bring everything.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
"""Shared library -> its package on Debian and Ubuntu."""

_DRIVERS = "libgl1-mesa-dri"
_DRIVER_PLACES = ("/usr/lib/*/dri", "/usr/lib/dri", "/usr/lib64/dri", "/usr/lib/*/gbm", "/usr/lib64/gbm")

VIRTUAL_SCREEN = ("xvfb-run", "-a", "-s", "-screen 0 1600x1000x24 +extension GLX")
VIRTUAL_SCREEN_PACKAGES = ("xvfb", "xauth")


def missing_libraries() -> list[str]:
    """Debian names of the packages whose libraries cannot be loaded; empty where all is well."""
    if not sys.platform.startswith("linux"):
        return []
    missing = [package for library, package in LIBRARIES.items() if not _loads(library)]
    if not any(any(Path("/").glob(place.lstrip("/") + "/*")) for place in _DRIVER_PLACES):
        missing.append(_DRIVERS)
    return missing


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def can_install() -> bool:
    """True as root on Debian, Ubuntu and their relatives."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_line(packages: Sequence[str]) -> str:
    """The one line to type."""
    if sys.platform.startswith("linux") and shutil.which("apt-get") is None:
        return f"your package manager's command for (Debian's names): {' '.join(packages)}"
    return f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"


def install(packages: Sequence[str]) -> bool:
    """Install Debian packages; False where that is not possible here or fails."""
    if not can_install():
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    return done.returncode == 0  # whether the lists could be refreshed matters only if this fails


def provide_libraries(say: Callable[[str], None], *, may_install: bool = True) -> bool:
    """Check the libraries of the window; install them as root, else say what to type.

    Returns:
        True where nothing is missing any more. What is missing concerns only the window.
    """
    missing = missing_libraries()
    if not missing:
        return True
    if may_install and can_install():
        say(f"Installing system libraries for the window: {' '.join(missing)}")
        if install(missing) and not missing_libraries():
            return True
    say("The window needs system libraries that are not here. Type:")
    say(f"  {install_line(missing)}")
    return False


def needs_virtual_screen() -> bool:
    """True on Linux without a screen."""
    return sys.platform.startswith("linux") and not has_screen()


def has_screen() -> bool:
    """True where a window can be shown."""
    on_linux = sys.platform.startswith("linux")
    return not on_linux or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def have_virtual_screen() -> bool:
    """True where the virtual screen's program is installed."""
    return shutil.which(VIRTUAL_SCREEN[0]) is not None and shutil.which("xauth") is not None
