"""Findings become one chain for each thing."""

from __future__ import annotations

import numpy as np

from backends.audit.link import Linker
from backends.audit.types import Finding


def face(x: float, y: float = 50, side: float = 30, **more: object) -> Finding:
    return Finding("face", np.float32([x, y, x + side, y + side]), 0.8, "CenterFace", **more)  # type: ignore[arg-type]


def test_two_people_who_pass_each_other_are_two_chains() -> None:
    linker = Linker({"face": 3, "person": 10, "head": 2})
    for i in range(10):
        linker.add(i, [face(10 + 8 * i), face(300 - 8 * i, 120)])
    chains = linker.finish()
    assert [len(c.frames) for c in chains] == [10, 10]
    assert chains[0].boxes[-1][0] == 82


def test_short_gaps_are_bridged_and_long_ones_are_not() -> None:
    linker = Linker({"face": 3, "person": 10, "head": 2})
    for i in (0, 1, 5, 20):
        linker.add(i, [face(10)])
    assert [c.frames for c in linker.finish()] == [[0, 1, 5], [20]]


def test_far_apart_of_other_size_or_of_another_track_is_another_thing() -> None:
    linker = Linker({"face": 3, "person": 10, "head": 2})
    linker.add(0, [face(10)])
    linker.add(1, [face(90)])
    linker.add(2, [face(90, side=100)])
    linker.add(3, [face(90, side=100, track_id=4)])
    assert [len(c.frames) for c in linker.finish()] == [1, 1, 1, 1]


def body(x: float, y: float = 50) -> Finding:
    return Finding("person", np.float32([x, y, x + 40, y + 100]), 0.9, "BlazePose detector")


def test_a_body_that_lies_still_is_one_thing_however_seldom_it_is_seen() -> None:
    linker = Linker({"face": 3, "person": 10, "head": 2})
    for i in (0, 1, 50, 51, 200):
        linker.add(i, [body(10 + i % 2)])
    linker.add(300, [body(60)])
    linker.add(400, [face(10)])
    linker.add(500, [face(10)])
    chains = linker.finish()
    assert [(c.kind, c.frames) for c in chains] == [
        ("person", [0, 1, 50, 51, 200]), ("person", [300]), ("face", [400]), ("face", [500]),
    ]  # fmt: skip
    assert len(chains[0].boxes) == len(chains[0].scores) == 5
