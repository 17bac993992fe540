"""How people move: within joint limits, without a jerk, on feet that stay where they stand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from backends.body import load_body, posed_joints, posed_keypoints
from backends.body.skeleton import JOINT_INDEX
from backends.errors import InputError
from backends.synthetic import motion as m
from backends.synthetic.staff import cast_body

F8 = npt.NDArray[np.float64]
FPS = 50.0
BODY = load_body()
MONITOR = (2.0, -1.2, 1.7)


def _who(seed: int) -> tuple[F8, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return cast_body(rng, woman=bool(seed % 2)), rng


def _work(seed: int, y: float = 0.0) -> m.Work:
    betas, rng = _who(seed)
    return m.Work(BODY, betas, rng, (0.0, y), 0.0, (0.42, y, 1.0), tools=("forceps", "scalpel"))


MAKERS: dict[str, Callable[[int], m.Motion]] = {
    "stand": lambda s: m.Stand(BODY, *_who(s), (0, 0), 0.3, arms="clipboard"),
    "listen": lambda s: m.Listen(BODY, *_who(s), (0, 0), 0.0, looks=[MONITOR, (1.0, 0.4, 1.5)]),
    "talk": lambda s: m.Talk(BODY, *_who(s), (0, 0), 0.0, partner=(1.0, 0.5, 1.5)),
    "point": lambda s: m.Point(BODY, *_who(s), (0, 0), 0.0, MONITOR),
    "reach up": lambda s: m.ReachUp(BODY, *_who(s), (0, 0), 0.0, (0.45, -0.1, 2.0)),
    "bend": lambda s: m.Bend(BODY, *_who(s), (0, 0), 0.0, (0.5, 0.0, 0.3)),
    "work": _work,
    "sit": lambda s: m.Sit(BODY, *_who(s), (0, 0), 0.0, talks=m.sit.always),
    "walk": lambda s: m.Walk(BODY, *_who(s), ((-2.0, 0.0), (0.5, 0.4), (2.0, 0.0)), 1.1, (1.0, 1.5)),
}
FOOT = ("left_ankle", "right_ankle")


def joints_of(motion: m.Motion, times: npt.NDArray[np.float64]) -> F8:
    return np.stack([posed_joints(BODY, motion.at(float(t))) for t in times])


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_no_joint_leaves_its_limits(name: str, seed: int) -> None:
    motion = MAKERS[name](seed)
    for t in np.arange(0.0, 24.0, 0.11):
        params = motion.at(float(t))
        assert np.isfinite(params.pose).all()
        assert np.isfinite(params.transl).all()
        low, high = BODY.joint_limits[1:, :, 0], BODY.joint_limits[1:, :, 1]
        over = np.maximum(low - params.pose[1:], params.pose[1:] - high).max(axis=1)
        worst = int(over.argmax())
        # Half a degree: limits are met softly.
        assert over[worst] < 0.009, (t, worst + 1, np.degrees(over[worst]))


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_jerks(name: str) -> None:
    """Joint speeds change by what muscles can do: a jump or a kink in time would exceed it manifold."""
    times = np.arange(0.0, 20.0, 1 / FPS)
    places = joints_of(MAKERS[name](3), times)[:, :22]
    speed = np.diff(places, axis=0) * FPS
    acceleration = np.diff(speed, axis=0) * FPS
    # Toes swing at four to five times the pace.
    assert np.linalg.norm(speed, axis=2).max() < (5.6 if name == "walk" else 5.0)
    # A walking foot comes to 60 m/s2 as it is set down; a jump of 5 cm in one frame would be 125.
    assert np.linalg.norm(acceleration, axis=2).max() < (75.0 if name == "walk" else 45.0)
    finer = joints_of(MAKERS[name](3), np.arange(8.0, 10.0, 1 / 1600.0))[:, :22]
    assert np.linalg.norm(np.diff(finer, axis=0), axis=2).max() < 5.6 / 1600.0


@pytest.mark.parametrize("name", [n for n in MAKERS if n not in ("walk", "sit")])
def test_standing_feet_do_not_slide(name: str) -> None:
    feet = joints_of(MAKERS[name](4), np.arange(0.0, 20.0, 0.04))[:, [JOINT_INDEX[f] for f in FOOT]]
    assert np.linalg.norm(np.diff(feet, axis=0), axis=2).max() < 0.003


@pytest.mark.parametrize("seed", [1, 4, 7])
def test_a_walking_foot_on_the_floor_does_not_slide_and_one_always_is_there(seed: int) -> None:
    motion = MAKERS["walk"](seed)
    soles = np.stack([posed_keypoints(BODY, motion.at(t))[17:23] for t in np.arange(0.0, 12.0, 0.04)])
    assert soles[..., 2].min() > -0.02
    lowest = np.stack([soles[:, :3, 2].min(axis=1), soles[:, 3:, 2].min(axis=1)], axis=1)
    assert lowest.min(axis=1).max() < 0.06
    slides = []
    for side in (slice(0, 3), slice(3, 6)):
        foot = soles[:, side]
        still = (foot[:, :, 2] < 0.03) & (np.abs(np.gradient(foot[:, :, 2], axis=0)) < 0.001)
        moved = np.linalg.norm(np.diff(foot[..., :2], axis=0), axis=2)
        slides.append(moved[still[1:] & still[:-1]])
    slid = np.concatenate(slides)
    assert len(slid) > 100
    assert np.quantile(slid, 0.95) < 0.003


def test_walking_goes_along_its_way_at_its_pace() -> None:
    betas, rng = _who(2)
    walk = m.Walk(BODY, betas, rng, ((0.0, 0.0), (6.0, 0.0)), 1.2, (1.0, 1.0))
    pelvis = joints_of(walk, np.arange(0.0, 30.0, 0.04))[:, 0]
    assert -0.3 < pelvis[:, 0].min() < 0.4
    assert 5.6 < pelvis[:, 0].max() < 6.3
    assert np.abs(pelvis[:, 1]).max() < 0.5
    speed = np.abs(np.diff(pelvis[:, 0])) / 0.04
    assert 1.0 < np.median(speed[speed > 0.6]) < 1.4


def test_both_hands_are_at_the_instrument_when_it_is_handed_over() -> None:
    rng = np.random.default_rng(11)
    giver, receiver = m.hand_over(_work(8, 0.35), _work(9, -0.35), rng, (0.35, 0.75, 0.98))
    met = 0
    for k in range(1, 5):
        when = giver.exchange.beats.when(k)
        wrists = [
            posed_joints(BODY, side.at(when + 0.1))[JOINT_INDEX[("left", "right")[side.side] + "_wrist"]]
            for side in (giver, receiver)
        ]
        assert np.linalg.norm(wrists[0] - wrists[1]) < 0.26
        before, after = when - 0.3, when + 0.6
        kind = giver.exchange.kind(k)
        assert [h.kind for h in giver.holds(before)] == [kind]
        assert [h.kind for h in receiver.holds(after)] == [kind]
        assert not giver.holds(after)
        met += 1
    assert met == 4


def test_the_lamp_is_reached_the_finger_points_and_the_bend_goes_down() -> None:
    times = np.arange(0.0, 20.0, 0.1)
    up = joints_of(MAKERS["reach up"](3), times)
    wrists = up[:, [JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]]]
    assert np.linalg.norm(wrists - np.array([0.45, -0.1, 2.0]), axis=2).min() < 0.2
    points = joints_of(MAKERS["point"](2), times)
    angles = []
    for side in ("left", "right"):
        shoulder, wrist = (points[:, JOINT_INDEX[f"{side}_{n}"]] for n in ("shoulder", "wrist"))
        arm, line = wrist - shoulder, np.asarray(MONITOR) - shoulder
        cosine = (arm * line).sum(1) / np.linalg.norm(arm, axis=1) / np.linalg.norm(line, axis=1)
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))).min())
    assert min(angles) < 15.0
    bends = joints_of(MAKERS["bend"](4), times)
    standing, bent = bends[:, JOINT_INDEX["head"], 2].max(), bends[:, JOINT_INDEX["head"], 2].min()
    assert standing - bent > 0.35


def test_a_seat_carries_and_turns_are_taken() -> None:
    people = [_who(k)[0] for k in (5, 6)]
    places = (((-0.7, 0.0), 0.0), ((0.7, 0.0), np.pi))
    pair = m.interview(((BODY, people[0]), (BODY, people[1])), np.random.default_rng(1), places, 0.46)
    for motion in pair:
        pelvis = joints_of(motion, np.arange(0.0, 10.0, 0.2))[:, 0]
        assert 0.46 < pelvis[:, 2].min() <= pelvis[:, 2].max() < 0.75
        assert np.linalg.norm(np.diff(pelvis, axis=0), axis=1).max() < 0.03
    turns = m.sit.Turns(np.random.default_rng(3))
    first, second = turns.of(0), turns.of(1)
    both = np.array([(first(t), second(t)) for t in np.arange(10.0, 60.0, 0.1)])
    assert both.min() >= 0.0
    np.testing.assert_allclose(both.sum(axis=1), 1.0, atol=1e-9)
    assert 0.2 < both[:, 0].mean() < 0.8


def test_a_script_changes_without_a_jump_and_begins_again() -> None:
    betas, _ = _who(6)
    parts = [
        (5.0, m.Point(BODY, betas, np.random.default_rng(1), (0, 0), 0.2, MONITOR)),
        (4.0, m.Talk(BODY, betas, np.random.default_rng(2), (0, 0), 0.2)),
    ]
    script = m.Script(parts)
    places = joints_of(script, np.arange(0.0, 22.0, 1 / FPS))[:, :22]
    assert np.linalg.norm(np.diff(places, axis=0), axis=2).max() * FPS < 4.0
    feet = places[:, [JOINT_INDEX[f] for f in FOOT]]
    assert np.linalg.norm(np.diff(feet, axis=0), axis=2).max() < 0.003


def test_the_same_seed_moves_the_same_way_at_any_time() -> None:
    for name, make in MAKERS.items():
        a, b, other = make(3), make(3), make(4)
        b.at(17.0)  # what was asked before makes no difference
        assert np.array_equal(a.at(3600.25).pose, b.at(3600.25).pose), name
        assert not np.array_equal(a.at(3600.25).pose, other.at(3600.25).pose), name


@pytest.mark.parametrize(
    "make",
    [
        lambda b, r: m.Point(BODY, b, r, (0, 0), 0.0, (np.nan, 0, 0)),
        lambda b, r: m.Stand(BODY, b, r, (0, np.inf), 0.0),
        lambda b, r: m.Stand(BODY, b[:3], r, (0, 0), 0.0),
        lambda b, r: m.Walk(BODY, b, r, ((0.0, 0.0),), 1.0, (1.0, 1.0)),
        lambda b, r: m.Script([]),
        lambda b, r: m.Script([(1.0, m.Talk(BODY, b, r, (0, 0), 0.0))]),
    ],
)
def test_movements_that_cannot_be_are_refused(make: Callable[[F8, np.random.Generator], object]) -> None:
    with pytest.raises(InputError):
        make(*_who(1))
