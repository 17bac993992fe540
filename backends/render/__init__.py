"""The z-buffer rasterizer for everything that leaves the program."""
