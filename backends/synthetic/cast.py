"""Who plays: people, clothes and movements for each preset."""

from __future__ import annotations

from typing import Any

import numpy as np

from backends.body import load_body
from backends.synthetic.garments import Role, dress, dressed_for
from backends.synthetic.motion import Pointer, Worker
from backends.synthetic.motion.walk import Walk
from backends.synthetic.people import Actor
from backends.synthetic.sets.operating import TABLE
from backends.synthetic.staff import cast_body


class _Old:
    def __init__(self, m: Any) -> None:
        self.m = m

    def at(self, t: float) -> Any:
        return self.m.at(t)

    def holds(self, t: float) -> tuple[()]:
        return ()


def _actor(k: int, role: Role, rng: np.random.Generator, make: Any) -> Actor:
    body = load_body()
    woman = bool(rng.random() < 0.5)
    betas = cast_body(rng, woman=woman)
    return Actor(k, body, betas, dress(body, betas, dressed_for(role, woman, rng), rng), make(body, betas))


def operating_staff(people: int, rng: np.random.Generator) -> list[Actor]:
    makers = [
        lambda b, s: _Old(Worker(b, s, np.array([-0.12, TABLE[1] + 0.47]), -np.pi / 2 + 0.05, 20.0, rng)),
        lambda b, s: Walk(b, s, rng, [[-1.70, -0.75], [0.72, -0.72]], 1.05),
        lambda b, s: _Old(Pointer(b, s, np.array([1.42, 0.10]), np.pi + 0.62, np.array([-2.0, 1.3, 1.75]), 20.0, rng)),
        lambda b, s: _Old(Worker(b, s, np.array([0.6, TABLE[1] + 0.47]), -np.pi / 2 - 0.15, 20.0, rng)),
        *(lambda b, s, q=q: Walk(b, s, rng, [q, (q[0] + 0.1, q[1] - 2)], 1.0) for q in ((-1.8, -1.6), (0.0, -1.6), (1.2, -1.6), (2.0, -1.6)))
    ]
    roles = (Role.STERILE, Role.STAFF, Role.VISITOR, Role.STERILE)
    return [_actor(k + 1, roles[k % 4], rng, makers[k]) for k in range(people)]


def interview_partners(people: int, rng: np.random.Generator) -> list[Actor]:
    return [_actor(k + 1, Role.CIVIL, rng, lambda b, s: _Old(Worker(b, s, np.array([-0.7 + 1.4 * k, 0.35]), -np.pi / 2, 20.0, rng))) for k in range(people)]


def walkers(people: int, rng: np.random.Generator) -> list[Actor]:
    return [_actor(k + 1, Role.CIVIL, rng, lambda b, s: Walk(b, s, rng, [(-.9 + .45 * k, -1.5), (-.9 + .45 * k, 6)], 1.2)) for k in range(people)]


def crowd(people: int, rng: np.random.Generator) -> list[Actor]:
    return [_actor(k + 1, Role.CIVIL, rng, lambda b, s: Walk(b, s, rng, [(-4, -2.5 + .75 * k), (4, -2.5 + .75 * k)], 1.2)) for k in range(people)]
