"""Who draws: a graphics card, or the processor that has better things to do."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtGui import QOffscreenSurface, QOpenGLContext

_SOFTWARE = ("llvmpipe", "softpipe", "swiftshader", "gdi generic", "microsoft basic")
_GL_RENDERER = 0x1F01


@lru_cache(maxsize=1)
def renderer_name() -> str:
    """OpenGL's name of what draws, or "" where there is no OpenGL."""
    context = QOpenGLContext()
    surface = QOffscreenSurface()
    surface.create()
    if not (context.create() and context.makeCurrent(surface)):
        return ""
    name = context.functions().glGetString(_GL_RENDERER)
    context.doneCurrent()
    return str(name or "")


def edge_samples() -> int:
    """Samples a pixel for smooth edges: four on a card; on the processor they would double each frame."""
    name = renderer_name().lower()
    return 0 if not name or any(word in name for word in _SOFTWARE) else 4
