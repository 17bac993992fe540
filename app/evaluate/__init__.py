"""Weighing a project against truth."""
