"""How people move: procedural, smooth, within joint limits, for any length of time, from a seed."""

from backends.synthetic.motion.early import Figure, Pointer, Walker, Worker, standing, upright

__all__ = ["Figure", "Pointer", "Walker", "Worker", "standing", "upright"]
