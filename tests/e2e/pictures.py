"""Takes the pictures of the readme from the real window, on footage that the program draws itself.

    python3 main.py demo --no-window -o demo_output
    xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX" \
        .venv/bin/python tests/e2e/pictures.py demo_output docs/images

The picture of several cameras is taken by itself, with ``--views room_views``, of what this leaves:

    python3 main.py synthesize -o room --preset interview --seconds 1.2 --no-clouds --seed 6 --cameras 4 \
        --size 960x540
    python3 main.py views room -o room_views

Nothing of these folders is changed: the window works on copies of their projects.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QPoint  # noqa: E402
from PySide6.QtGui import QImage  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from app.review.types import PersonScene  # noqa: E402
from widgets import theme  # noqa: E402
from widgets.app import make_application  # noqa: E402
from widgets.main_window import MainWindow  # noqa: E402
from widgets.settings import Settings  # noqa: E402

SIZE = (1600, 1000)
QUALITY = 88
PATIENCE_S = 600.0
LEFT_WRIST, RIGHT_WRIST = 9, 10


class Photographer:
    """Drives the window and saves what it shows."""

    def __init__(self, project: Path, output: Path, settings: Settings) -> None:
        self.app: QApplication = make_application([])
        theme.apply(self.app, theme.DARK)
        self.window = MainWindow(settings)
        self.window.resize(*SIZE)
        self.window.move(0, 0)
        self.window.show()
        self.output = output
        self.window.files.open_path(project)
        if self.window.controller.session is None:
            raise SystemExit(f"{project.name} could not be opened.")
        self.session = self.window.controller.session

    def wait(self, seconds: float) -> None:
        """Let the window work."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.01)

    def until(self, what: str, ready: Callable[[], bool]) -> None:
        """Wait for something; give up in words."""
        end = time.monotonic() + PATIENCE_S
        while not ready():
            self.wait(0.05)
            if time.monotonic() > end:
                raise SystemExit(f"Waited {PATIENCE_S:.0f} s in vain: {what}.")

    def save(self, name: str) -> None:
        """The whole screen as a JPEG."""
        self.wait(0.6)
        path = self.output / f"{name}.jpg"
        if not self.app.primaryScreen().grabWindow(0).save(str(path), "JPEG", QUALITY):
            raise SystemExit(f"{path} cannot be written.")
        print(path)

    def show(self, frame: int) -> None:
        """Go to a frame and wait until it is on the screen."""
        self.window.controller.go_to(frame)
        glass = self.window.desk.viewport._glass
        self.until("the frame", lambda: glass.frame_text[0].startswith(f"Frame {frame + 1} "))
        self.wait(0.5)

    def best_frame(self) -> int:
        """Of some frames the one with most people, and among these where the doubt stands out most."""

        def worth(frame: int) -> tuple[int, float]:
            people = self.session.scene(frame).people
            worst = [float(p.keypoint_mm[[LEFT_WRIST, RIGHT_WRIST]].max()) for p in people]
            return len(people), -abs(max(worst, default=0.0) - 90.0)

        n = self.session.n_frames
        return max(range(n // 10, n - n // 10, max(n // 40, 1)), key=worth)

    def hover_doubt(self) -> PersonScene:
        """Put the pointer on the wrist that is doubted most; its person is chosen."""
        people = self.session.scene(self.window.controller.frame).people
        person, wrist = max(
            ((p, k) for p in people for k in (LEFT_WRIST, RIGHT_WRIST) if p.visibility[k]),
            key=lambda pair: float(pair[0].keypoint_mm[pair[1]]),
        )
        self.window.controller.select_person(person.person_id)
        self.wait(0.2)
        at = self.window.desk.viewport.screen_position(person.person_id, wrist)
        if at is not None:
            QTest.mouseMove(self.window.desk.viewport._glass, QPoint(round(at[0]), round(at[1])))
        self.wait(0.2)
        return person

    def take_cameras(self) -> None:
        """A room that several cameras look at."""
        self.show(self.best_frame())
        strip = self.window.desk.cameras
        self.until("the other cameras", strip.isVisible)
        self.wait(6.0)
        people = self.session.scene(self.window.controller.frame).people
        self.window.controller.select_person(people[0].person_id)
        self.save("cameras")
        self.window.close()

    def take_all(self) -> None:
        """Every picture of the readme but those of several cameras and the contact sheet."""
        c = self.window.controller
        self.show(self.best_frame())
        self.hover_doubt()
        self.save("review")
        self.window.commands["theme"].trigger()
        self.save("light")
        self.window.commands["theme"].trigger()
        c.set_space("room")
        self.save("room")
        c.set_space("camera")
        c.set_mode("split")
        frame = c.frame
        self.until("the de-identified picture", lambda: c._covered_frame == frame)
        self.save("split")
        self.window.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("demo", type=Path, help="what `main.py demo` wrote")
    parser.add_argument("output", type=Path, help="the folder of the pictures")
    parser.add_argument(
        "--views", type=Path, help="what `main.py views` wrote: take the cameras' picture only"
    )
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.views is not None:
        with tempfile.TemporaryDirectory() as folder:
            for source in arguments.views.glob("*.understudy"):
                shutil.copy(source, folder)
            first = min(Path(folder).glob("*.understudy"))
            Photographer(first, arguments.output, Settings(Path(folder) / "window.json")).take_cameras()
        return
    with tempfile.TemporaryDirectory() as folder:
        for source in arguments.demo.glob("operating_room.*"):
            shutil.copy(source, folder)
        settings = Settings(Path(folder) / "window.json")
        Photographer(Path(folder) / "operating_room.understudy", arguments.output, settings).take_all()
    sheet = QImage(str(arguments.demo / "contact_sheet.png"))
    if sheet.isNull() or not sheet.save(str(arguments.output / "contact_sheet.jpg"), "JPEG", QUALITY):
        raise SystemExit("The contact sheet cannot be read or written.")


if __name__ == "__main__":
    main()
