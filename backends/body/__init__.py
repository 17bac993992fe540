"""Body models in SMPL-X's layout, and the free body that ships with the program."""
