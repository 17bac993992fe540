"""Making a data set of a rendered scene."""

from app.synthesize.request import LAYOUTS, SynthesisRequest
from app.synthesize.run import run_synthesis

__all__ = ["LAYOUTS", "SynthesisRequest", "run_synthesis"]
