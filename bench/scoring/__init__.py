"""Scoring: Replies -> Records, one table from names to scorers, one to metrics over Records."""
