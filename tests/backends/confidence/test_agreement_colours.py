from __future__ import annotations

import numpy as np
import pytest

from backends.body import load_body
from backends.confidence.agreement import (
    AGREEMENT_JOINTS,
    PARTS,
    agreement_rgb,
    jet_rgb,
    part_of_vertex,
    part_values,
    spread_rgb,
)
from backends.errors import InputError


def test_there_are_24_parts_and_every_joint_colours_one() -> None:
    assert len(PARTS) == 24
    assert {j for joints in PARTS.values() for j in joints} == set(range(14))


def test_left_and_right_parts_take_joints_of_their_own_side() -> None:
    for part, joints in PARTS.items():
        for side, other in (("left", "right"), ("right", "left")):
            if part.startswith(side) and "UpLeg" not in part:
                assert not any(AGREEMENT_JOINTS[j].startswith(other) for j in joints), part


def test_a_part_is_the_mean_of_its_joints() -> None:
    values = np.arange(14.0)
    parts = dict(zip(PARTS, part_values(values)))
    assert parts["hips"] == pytest.approx(2.5)
    assert parts["spine2"] == pytest.approx((8 + 9 + 12) / 3)
    assert parts["leftHand"] == 11.0
    assert parts["head"] == 13.0


def test_a_missing_joint_is_left_out_and_a_part_of_missing_joints_is_unknown() -> None:
    values = np.arange(14.0)
    values[[8, 11]] = np.nan
    parts = dict(zip(PARTS, part_values(values)))
    assert parts["spine2"] == pytest.approx((9 + 12) / 2)
    assert np.isnan(parts["leftHand"])


def test_jet_runs_from_blue_over_green_to_red_and_is_grey_for_unknown() -> None:
    rgb = jet_rgb([0.0, 0.5, 1.0, np.nan, 7.0], 0.0, 1.0)
    assert rgb[0].tolist() == [0, 0, 128]
    assert rgb[1].tolist() == [128, 255, 128]
    assert rgb[2].tolist() == [128, 0, 0]
    assert rgb[3].tolist() == [153, 153, 153]
    assert rgb[4].tolist() == rgb[2].tolist()


def test_a_good_mesh_shows_distances_on_a_fixed_range_and_a_bad_one_its_worst_joint() -> None:
    standardised = np.zeros(14)
    worst = np.full(14, 0.01)
    worst[6] = 0.9
    order = list(PARTS)
    good = agreement_rgb(0.9, standardised, worst)
    assert (good == jet_rgb(0.0, 0.0, 10.0)).all()
    bad = agreement_rgb(0.1, standardised, worst)
    assert bad[order.index("rightHand")].tolist() == [128, 0, 0]
    assert bad[order.index("leftFoot")].tolist() == [0, 0, 128]


def test_values_that_are_all_unknown_make_a_grey_body() -> None:
    assert (spread_rgb(np.full(14, np.nan)) == 153).all()


def test_every_vertex_of_the_body_has_a_part_and_sides_are_kept() -> None:
    body = load_body()
    parts = part_of_vertex(body)
    assert parts.shape == (body.n_vertices,)
    assert parts.min() >= 0
    assert parts.max() < 24
    order = list(PARTS)
    x = body.v_template[:, 0]  # to the body's left
    assert x[parts == order.index("leftHand")].min() > 0 > x[parts == order.index("rightHand")].max()
    assert (parts == order.index("leftHandIndex1")).any()
    assert (parts == order.index("head"))[body.face_vertices].mean() > 0.9


def test_values_of_another_number_of_joints_are_refused() -> None:
    with pytest.raises(InputError, match="14 joints"):
        part_values(np.zeros(17))
