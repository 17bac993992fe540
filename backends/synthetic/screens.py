"""What runs on the room's monitors: curves, figures, an invented patient's name and record, a clock."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

U1 = npt.NDArray[np.uint8]

_FAMILY = ("KELLER", "OKAFOR", "LINDQVIST", "HARTMANN", "SATO", "MORALES", "NOVAK", "HADDAD")
_GIVEN = ("ANNA", "JONAS", "MIRIAM", "PETER", "YUKI", "DANIEL", "IVA", "OMAR")
_RATE = 5.0
"""Pictures a second: monitors are slower than cameras."""


class Monitors:
    """The pictures of a room's screens over time, from a seed. Names, dates and figures are invented."""

    def __init__(self, kinds: tuple[str, ...], seed: int) -> None:
        rng = np.random.default_rng([seed, 99])
        self._kinds = kinds
        self._name = f"{_FAMILY[int(rng.integers(8))]}, {_GIVEN[int(rng.integers(8))]}"
        self._born = f"{rng.integers(1, 28):02d}.{rng.integers(1, 12):02d}.{rng.integers(1938, 1999)}"
        self._number = f"{rng.integers(10_000_000, 99_999_999)}"
        self._start = int(rng.integers(8 * 3600, 15 * 3600))
        self._pulse = float(rng.uniform(58, 84))
        self._phase = rng.uniform(0, 2 * np.pi, 6)
        self._last: tuple[int, list[U1]] | None = None

    def at(self, time: float) -> list[U1]:
        """One (h, w, 3) uint8 picture for each screen."""
        tick = int(np.floor(time * _RATE))
        if self._last is None or self._last[0] != tick:
            t = tick / _RATE
            self._last = (tick, [self._vitals(t) if k == "vitals" else self._record(t) for k in self._kinds])
        return self._last[1]

    def _clock(self, t: float) -> str:
        seconds = self._start + int(t)
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def _vitals(self, t: float) -> U1:
        w, h = 480, 310
        image = np.full((h, w, 3), (10, 16, 22), np.uint8)
        cv2.rectangle(image, (0, 0), (w, 30), (28, 44, 58), -1)
        _text(image, self._name, (10, 21), 0.52, (226, 232, 236))
        _text(image, self._clock(t), (w - 96, 21), 0.52, (226, 232, 236))
        _text(image, f"* {self._born}   ID {self._number}", (10, 46), 0.38, (140, 156, 168))
        slow = np.sin(0.21 * t + self._phase)
        figures = (
            ("HR", f"{self._pulse + 3 * slow[0]:.0f}", (70, 220, 120)),
            ("SpO2", f"{98 + slow[1]:.0f}", (90, 190, 240)),
            ("NIBP", f"{118 + 4 * slow[2]:.0f}/{72 + 3 * slow[3]:.0f}", (236, 206, 80)),
            ("CO2", f"{36 + 2 * slow[4]:.0f}", (236, 112, 104)),
        )  # fmt: skip
        x = np.arange(10, 340)
        for row, (label, figure, color) in enumerate(figures):
            base = 92 + 62 * row
            beat = self._pulse / 60 if row in (0, 1) else 0.25
            cycle = ((x - 10) / 330 * 4.0) * beat + self._phase[row] / 6.28
            head = (t % 4.0) / 4.0 * 330
            share = cycle % 1.0
            if row == 0:
                y = 26 * np.exp(-(((share - 0.5) / 0.02) ** 2)) - 6 * np.exp(-(((share - 0.56) / 0.02) ** 2))
                y = y + 5 * np.exp(-(((share - 0.75) / 0.06) ** 2))
            elif row == 3:
                y = 24 * np.clip(np.sin(2 * np.pi * share) * 3, 0, 1)
            else:
                y = 22 * np.exp(-3 * share) * np.clip(share * 12, 0, 1) + 5 * np.exp(
                    -(((share - 0.45) / 0.1) ** 2)
                )
            points = np.stack([x, base - y], axis=1)
            gap = np.abs(x - 10 - head) < 9
            for part in np.split(points, np.flatnonzero(np.diff(gap.astype(int))) + 1):
                if len(part) > 1 and abs(part[len(part) // 2, 0] - 10 - head) >= 9:
                    cv2.polylines(image, [np.rint(part).astype(np.int32)], False, color, 2, cv2.LINE_AA)
            _text(image, label, (352, base - 24), 0.40, color)
            _text(image, figure, (352, base + 6), 0.78 if len(figure) < 5 else 0.62, color, 2)
        return image

    def _record(self, t: float) -> U1:
        w, h = 480, 300
        image = np.full((h, w, 3), (232, 236, 240), np.uint8)
        cv2.rectangle(image, (0, 0), (w, 34), (44, 92, 140), -1)
        _text(image, "Patient record", (12, 23), 0.55, (240, 244, 248))
        _text(image, self._clock(t)[:5], (w - 62, 23), 0.55, (240, 244, 248))
        _text(image, self._name, (14, 64), 0.66, (30, 40, 52), 2)
        _text(image, f"born {self._born}    case {self._number}", (14, 88), 0.42, (90, 100, 112))
        cv2.rectangle(image, (w - 110, 48), (w - 20, 148), (190, 200, 208), -1)
        cv2.ellipse(image, (w - 65, 86), (18, 24), 0, 0, 360, (150, 160, 170), -1)
        cv2.ellipse(image, (w - 65, 146), (36, 34), 0, 180, 360, (150, 160, 170), -1)
        lines = ("Procedure   laparoscopic cholecystectomy", "Side        -", "Allergies   none known",
                 "Team        4 present", "Time out    done")  # fmt: skip
        for k, line in enumerate(lines):
            y = 124 + 30 * k
            _text(image, line, (14, y), 0.44, (46, 56, 68))
            cv2.line(image, (14, y + 9), (w - 130, y + 9), (206, 212, 218), 1)
        cv2.rectangle(image, (14, 268), (130, 290), (44, 140, 100), -1)
        _text(image, "signed", (44, 284), 0.44, (240, 246, 244))
        return image


def _text(
    image: U1, text: str, at: tuple[int, int], scale: float, color: tuple[int, int, int], weight: int = 1
) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, color, weight, cv2.LINE_AA)
