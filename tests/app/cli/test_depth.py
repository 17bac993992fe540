"""The options of a depth sensor, and the benchmark of what it adds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer

from app.cli.bench.depth_people import fitted
from app.cli.depth import check_options, take_depth
from app.footage.writer import VideoWriter
from app.pipeline.depth import chosen_depth, is_decided
from app.review.opening import create_project
from backends.body import load_body

N = 3


def _ward(folder: Path, name: str = "ward") -> Path:
    path = folder / f"{name}.mp4"
    writer = VideoWriter(path, 64, 48, np.arange(N, dtype=np.int64), Fraction(1, 10))
    for _ in range(N):
        writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.close()
    beside = folder / f"{name}_depth"
    beside.mkdir()
    for i in range(N):
        cv2.imwrite(str(beside / f"{i}.png"), np.full((48, 64), 2000, np.uint16))
    return path


def test_depth_beside_a_video_is_taken_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    nothing = (None, None, None)
    for name, no_depth in (("ward", False), ("room", True)):
        store, footage = create_project(_ward(tmp_path, name))
        take_depth(store, footage, *nothing, no_depth, False)
        choice = chosen_depth(store)
        assert is_decided(store)
        assert (choice is None) is no_depth
        take_depth(store, footage, *nothing, False, False)  # what was decided stays
        assert chosen_depth(store) == choice
        take_depth(store, footage, tmp_path / "ward_depth", 0.002, None, False, False)
        named = chosen_depth(store)
        assert named is not None
        assert (named.path, named.scale) == (tmp_path / "ward_depth", 0.002)
        footage.close()
        store.close()


def test_options_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(typer.BadParameter, match="go with --depth"):
        check_options(None, 0.001, None, False)
    with pytest.raises(typer.BadParameter, match="contradict"):
        check_options(Path("d"), None, None, True)
    check_options(Path("d"), 0.001, Path("c"), False)
    check_options(None, None, None, True)


def test_the_benchmark_finds_people_nearer_to_where_they_are() -> None:
    found = fitted(
        load_body(), "interview", people=1, cameras=1, frames=6, seed=5, engine=None, check=lambda: None,
        size=(480, 270),
    )  # fmt: skip
    for known, both in found.items():
        bare, deep = both[False], both[True]
        assert len(bare.joints) == len(deep.joints) == 6
        assert np.mean(deep.pelvis) < 60, known
        assert np.mean(deep.joints) < np.mean(bare.joints), known
        assert np.stack(deep.bounds).shape == (6, 27)
