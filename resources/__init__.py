"""Icons, body assets, the catalogue of models."""
