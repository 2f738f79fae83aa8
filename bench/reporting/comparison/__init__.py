"""Comparison: who is whose parent, what may be compared, and what changed from one to the other."""
