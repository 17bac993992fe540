"""What a person decides about privacy: who is covered otherwise, who may be seen, free regions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from app.deidentify.plan import PersonRule, RegionFill
from app.errors import UnderstudyError
from app.review.privacy import PlanRow, Privacy
from app.review.types import REGION_FILL_LABELS
from widgets.controller import Controller
from widgets.dialogs.cover_person import CoverChoice, CoverPersonDialog
from widgets.dialogs.line import ask_line

F4 = npt.NDArray[np.float32]


class PrivacyTool(QObject):
    """Connects panel, viewport and dialogs with the plan of the open project. Signals: failed(message)."""

    failed = Signal(str)

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._c = controller
        d = controller.desk
        d.deid.region_wanted.connect(self.draw_region)
        d.deid.row_chosen.connect(self._go_to_row)
        d.deid.row_removed.connect(self._remove_row)
        d.deid.row_menu_wanted.connect(self._row_menu)
        d.people.cover_requested.connect(self.ask_cover)
        d.viewport.region_drawn.connect(self._drawn)
        d.viewport.region_placed.connect(self._placed)
        d.viewport.region_menu_wanted.connect(self._menu)
        d.viewport.region_removed.connect(self._remove_region)
        controller.scene_shown.connect(self._show_outlines)
        controller.opened.connect(lambda session: d.viewport.select_region(None))

    def _show_outlines(self, frame: int) -> None:
        session = self._c.session
        if session is not None:
            self._c.desk.viewport.set_regions(session.privacy.outlines(frame), session.leaks.marks(frame))

    # --- people -------------------------------------------------------------------------------

    def ask_cover_selected(self) -> None:
        """Ask how the chosen person is covered."""
        if self._c.person is not None:
            self.ask_cover(self._c.person)

    def ask_cover(self, person: int, rule: PersonRule | None = None) -> None:
        """Ask how a person is covered, and when; ``rule``: to change that exception."""
        session = self._c.session
        if session is None or session.read_only:
            return
        name = next((p.name for p in session.people() if p.person_id == person), "this person")
        end, here, plan = session.n_frames - 1, self._c.frame, session.privacy.plan
        rule = rule or plan.rule_for(person, here)
        marked = self._c.desk.timeline.range()
        spans = [(f"In the marked frames {marked[0] + 1} to {marked[1] + 1}", *marked)] if marked else []
        if rule is not None and (rule.first > 0 or rule.last < end):
            spans.append((f"In frames {rule.first + 1} to {rule.last + 1}, as now", rule.first, rule.last))
        spans.append(("In all frames", 0, end))
        if here > 0:
            spans.append((f"From here on (frame {here + 1})", here, end))
        if here < end:
            spans.append((f"Up to here (frame {here + 1})", 0, here))
        dialog = CoverPersonDialog(
            person, name, plan.default, spans, self._c.desk, rule=rule,
            has_rules=any(r.track_id == person for r in plan.rules),
        )  # fmt: skip
        dialog.chosen.connect(self._cover)
        dialog.open()

    def _cover(self, choice: CoverChoice) -> None:
        def change(p: Privacy) -> None:
            if choice.like_everybody:
                p.like_everybody(choice.person, choice.first, choice.last)
            elif choice.method is None:
                p.spare(choice.person, choice.first, choice.last, choice.reason)
            else:
                p.set_method(choice.person, choice.first, choice.last, choice.method)

        self._edit(change)

    # --- regions ------------------------------------------------------------------------------

    def draw_region(self) -> None:
        """The mouse draws a region until it is closed or Escape ends it."""
        session = self._c.session
        if session is None or session.read_only:
            return
        self._c.playback.stop()
        if self._c.space != "camera":
            self._c.set_space("camera")
        self._c.desk.viewport.draw_region()

    def _drawn(self, points: F4) -> None:
        session = self._c.session
        if session is None:
            return
        span = self._c.desk.timeline.range() or (0, session.n_frames - 1)
        made: list[int] = []
        first, last = min(span[0], self._c.frame), max(span[1], self._c.frame)
        if self._edit(lambda p: made.append(p.add_region(self._c.frame, points, first, last))):
            self._c.desk.viewport.select_region(made[0])
            where = "in the marked frames" if self._c.desk.timeline.range() else "in all frames"
            self._c.desk.status.show_message(
                f"Covered {where}. Move it in another frame and it follows in between."
            )

    def _placed(self, region: int, points: F4) -> None:
        self._edit(lambda p: p.place_region(region, self._c.frame, points))

    def _remove_region(self, region: int) -> None:
        if self._edit(lambda p: p.remove_region(region)):
            self._c.desk.viewport.select_region(None)
            self._c.desk.status.show_message("Region removed. Undo brings it back.")

    def menu_for(self, region_id: int) -> QMenu:
        """What can be done with a region."""
        session = self._c.session
        assert session is not None
        region, frame = session.privacy.region(region_id), self._c.frame
        menu = QMenu(self._c.desk)
        title = menu.addAction(region.label.replace("&", "&&"))
        title.setEnabled(False)
        menu.addAction("Rename…", lambda: self._rename(region_id, region.label))
        fills, group = menu.addMenu("Cover with"), QActionGroup(menu)
        for fill, words in REGION_FILL_LABELS.items():
            action = fills.addAction(words, partial(self._edit, partial(_filled, region_id, fill)))
            action.setCheckable(True)
            action.setChecked(fill == region.fill)
            group.addAction(action)
        menu.addSeparator()
        begins = menu.addAction(
            "Begins in this frame", lambda: self._edit(lambda p: p.change_region(region_id, first=frame))
        )
        begins.setEnabled(frame <= region.last and frame != region.first)
        ends = menu.addAction(
            "Ends in this frame", lambda: self._edit(lambda p: p.change_region(region_id, last=frame))
        )
        ends.setEnabled(frame >= region.first and frame != region.last)
        end = session.n_frames - 1
        every = menu.addAction(
            "In all frames", lambda: self._edit(lambda p: p.change_region(region_id, first=0, last=end))
        )
        every.setEnabled(region.first > 0 or region.last < end)
        forget = menu.addAction(
            "Forget where it was placed here",
            lambda: self._edit(lambda p: p.change_region(region_id, drop_key=frame)),
        )
        forget.setEnabled(len(region.keys) > 1 and any(k.frame == frame for k in region.keys))
        menu.addSeparator()
        before = max((k.frame for k in region.keys if k.frame < frame), default=None)
        after = min((k.frame for k in region.keys if k.frame > frame), default=None)
        for which, key in (("previous", before), ("next", after)):
            go = menu.addAction(f"Go to its {which} key frame", partial(self._go_to_key, region_id, key))
            go.setEnabled(key is not None)
        menu.addSeparator()
        menu.addAction("Remove", "Del", lambda: self._remove_region(region_id))
        return menu

    def _go_to_key(self, region: int, frame: int | None) -> None:
        if frame is not None:
            self._c.desk.viewport.select_region(region)
            self._c.go_to(frame)

    def _row_menu(self, row: PlanRow, at: QPoint) -> None:
        session = self._c.session
        if session is None or session.read_only:
            return
        if row.kind == "region":
            self._c.desk.viewport.select_region(row.row_id)
            self._menu(row.row_id, at)
            return
        menu = QMenu(self._c.desk)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Change…", lambda: self._change_rule(row.row_id))
        menu.addSeparator()
        menu.addAction("Cover like everybody", "Del", lambda: self._remove_row(row))
        menu.popup(at)

    def _change_rule(self, rule_id: int) -> None:
        session = self._c.session
        if session is None:
            return
        try:
            rule = session.privacy.rule(rule_id)
        except UnderstudyError as error:
            self.failed.emit(str(error))
            return
        self._c.select_person(rule.track_id)
        self.ask_cover(rule.track_id, rule)

    def _menu(self, region: int, at: QPoint) -> None:
        try:
            self.menu_for(region).popup(at)
        except UnderstudyError as error:
            self.failed.emit(str(error))

    def _rename(self, region: int, label: str) -> None:
        ask_line(
            self._c.desk, "Rename the region", "What is covered here?", "", "Rename",
            lambda text: self._edit(lambda p: p.change_region(region, label=text)), text=label,
            hint="For example: clock, monitor, name tag",
        )  # fmt: skip

    # --- the list -----------------------------------------------------------------------------

    def _go_to_row(self, row: PlanRow) -> None:
        if row.kind == "region":
            self._c.desk.viewport.select_region(row.row_id)
        session = self._c.session
        if session is not None and row.kind == "rule":
            rule = next((r for r in session.privacy.plan.rules if r.rule_id == row.row_id), None)
            if rule is not None:
                self._c.select_person(rule.track_id)
        self._c.go_to(row.first_frame)

    def _remove_row(self, row: PlanRow) -> None:
        if row.kind == "region":
            self._remove_region(row.row_id)
        elif self._edit(lambda p: p.remove_rule(row.row_id)):
            self._c.desk.status.show_message("Covered like everybody again. Undo brings the exception back.")

    def _edit(self, change: Callable[[Privacy], object]) -> bool:
        return self._c.edit(lambda session: change(session.privacy), self.failed.emit)


def _filled(region: int, fill: RegionFill, privacy: Privacy) -> None:
    privacy.change_region(region, fill=fill)
