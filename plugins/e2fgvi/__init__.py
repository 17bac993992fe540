"""E2FGVI, a network that paints what is behind people (Li et al., CVPR 2022): for those who have it.

An adapter, not the network: its code is the user's own copy of the authors' repository, its weights the
user's own file. Both are for non-commercial use and come with nothing of ours.
"""

from plugins.e2fgvi.inpainter import E2FGVI, open_inpainter

__all__ = ["E2FGVI", "open_inpainter"]
