"""Who plays: people, clothes and movements for each preset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backends.body import BodyModel, load_body
from backends.synthetic import motion as m
from backends.synthetic.garments import Role, dress, dressed_for
from backends.synthetic.people import Actor
from backends.synthetic.sets.interview import CHAIRS, SEAT_HEIGHT
from backends.synthetic.sets.operating import SITE, STOOL, STOOL_HEIGHT, TABLE, TRAY
from backends.synthetic.shapes import F8
from backends.synthetic.staff import cast_body

_SOUTH, _NORTH = -np.pi / 2, np.pi / 2


@dataclass(frozen=True, slots=True, eq=False)
class _Person:
    """Somebody before they know what to do."""

    number: int
    body: BodyModel
    betas: F8
    woman: bool
    rng: np.random.Generator

    def playing(self, motion: m.Motion, role: Role) -> Actor:
        """Dressed for a role and moving."""
        outfit = dressed_for(role, self.woman, self.rng)
        dressed = dress(self.body, self.betas, outfit, self.rng)
        return Actor(self.number, self.body, self.betas, dressed, motion)

    @property
    def who(self) -> tuple[BodyModel, F8, np.random.Generator]:
        """What every motion asks for first."""
        return self.body, self.betas, self.rng


def _people(count: int, rng: np.random.Generator) -> list[_Person]:
    body = load_body()
    found = []
    for k in range(count):
        own = np.random.default_rng(rng.integers(1 << 62))
        woman = bool(own.random() < 0.5)
        found.append(_Person(k + 1, body, cast_body(own, woman=woman), woman, own))
    return found


def operating_staff(people: int, rng: np.random.Generator) -> list[Actor]:
    """Surgeon, circulating nurse, visitor, scrub nurse, anaesthetist, assistant, technician, observer."""
    cast = _people(people, rng)
    makers: tuple[Callable[[_Person], Actor], ...] = (
        _surgeon, _circulating, _visitor, _surgeon, _anaesthetist, _assistant, _technician, _observer,
    )  # fmt: skip
    actors = [make(person) for make, person in zip(makers, cast)]
    if people >= 4:
        first, fourth = cast[0], cast[3]
        giver, receiver = m.hand_over(
            _at_table(fourth, 0.56, SITE + np.array([0.50, 0.02, 0.0])),
            _at_table(first, -0.12, SITE, tool=True),
            fourth.rng,
            np.array([TRAY[0] - 0.16, TRAY[1] + 0.14, TRAY[2] + 0.03]),
        )
        actors[0] = first.playing(receiver, Role.STERILE)
        actors[3] = fourth.playing(giver, Role.STERILE)
    return actors


def _at_table(person: _Person, x: float, field: F8, *, tool: bool = False) -> m.Work:
    tools: tuple[m.work.Tool | None, m.work.Tool | None] = ("forceps", None) if tool else (None, None)
    partner = np.array([x, TABLE[1] - 0.5, 1.5])
    return m.Work(*person.who, (x, TABLE[1] + 0.46), _SOUTH, field, tools=tools, partner=partner)


def _surgeon(person: _Person) -> Actor:
    return person.playing(_at_table(person, -0.12, SITE, tool=True), Role.STERILE)


def _circulating(person: _Person) -> Actor:
    rng = person.rng
    near, far = (-1.75, -0.95), (float(rng.uniform(0.75, 1.0)), -0.92)
    way = (near, (-0.8, -1.05), far) if rng.random() < 0.5 else (far, (-0.1, -1.05), near)
    carry = "clipboard" if rng.random() < 0.4 else None
    walk = m.Walk(*person.who, way, float(rng.uniform(0.85, 1.15)), (1.5, 2.5), carry=carry)  # type: ignore[arg-type]
    return person.playing(walk, Role.STAFF)


def _visitor(person: _Person) -> Actor:
    at, heading = (1.5, -0.2), np.pi - 0.75
    field = np.array([SITE[0], SITE[1], 1.1])
    listening = m.Listen(*person.who, at, heading, looks=[field, (-2.0, 1.3, 1.75), (0.2, 1.0, 1.55)])
    pointing = m.Point(*person.who, at, heading, (-2.0, 1.3, 1.75))
    talking = m.Talk(*person.who, at, heading, partner=(0.4, 1.0, 1.5))
    return person.playing(m.Script([(6.0, pointing), (5.0, talking), (7.0, listening)]), Role.VISITOR)


def _anaesthetist(person: _Person) -> Actor:
    monitor = np.array([-2.0, 1.25, 1.70])
    sits = m.Sit(*person.who, STOOL, 1.95, STOOL_HEIGHT, partner=monitor)
    return person.playing(sits, Role.STAFF)


def _assistant(person: _Person) -> Actor:
    motion = m.Work(
        *person.who, (0.12, TABLE[1] - 0.46), _NORTH, SITE + np.array([0.10, -0.04, 0.0]),
        tools=(None, "scissors"), partner=(-0.12, 1.0, 1.5),
    )  # fmt: skip
    return person.playing(motion, Role.STERILE)


def _technician(person: _Person) -> Actor:
    at, heading = (2.0, -1.55), 0.15
    bending = m.Bend(*person.who, at, heading, (2.45, -1.48, 0.45))
    reading = m.Stand(*person.who, at, heading, arms="clipboard")
    return person.playing(m.Script([(12.0, bending), (8.0, reading)]), Role.STAFF)


def _observer(person: _Person) -> Actor:
    at, heading = (-1.35, -2.05), 1.05
    watching = m.Stand(*person.who, at, heading, looks=[(0.0, 0.7, 1.2), (1.4, -0.2, 1.5), (-2.0, 1.3, 1.7)])
    talking = m.Talk(*person.who, at, heading, partner=(1.4, -0.2, 1.5))
    return person.playing(m.Script([(8.0, watching), (5.0, talking)]), Role.VISITOR)


def interview_partners(people: int, rng: np.random.Generator) -> list[Actor]:
    """One who talks to somebody beside the camera, or two who talk in turns."""
    cast = _people(people, rng)
    if people == 1:
        (x, y, heading), person = CHAIRS[0], cast[0]
        turns = m.sit.Turns(person.rng).of(0)
        sits = m.Sit(*person.who, (x, y), heading, SEAT_HEIGHT, partner=(0.5, -2.6, 1.25), talks=turns)
        return [person.playing(sits, Role.CIVIL)]
    if people == 2:
        a, b = cast
        places = tuple(((x, y), heading) for x, y, heading in CHAIRS)
        pair = m.interview(((a.body, a.betas), (b.body, b.betas)), rng, (places[0], places[1]), SEAT_HEIGHT)
        return [p.playing(motion, Role.CIVIL) for p, motion in zip(cast, pair)]
    return []


_LANES = (0.25, -0.75, 0.85, -0.25, 0.60, -1.1)


def walkers(people: int, rng: np.random.Generator) -> list[Actor]:
    """People in a corridor: the first walks away from the camera, the others both ways or stand about."""
    actors = []
    for k, person in enumerate(_people(people, rng)):
        own, lane = person.rng, _LANES[k]
        role = Role.STAFF if k and own.random() < 0.5 else Role.CIVIL
        if k == 4:
            motion: m.Motion = m.Stand(*person.who, (1.75, 3.0), np.pi, arms="phone")
        elif k == 5:
            motion = m.Talk(*person.who, (-1.25, 4.9), -0.9)
        else:
            ends = ((lane, -2.2), (lane + float(own.uniform(-0.1, 0.1)), float(own.uniform(4.5, 6.5))))
            way = ends if k % 2 == 0 else ends[::-1]
            motion = m.Walk(*person.who, way, float(own.uniform(0.95, 1.3)), (1.5, 2.5))
        actors.append(person.playing(motion, role))
    return actors


def crowd(people: int, rng: np.random.Generator) -> list[Actor]:
    """People who cross a hall on lanes of their own, some who stand and talk, telephone or wait."""
    actors = []
    for k, person in enumerate(_people(people, rng)):
        own = person.rng
        role = (Role.CIVIL, Role.CIVIL, Role.STAFF)[k % 3]
        motion: m.Motion
        if k in (2, 5):
            # Two who talk to each other.
            side = 1.0 if k == 2 else -1.0
            at = np.array([0.9 + 0.48 * side, 2.9])
            other = np.array([0.9 - 0.48 * side, 2.9, 1.5])
            heading = 0.0 if side < 0 else np.pi
            motion = (
                m.Talk(*person.who, at, heading, partner=other)
                if k == 2
                else m.Listen(*person.who, at, heading, looks=[other])
            )
        elif k == 7:
            motion = m.Stand(*person.who, (-2.3, 3.3), -0.9, arms="phone")
        else:
            lane = {0: -1.6, 1: -0.7, 3: 0.3, 4: 1.2, 6: 2.05}[k]
            ends = ((-3.4, lane), (3.4, lane + float(own.uniform(-0.08, 0.08))))
            way = ends if own.random() < 0.5 else ends[::-1]
            speed, start = float(own.uniform(0.9, 1.35)), float(own.uniform(0.0, 14.0))
            motion = m.Walk(*person.who, way, speed, (1.0, 2.0), start=start)
        actors.append(person.playing(motion, role))
    return actors
