"""Adapters to outside systems, each an optional extra found by entry point."""
