"""The catalogue of network weights and the store they are installed in."""
