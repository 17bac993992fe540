"""How fast the work goes and how long it will take."""

from __future__ import annotations

import pytest

from app.pipeline import rate
from app.pipeline.rate import RateMeter


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(rate, "time", made)
    return made


def test_the_wait_for_the_first_frame_is_no_speed(clock: Clock) -> None:
    meter = RateMeter(100)
    assert (meter.rate, meter.remaining_s) == (0.0, None)
    clock.now += 60.0  # networks are loaded, kernels compiled
    meter.advance()
    assert (meter.rate, meter.remaining_s) == (0.0, None)
    for _ in range(20):
        clock.now += 0.1
        meter.advance()
    assert meter.rate == pytest.approx(10.0)
    assert meter.remaining_s == pytest.approx(7.9)


def test_less_than_a_second_says_nothing_and_a_pause_does_not_count(clock: Clock) -> None:
    meter = RateMeter(100)
    for _ in range(5):
        clock.now += 0.1
        meter.advance()
    assert meter.remaining_s is None
    clock.now += 500.0
    meter.hold()
    for _ in range(20):
        clock.now += 0.25
        meter.advance()
    assert meter.rate == pytest.approx(4.0)
