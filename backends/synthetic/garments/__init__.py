"""Dressing a body: skin, hair and clothes as surfaces that move with it."""

from backends.synthetic.garments.dress import Dressed, dress
from backends.synthetic.garments.outfits import Outfit, Role, dressed_for

__all__ = ["Dressed", "Outfit", "Role", "dress", "dressed_for"]
