"""The never-seen map over the de-identified picture, on demand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject

from widgets.controller import Controller
from widgets.viewport.stripes import Stripes

U1 = npt.NDArray[np.uint8]


class NeverSeenTool(QObject):
    """While it is on, every de-identified frame shows which parts of its room were filled in."""

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._c = controller
        self.on = False
        controller.scene_shown.connect(self._want)
        controller.opened.connect(lambda session: controller.desk.viewport.set_stripes(None))

    def set_on(self, on: bool) -> None:
        """On or off; on shows the de-identified picture."""
        self.on = on
        self._c.desk.viewport.set_stripes(None)
        if on and self._c.mode not in ("deidentified", "split"):
            self._c.set_mode("deidentified")
        elif on:
            self._want(self._c.frame)
        session = self._c.session
        if on and session is not None and session.deid.background != "plate":
            self._c.desk.status.show_message("The background is the footage itself: nothing is filled in.")

    def _want(self, frame: int) -> None:
        session = self._c.session
        if not self.on or session is None or session.deid.background != "plate":
            return
        if self._c.mode in ("deidentified", "split"):
            session.preview_never_seen(frame, self._c.bridge.to_window(self._arrived))

    def _arrived(self, frame: int, rgba: U1) -> None:
        if self.on and self._c.session is not None and frame == self._c.frame:
            self._c.desk.viewport.set_stripes(Stripes(frame, rgba))
