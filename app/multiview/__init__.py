"""Several calibrated cameras of one room: the same people in all of them, each with one body in the room."""
