"""Several cameras of one room in the window: choosing them, switching between them."""
