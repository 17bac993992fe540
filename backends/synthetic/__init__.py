"""Rendered scenes with people whose bodies are known exactly."""

from backends.synthetic.room import PersonTruth, Truth, make_clip, room_camera

__all__ = ["PersonTruth", "Truth", "make_clip", "room_camera"]
