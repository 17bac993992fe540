"""The depth that an open project's runs read, for the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.footage import Footage
from app.footage.depth import find_depth
from app.pipeline.depth import DepthChoice, choose_depth, chosen_depth, is_decided, project_depth
from app.project.store import ProjectStore


class DepthSetting:
    """Which depth belongs to a project's footage; ``writable`` raises where nothing may be changed."""

    def __init__(self, store: ProjectStore, footage: Footage, writable: Callable[[], None]) -> None:
        self._store, self._footage, self._writable = store, footage, writable

    @property
    def name(self) -> str:
        """The file or folder that runs read; "" for none."""
        choice = chosen_depth(self._store)
        return "" if choice is None else choice.path.name

    @property
    def words(self) -> str:
        """What runs read, and for how many frames.

        Raises:
            FootageError: it is not where it was, or cannot be read.
        """
        depth = project_depth(self._store, self._footage)
        if depth is None:
            return ""
        depth.close()
        return f"{depth.path.name}, in {depth.n_frames} of {self._footage.n_frames} frames"

    def use(self, path: Path | None, *, restart: bool = False) -> None:
        """Read ``path`` from the next run on, or no depth; see :func:`app.pipeline.depth.choose_depth`.

        Raises:
            FootageError: it is no depth, or not of this footage.
            ProjectError: read-only, or the project has results that were found otherwise.
        """
        self._writable()
        choose_depth(self._store, self._footage, None if path is None else DepthChoice(path), restart=restart)

    def beside(self) -> Path | None:
        """Depth that lies beside the footage and that nobody has decided about; None for none."""
        return None if is_decided(self._store) else find_depth(self._footage.path)
