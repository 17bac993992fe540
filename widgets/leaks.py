"""Findings of the audit: one key jumps there, another covers, a third releases with a reason."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.review.leaks import Leaks
from app.review.types import LEAK_ITEM, ReviewItem
from widgets.controller import Controller
from widgets.dialogs.line import ask_line
from widgets.work import Work


class LeakTool(QObject):
    """Connects the review queue with what the audit found. Signals: failed(message)."""

    failed = Signal(str)

    def __init__(self, controller: Controller, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._c = controller
        self._work = work
        card = controller.desk.review.leak
        card.cover_wanted.connect(self.cover)
        card.release_wanted.connect(self.ask_release)
        card.reopen_wanted.connect(self.reopen)
        controller.item_shown.connect(self._shown)
        controller.results_changed.connect(self._shown)
        controller.opened.connect(lambda session: card.hide())

    def current(self) -> ReviewItem | None:
        """The finding that is shown."""
        session, item_id = self._c.session, self._c.item
        if session is None or item_id is None:
            return None
        items = (i for i in session.review_items() if i.item_id == item_id and i.kind == LEAK_ITEM)
        return next(items, None)

    def _shown(self) -> None:
        card, item, session = self._c.desk.review.leak, self.current(), self._c.session
        if item is None or session is None:
            card.hide()
            return
        event = session.leaks.event(item.item_id)
        found_by = event.found_by if event is not None else ""
        picture = session.leaks.picture(item.item_id)
        card.set_leak(picture, found_by, settled=item.done, editable=not session.read_only)

    def cover(self) -> None:
        """Cover the place through all its frames."""
        item = self.current()
        if item is not None and not item.done and self._edit(lambda s: s.cover(item.item_id)):
            self._on("Covered. Export again: only a new search shows that the cover holds.")

    def ask_release(self) -> None:
        """Ask why it may stay visible."""
        item = self.current()
        if item is None or item.done:
            return
        ask_line(
            self._c.desk, "Release a finding", f"{item.title}: why may this stay visible?",
            "The reason goes into the log of edits and into the report, with your name on this machine.",
            "Release", lambda reason: self.release(item.item_id, reason),
            hint="Reason, for example: a poster on the wall", longest=500,
        )  # fmt: skip

    def release(self, item_id: str, reason: str) -> None:
        """It may stay visible."""
        if self._edit(lambda s: s.release(item_id, reason)):
            session = self._c.session
            none_left = session is not None and session.leaks.n_open == 0
            self._on("Released. Nothing is open any more." if none_left else "Released.")
            if none_left:
                self._work.verify()

    def reopen(self) -> None:
        """Take a decision back."""
        item = self.current()
        if item is not None and item.done:
            self._edit(lambda s: s.reopen(item.item_id))

    def _on(self, message: str) -> None:
        """Say so and go to the next finding that is open."""
        rest = [i.item_id for i in self._c.items() if i.kind == LEAK_ITEM]
        if rest:
            self._c.show_item(rest[0])
        self._c.desk.status.show_message(message)

    def _edit(self, change: Callable[[Leaks], object]) -> bool:
        return self._c.edit(lambda session: change(session.leaks), self.failed.emit)
