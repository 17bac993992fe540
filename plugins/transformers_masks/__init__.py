"""Masks of people by a segmentation of Hugging Face's Transformers: for those who have it installed.

An adapter, not the network: Transformers is an optional package, the model a folder of the user's own.
"""

from plugins.transformers_masks.masks import TransformersMasks, open_masks

__all__ = ["TransformersMasks", "open_masks"]
