"""Masks of people by Detectron2 (Mask R-CNN): for those who have it installed, as Mask2Mesh used it.

An adapter, not the network: Detectron2 is an optional package, configuration and weights are files of the
user's own.
"""

from plugins.detectron2_masks.masks import DetectronMasks, open_masks

__all__ = ["DetectronMasks", "open_masks"]
