"""Rooms to put people in."""

from backends.synthetic.sets.hall import corridor, hall
from backends.synthetic.sets.interview import interview_room
from backends.synthetic.sets.operating import operating_room
from backends.synthetic.sets.types import Room, Screen

__all__ = ["Room", "Screen", "corridor", "hall", "interview_room", "operating_room"]
