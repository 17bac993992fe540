"""Faces whose inner side nobody sees are left out where they turn it to the camera: same picture."""

from __future__ import annotations

import numpy as np
import pytest

from backends.body import BodyParams, load_body, posed_vertices
from backends.camera import assumed_camera
from backends.errors import InputError
from backends.render import REACH_M, Mesh, closed_faces, rasterize
from backends.synthetic.garments.dress import dress
from backends.synthetic.garments.outfits import SCRUBS, Cap, Hair, Outfit

CAMERA = assumed_camera(320, 360)


def tube(rings: int = 21, around: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Open at both ends, one metre long, normals outwards."""
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
    y = np.linspace(0, 1, rings)
    ring = np.stack([0.1 * np.cos(turn), np.zeros(around), 0.1 * np.sin(turn)], axis=1)
    vertices = (ring[None] + y[:, None, None] * np.array([0.0, 1.0, 0.0])).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    a, b = i * around + j, i * around + (j + 1) % around
    c, d = a + around, b + around
    faces = np.concatenate([np.stack([a, c, b], -1), np.stack([b, c, d], -1)]).reshape(-1, 3)
    return vertices, faces


def test_a_tube_is_closed_away_from_its_ends_unless_it_is_inside_out() -> None:
    vertices, faces = tube()
    closed = closed_faces(vertices, faces, 0.22)
    high = vertices[faces][..., 1]
    inner = (high.min(axis=1) > 0.221) & (high.max(axis=1) < 0.779)
    assert np.array_equal(closed, inner)
    assert closed.any()
    assert not closed_faces(vertices, faces[:, ::-1], 0.22).any()
    assert not closed_faces(vertices, faces, 2.0).any()
    assert not len(closed_faces(vertices, np.zeros((0, 3), np.int32)))


def test_a_closed_body_is_drawn_the_same_without_the_faces_at_its_back() -> None:
    body = load_body()
    closed = closed_faces(body.v_template, body.faces)
    assert closed.mean() > 0.9
    rng = np.random.default_rng(3)
    pose = np.zeros((55, 3))
    pose[0], pose[1:22] = (np.pi, 0.7, 0), rng.normal(0, 0.25, (21, 3))
    vertices = posed_vertices(body, BodyParams(np.zeros(body.n_betas), pose, np.array([0.0, 0.1, 2.8])))
    plain = rasterize([Mesh(vertices, body.faces, (180, 120, 90))], CAMERA)
    culled = rasterize([Mesh(vertices, body.faces, (180, 120, 90), closed=closed)], CAMERA)
    assert (plain.coverage > 0).sum() > 4000
    assert np.abs(plain.coverage - culled.coverage).max() <= 2 / 16
    assert np.abs(plain.rgb.astype(int) - culled.rgb)[plain.coverage == 1].mean() < 0.01
    drawn = culled.face_id[culled.face_id >= 0]
    corners = CAMERA.project(vertices)[body.faces[drawn]]
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    assert (u[:, 0] * v[:, 1] < u[:, 1] * v[:, 0]).all()


def test_clothes_have_no_holes_where_one_looks_into_them() -> None:
    body = load_body()
    skin = (176, 160, 148)
    outfit = Outfit(skin, skin, Hair.NONE, SCRUBS[0], SCRUBS[0], (90, 96, 104), cap=Cap.BOUFFANT)
    dressed = dress(body, np.zeros(body.n_betas), outfit, np.random.default_rng(1), features=False)
    reach = np.where((dressed.colors == skin).all(axis=1), 0.0, REACH_M)
    closed = closed_faces(dressed.body.v_template, dressed.body.faces, reach)
    assert closed.mean() > 0.6
    for tilt in (-1.1, 0.0, 1.1):  # from above, level, from below
        pose = np.zeros((55, 3))
        pose[0] = (np.pi + tilt, 0, 0)
        params = BodyParams(np.zeros(body.n_betas), pose, np.array([0.0, 0.0, 2.6]))
        vertices = posed_vertices(dressed.body, params)
        plain = rasterize([Mesh(vertices, dressed.body.faces, dressed.colors)], CAMERA)
        culled = rasterize([Mesh(vertices, dressed.body.faces, dressed.colors, closed=closed)], CAMERA)
        differs = np.abs(plain.rgb.astype(int) - culled.rgb).max(axis=2) > 8
        assert (plain.coverage > 0).sum() > 3000
        assert differs.sum() < 0.002 * (plain.coverage > 0).sum()


def test_from_inside_nothing_is_left_out() -> None:
    vertices, faces = tube()
    closed = closed_faces(vertices, faces, 0.1)
    here = vertices - (0.0, 0.5, 0.0)  # the camera stands in its middle
    assert (rasterize([Mesh(here, faces, (9, 9, 9), closed=closed)], CAMERA).coverage > 0).all()


def test_a_flag_for_each_face_is_asked_for() -> None:
    vertices, faces = tube()
    with pytest.raises(InputError, match="mesh 0: closed needs shape"):
        rasterize([Mesh(vertices, faces, (9, 9, 9), closed=np.ones(3, np.bool_))], CAMERA)
