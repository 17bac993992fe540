"""How people move: procedural, smooth, within joint limits, for any length of time, from a seed."""

from backends.synthetic.motion.reach import Bend, Point, ReachUp
from backends.synthetic.motion.script import Script
from backends.synthetic.motion.sit import Sit, Talk, interview
from backends.synthetic.motion.stand import Listen, Stand
from backends.synthetic.motion.together import hand_over
from backends.synthetic.motion.types import Hold, Motion
from backends.synthetic.motion.walk import Walk
from backends.synthetic.motion.work import Work

__all__ = [
    "Bend", "Hold", "Listen", "Motion", "Point", "ReachUp", "Script", "Sit", "Stand", "Talk", "Walk", "Work",
    "hand_over", "interview",
]  # fmt: skip
