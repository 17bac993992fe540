"""What the program does, without a window. Imports no Qt."""

import os

# The matrices here are small (at most 85 x 85): threads of the linear algebra library only wait for each
# other and take the networks' cores, 7 instead of 16 frames/s on two cores. Read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
