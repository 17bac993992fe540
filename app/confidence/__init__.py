"""Confidence from the agreement of two estimators, and how sensitive an estimate is to what is hidden."""
