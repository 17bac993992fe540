"""How far a body can be trusted, in millimetres."""
