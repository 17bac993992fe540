"""How drawn people look: told apart by their clothes, all with the same head, and well to be seen."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from theatre import BODY, body_at

from app.deidentify.plan import Method
from app.export import looks
from app.export.looks import Wardrobe
from app.project.records import TrackRecord
from backends.body import BodyModel
from backends.camera import assumed_camera
from backends.render import SOFT, rasterize
from backends.synthetic.garments import Dressed
from backends.synthetic.garments.outfits import SCRUBS, Outfit

CLOTHED = Method("whole", "mesh", "clothed")
PALE_WALL = np.array([205, 205, 200])


def colors_of(color_index: int, betas: np.ndarray) -> tuple[set[tuple[int, ...]], np.ndarray]:
    """The head's colours, and (V, 3) all of them."""
    track = TrackRecord(color_index + 1, "", color_index, False, "kept", betas)
    params = body_at(1, 0)
    presence = SimpleNamespace(track=track, confidence=None)
    shown = Wardrobe(BODY).shown(presence, params, CLOTHED)
    colors = np.asarray(shown.mesh.colors)
    head = colors[np.unique(shown.mesh.faces[shown.head_faces])]
    return {tuple(int(v) for v in c) for c in np.unique(head // 24, axis=0)}, colors


def test_heads_are_the_same_for_everybody_and_clothes_are_not() -> None:
    other = np.zeros(BODY.n_betas)
    other[:3] = (1.5, -1.0, 1.0)
    one, all_of_one = colors_of(0, np.zeros(BODY.n_betas))
    two, all_of_two = colors_of(1, other)
    assert one == two
    shared = {tuple(c) for c in all_of_one // 24} & {tuple(c) for c in all_of_two // 24}
    assert np.mean([tuple(c) not in shared for c in all_of_one // 24]) > 0.15


def test_face_and_arms_stand_out_from_clothes_and_from_a_pale_wall() -> None:
    """As pale as a wall, and behind masks, people were found again less often by the networks."""
    _, colors = colors_of(0, np.zeros(BODY.n_betas))
    skins = [c for c in np.unique(colors, axis=0).astype(int) if c[0] > c[1] + 30 > c[2] + 30]
    assert skins
    for skin in skins:
        assert np.abs(skin - PALE_WALL).max() > 60
        assert min(np.abs(skin - np.array(s)).max() for s in SCRUBS) > 30


def test_of_the_many_who_come_and_go_only_the_latest_stay_dressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an hour of an operating room hundreds of tracks come and go, at seven megabytes each."""
    sewn: list[int] = []

    def dress(
        body: BodyModel, betas: np.ndarray, outfit: Outfit, *rest: object, **options: object
    ) -> Dressed:
        sewn.append(round(float(betas[0] * 100)))
        colors = np.full((body.n_vertices, 3), 90, np.uint8)
        return Dressed(body, colors, np.zeros(len(body.faces), bool), outfit)

    monkeypatch.setattr(looks, "dress", dress)
    monkeypatch.setattr(looks, "_KEPT", 3)
    monkeypatch.setattr(looks, "closed_faces", lambda *given: np.zeros(len(BODY.faces), bool))
    wardrobe = Wardrobe(BODY)

    def show(*people: int) -> list[int]:
        sewn.clear()
        wardrobe.expect(len(people))
        for i in people:
            track = TrackRecord(i, "", i, False, "kept", np.full(BODY.n_betas, i / 100))
            wardrobe.shown(SimpleNamespace(track=track, confidence=None), body_at(1, 0), CLOTHED)
        return list(sewn)

    assert show(1) == [1]
    assert show(2) == [2]
    assert show(1) == []
    assert show(3) == [3]
    assert show(4) == [4]
    assert show(1) == []  # the one asked for last, though the first
    assert show(2) == [2]  # long gone
    everybody = [11, 12, 13, 14, 15]
    assert show(*everybody) == everybody
    assert show(*everybody) == []


def test_clothed_bodies_darken_towards_their_rims_and_keep_their_colours_within() -> None:
    """So that an arm can be told from a trunk of the same colour."""
    track = TrackRecord(1, "", 0, False, "kept", np.zeros(BODY.n_betas))
    mesh = Wardrobe(BODY).shown(SimpleNamespace(track=track, confidence=None), body_at(1, 0), CLOTHED).mesh
    ours, soft = (
        rasterize([replace(mesh, light=light)], assumed_camera(640, 360)) for light in (mesh.light, SOFT)
    )
    inside = (ours.mesh_id >= 0).view(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    rim, middle = (depth > 1) & (depth < 3), depth > 0.7 * depth.max()
    ratio = ours.rgb.astype(float).sum(axis=2) / np.maximum(soft.rgb.astype(float).sum(axis=2), 1.0)
    assert middle.any()
    assert ratio[middle].mean() > 0.97
    assert ratio[rim].mean() < ratio[middle].mean() - 0.025
