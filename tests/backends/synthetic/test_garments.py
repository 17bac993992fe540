"""Clothes: cut exactly, never inside the body, moving with it."""

from __future__ import annotations

import numpy as np
import pytest

from backends.body import load_body, posed_vertices
from backends.body.params import BodyParams
from backends.body.skeleton import JOINT_INDEX
from backends.synthetic.garments import Role, dress, dressed_for
from backends.synthetic.garments import surface as s
from backends.synthetic.garments.outfits import SKIN_TONES
from backends.synthetic.staff import cast_body

BODY = load_body()


def area(surface: s.Surface) -> float:
    v = surface.rest[surface.faces]
    return float(np.linalg.norm(np.cross(v[:, 1] - v[:, 0], v[:, 2] - v[:, 0]), axis=1).sum() / 2)


def test_a_cut_loses_no_skin_and_its_border_lies_on_the_line() -> None:
    skin = s.whole(BODY, np.zeros(10), (1, 2, 3))
    level = skin.rest[:, 1] - 0.1234
    above, below = s.cut(skin, level), s.cut(skin, -level)
    assert area(above) + area(below) == pytest.approx(area(skin), rel=1e-9)
    edge = s.border(above) & ~np.isin(np.round(above.rest[:, 1], 9), np.round(skin.rest[:, 1], 9))
    assert edge.sum() > 30
    np.testing.assert_allclose(above.rest[edge, 1], 0.1234, atol=1e-9)
    assert (above.rest[:, 1] > 0.1234 - 1e-9).all()


def test_cutting_away_nothing_and_everything() -> None:
    skin = s.whole(BODY, np.zeros(10), (1, 2, 3))
    assert len(s.cut(skin, np.ones(len(skin))).faces) == len(skin.faces)
    assert len(s.cut(skin, -np.ones(len(skin)))) == 0


def test_cloth_stands_off_what_it_lies_on() -> None:
    skin = s.whole(BODY, np.zeros(10), (1, 2, 3))
    chest = s.cut(skin, np.minimum(skin.rest[:, 1] - 0.15, 0.42 - skin.rest[:, 1]))
    cloth = s.draped(chest, 40, 0.015)
    gap = np.einsum("ij,ij->i", cloth.rest - chest.rest, s.normals(cloth))
    assert np.percentile(gap, 5) > 0.005
    assert gap.min() > -0.003
    assert np.median(gap) < 0.05


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("woman", [False, True])
def test_everybody_can_be_dressed_and_posed(role: Role, woman: bool) -> None:
    rng = np.random.default_rng([len(role.value), woman])
    betas = cast_body(rng, woman=woman)
    dressed = dress(BODY, betas, dressed_for(role, woman, rng), rng)
    pose = np.zeros((55, 3))
    pose[JOINT_INDEX["left_hip"]] = (-0.7, 0, 0)
    pose[JOINT_INDEX["right_shoulder"]] = (0, 0, 1.1)
    params = BodyParams(betas, pose, np.array([0.3, 0.1, 2.0]))
    clothed, bare = posed_vertices(dressed.body, params), posed_vertices(BODY, params)
    assert np.isfinite(clothed).all()
    assert dressed.colors.shape == (dressed.body.n_vertices, 3)
    assert dressed.body.faces.max() < dressed.body.n_vertices
    low, high = bare.min(axis=0), bare.max(axis=0)
    assert (clothed.min(axis=0) > low - 0.16).all()
    assert (clothed.max(axis=0) < high + 0.16).all()
    # The dressed one covers the bare one: seen from the front it is larger, not smaller.
    for axis in (0, 1):
        assert clothed[:, axis].max() - clothed[:, axis].min() >= high[axis] - low[axis] - 0.01


def test_gown_cap_and_mask_change_the_outline() -> None:
    def outline(role: Role) -> float:
        rng = np.random.default_rng(4)
        outfit = dressed_for(role, True, rng)
        body = dress(BODY, np.zeros(10), outfit, rng).body
        v = posed_vertices(body, BodyParams.rest(10))
        return float(np.ptp(v[np.abs(v[:, 1] + 0.35) < 0.04][:, 2]))

    assert outline(Role.STERILE) > outline(Role.CIVIL) + 0.04, "a gown hangs wide about the legs"


def test_skin_tones_cover_the_whole_scale() -> None:
    drawn = {dressed_for(Role.CIVIL, False, np.random.default_rng(k)).skin for k in range(120)}
    assert drawn == set(SKIN_TONES)


def test_women_and_men_differ_as_bodies_do() -> None:
    def heights(woman: bool) -> np.ndarray:
        rng = np.random.default_rng(1)
        return np.array([BODY.height(cast_body(rng, woman=woman)) for _ in range(60)])

    women, men = heights(True), heights(False)
    assert men.mean() - women.mean() > 0.05
    assert min(women.min(), men.min()) > 1.35
    assert max(women.max(), men.max()) < 2.02
    assert women.std() > 0.03
