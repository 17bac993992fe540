"""The card behind the legend: sliders tell, plots show, and what is not known is left out."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.review import trust
from app.review.colormap import confidence_rgb
from app.review.lanes import TrackSeries
from widgets import theme
from widgets.panels.trust import EVERYBODY, PERSON, TrustCard


def some_series(mm: np.ndarray) -> SimpleNamespace:
    nowhere = np.zeros(len(mm), np.bool_)
    track = TrackSeries(mm.mean(axis=1), mm.astype(np.float16), ~nowhere, nowhere, nowhere, nowhere)
    return SimpleNamespace(tracks={3: track})


@pytest.fixture
def card(qtbot: QtBot) -> TrustCard:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, theme.DARK)
    made = TrustCard()
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_the_histogram_counts_every_keypoint_that_has_a_figure() -> None:
    mm = np.full((4, 23), 25.0, np.float32)
    mm[0] = np.nan
    mm[1] = 75.0
    mm[2, :3] = 900.0
    found = trust.histogram(some_series(mm), [3, 8], 50.0)  # type: ignore[arg-type]
    assert found is not None
    assert found.n == found.counts.sum() == 3 * 23
    assert found.counts[2] == 2 * 23 - 3
    assert found.counts[7] == 23
    assert found.counts[-1] == 3
    assert found.within == pytest.approx((2 * 23 - 3) / (3 * 23))
    assert found.middle == 25.0
    assert trust.histogram(some_series(mm), [8], 50.0) is None  # type: ignore[arg-type]
    assert trust.histogram(some_series(mm * np.nan), [3], 50.0) is None  # type: ignore[arg-type]


def test_sliders_tell_in_millimetres_and_the_last_place_of_the_limit_means_none(
    card: TrustCard, qtbot: QtBot
) -> None:
    card.set_tolerance(50.0)
    assert card.tolerance.value() == 10
    with qtbot.waitSignal(card.tolerance_chosen) as chosen:
        QTest.keyClick(card.tolerance, Qt.Key.Key_Right)
    assert chosen.args == [55.0]
    assert card.limit_mm == float("inf")
    with qtbot.waitSignal(card.limit_chosen) as limited:
        QTest.keyClick(card.limit, Qt.Key.Key_Left)
    assert limited.args == [200.0]
    with qtbot.waitSignal(card.limit_chosen) as free:
        QTest.keyClick(card.limit, Qt.Key.Key_End)
    assert free.args == [float("inf")]


def test_the_scope_is_everybody_until_somebody_is_chosen(card: TrustCard, qtbot: QtBot) -> None:
    assert card.scope.currentData() == EVERYBODY
    with qtbot.waitSignal(card.scope_chosen) as chosen:
        QTest.keyClick(card.scope, Qt.Key.Key_Down)
    assert chosen.args == [PERSON]


def test_bars_have_the_colours_of_the_bodies_and_are_grey_beyond_the_limit(card: TrustCard) -> None:
    mm = np.concatenate([np.full((1, 23), 12.0), np.full((1, 23), 192.0)])
    card.limit.setValue(20)
    card.set_histogram(trust.histogram(some_series(mm), [3], 50.0), 50.0)  # type: ignore[arg-type]
    image = card.plot.grab().toImage()
    ratio, step = image.width() / card.plot.width(), card.plot.width() / 20
    sure = image.pixelColor(int(1.5 * step * ratio), int(40 * ratio))
    assert np.abs(np.array(sure.getRgb()[:3]) - confidence_rgb(15.0, 50.0)).max() < 4
    far = image.pixelColor(int(19.5 * step * ratio), int(40 * ratio))
    assert far.name() == theme.DARK.secondary.name()
    assert "50\u00a0% of the keypoints" in card.words.text()


def test_without_bodies_and_without_a_measurement_nothing_is_claimed(card: TrustCard) -> None:
    card.set_histogram(None, 50.0)
    card.set_measured(None)
    assert "Press Run" in card.words.text()
    assert not card.plot.isVisible()
    assert not card.curve.isVisible()


def test_the_shipped_measurement_says_how_well_bounds_held(card: TrustCard) -> None:
    found = trust.measured()
    assert found is not None
    assert 0.85 < found.held < 0.95
    assert found.ece < 0.05
    assert (np.diff(found.predicted) > 0).all()
    card.set_measured(found)
    assert card.curve.isVisible()
    assert "nine in ten" in card.worth.text()


def test_in_a_low_window_the_calibration_gives_way(card: TrustCard) -> None:
    card.set_measured(trust.measured())
    card.fit_into(2000)
    assert card.curve.isVisible()
    tall = card.height()
    card.fit_into(tall - 1)
    assert not card.curve.isVisible()
    assert card.height() < tall
    card.fit_into(2000)
    assert card.curve.isVisible()


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"rows": []}), "{"])
def test_a_damaged_measurement_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    (tmp_path / "m.json").write_text(content, encoding="utf-8")
    monkeypatch.setattr(trust, "_MEASURED", tmp_path / "m.json")
    trust.measured.cache_clear()
    try:
        assert trust.measured() is None
    finally:
        trust.measured.cache_clear()
